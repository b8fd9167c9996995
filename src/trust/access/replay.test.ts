import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { hmacSha256 } from '#base/crypto.ts'
import { openDatabase } from '#base/sqlite.ts'
import { setActive } from '../../../test/support/directory_scene.ts'
import { StillClock } from '../../../test/support/door_parts.ts'
import { openCallers, type Callers } from './callers.ts'
import type { RecordedChange } from './recorded_change.ts'
import { openStateMark } from './state_mark.ts'

const DAY_MS = 86_400_000
const KEY = new Uint8Array(32).fill(7)
const PEPPERS = { current: '1', has: () => true, mac: (_id: string, text: string) => hmacSha256(KEY, text) }

interface Scene {
  readonly callers: Callers
  readonly clock: StillClock
  readonly kid: string
  /** The callers as the next process loads them. */
  reopen(): Callers
}

function scene(t: TestContext): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-replay-'))
  const clock = new StillClock()
  const open = (): Callers => {
    const database = openDatabase(join(folder, 'state.db'))
    return openCallers({ database, peppers: PEPPERS, clock, later: () => undefined })
  }
  const callers = open()
  const notAfter = clock.now() + 60 * DAY_MS
  const { kid } = callers.createKey({ name: 'demo', notAfter, createdBy: 'test' })
  const opened = [callers]
  t.after(() => {
    for (const each of opened) each.close()
    rmSync(folder, { recursive: true, force: true })
  })
  const reopen = (): Callers => {
    const again = open()
    opened.push(again)
    return again
  }
  return { callers, clock, kid, reopen }
}

function stateOf({ directory }: Callers): string {
  return directory.find('demo')?.disabledAt === undefined ? 'live' : 'disabled'
}

function change(what: string, more: Partial<RecordedChange>): RecordedChange {
  return { what, at: 1_000, kid: undefined, values: {}, isMade: true, ...more }
}

const made = (what: string) => change(what, { values: { name: 'demo' } })
const asked = (what: string) => change(what, { values: { name: 'demo' }, isMade: false })

const CALLERS: readonly [why: string, changes: readonly RecordedChange[], state: string, count: number][] = [
  ['disabled', [made('caller:disable')], 'disabled', 1],
  ['asked to be disabled, and the process ended', [asked('caller:disable')], 'disabled', 1],
  ['disabled and enabled again', [made('caller:disable'), made('caller:enable')], 'live', 0],
  [
    'disabled; that it was enabled is not certain',
    [made('caller:disable'), asked('caller:enable')],
    'disabled',
    1,
  ],
  ['enabled and disabled again', [made('caller:enable'), made('caller:disable')], 'disabled', 1],
  ['another caller', [change('caller:disable', { values: { name: 'other' } })], 'live', 0],
  ['nothing', [], 'live', 0],
]

for (const [why, changes, state, count] of CALLERS)
  test(`replay closes what was closed: ${why}`, (t) => {
    const { callers, reopen } = scene(t)
    assert.deepEqual(callers.replay(changes), { made: count, missing: 0 })
    assert.deepEqual(callers.replay(changes), { made: 0, missing: 0 }, 'twice is once')
    for (const each of [callers, reopen()]) assert.equal(stateOf(each), state)
  })

test('replay never opens: a caller that is disabled here stays so', (t) => {
  const { callers } = scene(t)
  setActive(callers, 'demo', false)
  assert.deepEqual(callers.replay([made('caller:enable')]), { made: 0, missing: 0 })
  assert.equal(stateOf(callers), 'disabled')
})

test('replay revokes, on disk too: a key that the ledger says is revoked', (t) => {
  const { callers, kid, reopen } = scene(t)
  assert.deepEqual(callers.replay([change('key:revoke', { kid, isMade: false })]), { made: 1, missing: 0 })
  for (const each of [callers, reopen()]) assert.equal(each.listKeys().items[0]?.state, 'revoked')
})

test('replay ends a rotated secret when it was to end: the new one is not here', (t) => {
  const { callers, clock, kid, reopen } = scene(t)
  const at = clock.now() + 1_000
  assert.deepEqual(callers.replay([change('key:rotate', { kid, at })]), { made: 1, missing: 0 })
  for (const each of [callers, reopen()])
    assert.equal(each.listKeys().items[0]?.secrets[0]?.not_after, at + DAY_MS)
})

test('replay leaves the secrets as they are: the rotation was refused, or is here', (t) => {
  const { callers, clock, kid } = scene(t)
  const at = clock.now()
  const before = callers.listKeys().items
  callers.replay([change('key:rotate', { kid, at, isMade: false })])
  assert.deepEqual(callers.listKeys().items, before)
  callers.rotateKey(kid)
  const rotated = callers.listKeys().items
  callers.replay([change('key:rotate', { kid, at })])
  assert.deepEqual(callers.listKeys().items, rotated)
})

test('replay counts keys that were made and are not here', (t) => {
  const { callers, kid } = scene(t)
  const changes = [
    change('key:create', { kid: 'unknown00001' }),
    change('key:create', { kid: 'unknown00002', isMade: false }),
    change('key:create', { kid }),
    change('key:revoke', { kid: 'unknown00001' }),
  ]
  assert.deepEqual(callers.replay(changes), { made: 0, missing: 1 })
})

test('openStateMark keeps one checkpoint', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-mark-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const database = openDatabase(join(folder, 'state.db'))
  const mark = openStateMark(database)
  assert.equal(mark.read(), undefined)
  for (const text of ['first', 'second']) mark.write(text)
  assert.equal(openStateMark(database).read(), 'second')
  database.close()
})
