import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { openDatabase, type Database } from '#base/sqlite.ts'
import { keyCaller } from './caller_facts.ts'
import { openCallerStore, type CallerStore } from './caller_store.ts'
import type { CallerRecord, KeyRecord, SecretRecord } from './key_record.ts'

const OWNER: CallerRecord = {
  name: 'demo',
  kind: 'User',
  space: 'a-space',
  tenant: 'a-tenant',
  createdAt: 1,
  createdBy: 'System::"operator"',
  disabledAt: undefined,
}

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
    ranges: { admits: () => true },
    notBefore: 4,
    createdAt: 5,
    createdBy: 'User::"ann"',
    revokedAt: undefined,
    secrets: [secretOf(1, 9), secretOf(2)],
    proves: keyCaller(OWNER, kid, scope),
    ...given,
  }
}

function open(t: TestContext): { database: Database; store: CallerStore; again: () => CallerStore } {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-caller-store-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const database = openDatabase(join(folder, 'state.db'))
  const store = openCallerStore(database)
  const again = (): CallerStore => {
    store.close()
    const opened = openCallerStore(openDatabase(join(folder, 'state.db')))
    t.after(() => opened.close())
    return opened
  }
  return { database, store, again }
}

/** A key without what is worked out from the rest. */
function bare({ ranges: _ranges, ...key }: KeyRecord): Omit<KeyRecord, 'ranges'> {
  return { ...key, secrets: key.secrets.map((one) => ({ ...one, mac: Uint8Array.from(one.mac) })) }
}

suite('openCallerStore', () => {
  test('load gives back all that was written, after a restart too', (t) => {
    const { store, again } = open(t)
    const wide = keyOf('wide', { addresses: [] })
    const narrow = keyOf('narrow', { scope: { models: [], actions: ['model:infer', 'model:list'] } })
    store.addKey(wide, true)
    store.addKey(narrow, false)
    const { callers, keys } = again().load()
    assert.deepEqual(callers, [OWNER])
    assert.deepEqual(keys.map(bare), [bare(wide), bare(narrow)])
    const [first, second] = keys
    assert.equal(
      first?.owner,
      second?.owner,
      'one record for one caller: to disable it is seen by all its keys',
    )
    assert.deepEqual(
      [
        first?.ranges.admits('192.0.2.1'),
        second?.ranges.admits('192.0.2.1'),
        second?.ranges.admits('10.9.9.9'),
      ],
      [true, false, true],
    )
  })

  test('load gives back what was changed since', (t) => {
    const { store, again } = open(t)
    store.addKey(keyOf('k'), true)
    store.replaceSecrets('k', [secretOf(2), secretOf(3)])
    store.setLastUsed([
      ['k', 3, 20_000],
      ['k', 9, 20_000],
    ])
    store.setRevoked('k', 11)
    store.setDisabled('demo', 12)
    const opened = again()
    const [key] = opened.load().keys
    assert.deepEqual(key && bare(key).secrets, [secretOf(2), secretOf(3, 20_000)])
    assert.deepEqual([key?.revokedAt, key?.owner.disabledAt], [11, 12])
    opened.setDisabled('demo', undefined)
    assert.equal(opened.load().callers[0]?.disabledAt, undefined)
  })

  test('addKey and replaceSecrets are whole or not at all', (t) => {
    const { store } = open(t)
    store.addKey(keyOf('k'), true)
    assert.throws(() => store.addKey(keyOf('other', { secrets: [secretOf(1), secretOf(1)] }), false))
    assert.throws(() => store.replaceSecrets('k', [secretOf(5), secretOf(5)]))
    const { keys } = store.load()
    assert.deepEqual(
      keys.map(({ kid, secrets }) => [kid, secrets.map(({ number }) => number)]),
      [['k', [1, 2]]],
    )
    store.close()
  })

  test('load names the key that cannot be read', (t) => {
    const { database, store } = open(t)
    store.addKey(keyOf('good'), true)
    store.addKey(keyOf('odd'), false)
    const rows: readonly (readonly [why: string, column: string, text: string])[] = [
      ['no JSON', 'models', 'echo'],
      ['no list', 'actions', '"model:infer"'],
      ['a number in a list', 'models', '[1]'],
      ['no range', 'addresses', '["everywhere"]'],
    ]
    for (const [why, column, text] of rows) {
      const set = database.prepare(`UPDATE key SET ${column} = ? WHERE kid = 'odd'`)
      set.run(text)
      assert.throws(() => store.load(), { code: 'home.damaged', detail: { kid: 'odd' } }, why)
      set.run('[]')
      assert.equal(store.load().keys.length, 2)
    }
    store.close()
  })
})
