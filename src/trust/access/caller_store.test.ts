import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { migrate, openDatabase, type Database, type SqlValue } from '#base/sqlite.ts'
import { callerAlone } from '../../../test/support/directory_scene.ts'
import { ACCESS_STEPS } from './access_steps.ts'
import { openCallerStore, type CallerStore } from './caller_store.ts'
import { loadDirectory } from './directory_load.ts'
import type { CallerRecord } from './directory_record.ts'
import { DirectoryState } from './directory_state.ts'
import type { KeyRecord, SecretRecord } from './key_record.ts'

const OWNER = callerAlone({ kind: 'User', createdBy: 'System::"operator"', createdAt: 1, changedAt: 1 })

function secretOf(number: number, lastUsedDay?: number): SecretRecord {
  return { number, mac: new Uint8Array(32).fill(number), createdAt: 2, notAfter: 3, lastUsedDay }
}

function keyOf(kid: string, given: Partial<KeyRecord> = {}): KeyRecord {
  const scope = given.scope ?? { models: undefined, actions: undefined }
  return {
    kid,
    environment: 'test',
    pepperId: '7',
    owner: OWNER,
    scope,
    addresses: ['10.0.0.0/8'],
    limits: { requests_per_day: 10 },
    ranges: { admits: () => true },
    notBefore: 4,
    createdAt: 5,
    createdBy: 'User::"ann"',
    revokedAt: undefined,
    secrets: [secretOf(1, 9), secretOf(2)],
    ...given,
  }
}

interface Opened {
  readonly database: Database
  readonly store: CallerStore
  /** All that is on disk, as the next process reads it. */
  again(): Loaded
}

interface Loaded {
  readonly state: DirectoryState
  readonly callers: readonly CallerRecord[]
  readonly keys: readonly KeyRecord[]
}

function open(t: TestContext): Opened {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-caller-store-'))
  const database = openDatabase(join(folder, 'state.db'))
  t.after(() => {
    database.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  const store = openCallerStore(database)
  return { database, store, again: () => load(database) }
}

function load(database: Database): Loaded {
  const state = new DirectoryState()
  const owners = loadDirectory(database, state)
  return { state, callers: [...owners.values()], keys: openCallerStore(database).loadKeys(owners) }
}

/** What is said of a key, however it is kept. */
function bare(key: KeyRecord) {
  const { kid, environment, pepperId, scope, addresses, limits, notBefore, createdAt, createdBy } = key
  const { owner, revokedAt, secrets } = key
  return {
    kid,
    environment,
    pepperId,
    scope,
    addresses,
    limits,
    notBefore,
    createdAt,
    createdBy,
    revokedAt,
    owner: owner.id,
    secrets: secrets.map(bareSecret),
  }
}

function bareSecret({ number, mac, createdAt, notAfter, lastUsedDay }: SecretRecord): SecretRecord {
  return { number, mac: Uint8Array.from(mac), createdAt, notAfter, lastUsedDay }
}

suite('openCallerStore', () => {
  test('loadKeys gives back all that was written', (t) => {
    const { store, again } = open(t)
    const wide = keyOf('wide', { addresses: [], limits: undefined })
    const narrow = keyOf('narrow', { scope: { models: [], actions: ['model:infer', 'model:list'] } })
    store.addKey(wide, true)
    store.addKey(narrow, false)
    const { callers, keys } = again()
    assert.deepEqual(
      callers.map(({ id, name, kind, createdBy, space }) => [id, name, kind, createdBy, space.name]),
      [[OWNER.id, 'demo', 'User', 'System::"operator"', 'default']],
    )
    assert.deepEqual(keys.map(bare), [bare(wide), bare(narrow)])
    const [first, second] = keys
    assert.equal(first?.owner, callers[0])
    assert.equal(
      second?.owner,
      callers[0],
      'one record for one caller: to disable it is seen by all its keys',
    )
    assert.ok(Object.isFrozen(second?.limits))
    assert.deepEqual(
      [
        first?.ranges.admits('192.0.2.1'),
        second?.ranges.admits('192.0.2.1'),
        second?.ranges.admits('10.9.9.9'),
      ],
      [true, false, true],
    )
  })

  test('loadKeys gives back what was changed since', (t) => {
    const { store, again } = open(t)
    store.addKey(keyOf('k'), true)
    store.replaceSecrets('k', [secretOf(2), secretOf(3)])
    store.setLastUsed([
      ['k', 3, 20_000],
      ['k', 9, 20_000],
    ])
    store.setRevoked('k', 11)
    store.directory.changeCaller({ ...OWNER, disabledAt: 12, version: 2 })
    const [key] = again().keys
    assert.deepEqual(key && bare(key).secrets, [secretOf(2), secretOf(3, 20_000)])
    assert.deepEqual([key?.revokedAt, key?.owner.disabledAt, key?.owner.version], [11, 12, 2])
    store.directory.changeCaller(OWNER)
    assert.equal(again().callers[0]?.disabledAt, undefined)
  })

  test('addKey and replaceSecrets are whole or not at all', (t) => {
    const { store, again } = open(t)
    store.addKey(keyOf('k'), true)
    assert.throws(() => store.addKey(keyOf('other', { secrets: [secretOf(1), secretOf(1)] }), false))
    assert.throws(() => store.replaceSecrets('k', [secretOf(5), secretOf(5)]))
    assert.deepEqual(
      again().keys.map(({ kid, secrets }) => [kid, secrets.map(({ number }) => number)]),
      [['k', [1, 2]]],
    )
  })

  test('loadKeys names the key that cannot be read', (t) => {
    const { database, store, again } = open(t)
    store.addKey(keyOf('good'), true)
    store.addKey(keyOf('odd'), false)
    const rows: readonly (readonly [why: string, column: string, text: string])[] = [
      ['no JSON', 'models', 'echo'],
      ['no list', 'actions', '"model:infer"'],
      ['a number in a list', 'models', '[1]'],
      ['no range', 'addresses', '["everywhere"]'],
      ['no object', 'limits', '[1]'],
    ]
    for (const [why, column, text] of rows) {
      const set = database.prepare(`UPDATE key SET ${column} = ? WHERE kid = 'odd'`)
      set.run(text)
      assert.throws(() => again(), { code: 'home.damaged', detail: { kid: 'odd' } }, why)
      set.run(column === 'limits' ? '{}' : '[]')
      assert.equal(again().keys.length, 2)
    }
  })

  test('loadDirectory says that it cannot read what is no object', (t) => {
    const { database, store, again } = open(t)
    store.addKey(keyOf('k'), true)
    for (const column of ['profile', 'limits']) {
      database.prepare(`UPDATE caller SET ${column} = ?`).run('[]')
      assert.throws(() => again(), { code: 'home.damaged' }, column)
      database.prepare(`UPDATE caller SET ${column} = NULL`).run()
    }
    assert.equal(again().callers.length, 1)
  })

  test('openCallerStore brings the tables of the first homes up to date, with all that was in them', (t) => {
    const folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-first-store-'))
    const database = openDatabase(join(folder, 'state.db'))
    t.after(() => {
      database.close()
      fs.rmSync(folder, { recursive: true, force: true })
    })
    migrate(database, 'access', ACCESS_STEPS.slice(0, 3))
    const insert = (table: string, ...rows: readonly (readonly SqlValue[])[]): void => {
      for (const row of rows)
        database.prepare(`INSERT INTO ${table} VALUES (${row.map(() => '?').join(', ')})`).run(...row)
    }
    insert(
      'caller',
      ['old', 'Service', 'default', 'default', 5, 'me', null],
      ['off', 'User', 'lab', 'acme', 6, 'me', 7],
    )
    insert(
      'key',
      ['k1', 'off', 'live', '1', null, '["model:infer"]', '[]', 1, 2, 'me', null],
      ['k2', 'old', 'test', '1', '["echo"]', null, '[]', 1, 2, 'me', 9],
    )
    insert(
      'key_secret',
      ['k1', 1, new Uint8Array(32).fill(1), 2, 3, 4],
      ['k1', 2, new Uint8Array(32), 2, 3, null],
    )
    openCallerStore(database)
    const { state, callers, keys } = load(database)
    assert.deepEqual(
      callers.map(({ name, kind, space, source, disabledAt, createdAt, version }) => [
        name,
        kind,
        space.name,
        space.tenant.name,
        source,
        disabledAt,
        createdAt,
        version,
      ]),
      [
        ['old', 'Service', 'default', 'default', 'local', undefined, 5, 1],
        ['off', 'User', 'lab', 'acme', 'local', 7, 6, 1],
      ],
    )
    assert.equal(new Set(callers.map(({ id }) => id)).size, 2)
    for (const { id } of callers) assert.match(id, /^[0-9A-F]{16}$/)
    assert.deepEqual([...state.spaces.keys()].sort(), ['default', 'lab'])
    assert.deepEqual(
      keys.map(({ kid, owner, scope, revokedAt, secrets }) => [
        kid,
        owner.name,
        scope.models,
        revokedAt,
        secrets.length,
      ]),
      [
        ['k1', 'off', undefined, undefined, 2],
        ['k2', 'old', ['echo'], 9, 0],
      ],
    )
    assert.deepEqual(keys[0]?.secrets[0]?.lastUsedDay, 4)
  })
})
