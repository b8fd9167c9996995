import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { hmacSha256 } from '#base/crypto.ts'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Peppers } from '#base/peppers.ts'
import { Sealed } from '#base/sealed.ts'
import { openDatabase } from '#base/sqlite.ts'
import { setActive } from '../../../test/support/directory_scene.ts'
import type { Credential } from './caller.ts'
import { openCallers, type Callers } from './callers.ts'
import { newKeyText, newKid } from './key.ts'
import type { NewKey } from './new_key.ts'

const DAY = 86_400_000
const START = Date.UTC(2026, 0, 10, 12)
const HERE = '127.0.0.1'

const PEPPERS: Peppers = {
  current: '1',
  has: (id) => id === '1',
  mac: (_id, text) => hmacSha256(new Uint8Array(32).fill(7), text),
}

class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'gatehouse-callers-'))
  readonly waiting: (() => void)[] = []
  now = START
  callers: Callers

  constructor(t: TestContext) {
    this.callers = this.open()
    t.after(() => {
      this.callers.close()
      rmSync(this.folder, { recursive: true, force: true })
    })
  }

  open(peppers = PEPPERS): Callers {
    return openCallers({
      database: openDatabase(join(this.folder, 'state.db')),
      peppers,
      clock: { now: () => this.now, monotonic: () => this.now },
      later: (work) => this.waiting.push(work),
    })
  }

  restart(): void {
    this.callers.close()
    this.callers = this.open()
  }

  make(asked: Partial<NewKey> = {}): { kid: string; credential: Credential; text: string } {
    const { kid, key } = this.callers.createKey({ name: 'demo', createdBy: 'System::"operator"', ...asked })
    return { kid, credential: { kind: 'bearer', token: key }, text: key.open((text) => text) }
  }

  reason(credential: Credential, address = HERE): unknown {
    try {
      this.callers.authenticate(credential, address)
      return 'proven'
    } catch (thrown) {
      assert.ok(thrown instanceof Fault)
      assert.equal(thrown.code, 'caller.unknown')
      assert.equal(thrown.say, undefined, 'the body is the same for all')
      assert.equal(thrown.message, new Fault('caller.unknown').message)
      return thrown.detail['reason']
    }
  }
}

const bearer = (text: string): Credential => ({ kind: 'bearer', token: new Sealed(text) })

suite('callers', () => {
  test('authenticate proves the caller of a key: entity, parents, space, scope and kid', (t) => {
    const bench = new Bench(t)
    const { kid, credential } = bench.make({ models: ['echo'], actions: ['model:infer'] })
    const { caller } = bench.callers.authenticate(credential, HERE)
    assert.equal(printRef(caller.ref), 'Service::"demo"')
    assert.deepEqual(
      caller.entities.map(({ ref, parents }) => [printRef(ref), parents.map(printRef)]),
      [
        ['Service::"demo"', ['Space::"default"']],
        ['Space::"default"', ['Tenant::"default"']],
        ['Tenant::"default"', []],
      ],
    )
    assert.equal(caller.space, 'default')
    assert.equal(caller.kid, kid)
    assert.deepEqual(caller.scope, { models: ['echo'], actions: ['model:infer'] })
    assert.equal(bench.callers.authenticate(credential, HERE).caller, caller, 'worked out once')
    assert.ok(
      Object.isFrozen(caller) && Object.isFrozen(caller.entities) && Object.isFrozen(caller.entities[0]),
    )
  })

  test('authenticate takes the socket for the operator and a job for itself, with no key', (t) => {
    const bench = new Bench(t)
    const rows: readonly (readonly [Credential, string])[] = [
      [{ kind: 'socket' }, 'System::"operator"'],
      [{ kind: 'system', name: 'retention' }, 'System::"retention"'],
    ]
    for (const [credential, expected] of rows) {
      const { caller } = bench.callers.authenticate(credential, 'socket')
      assert.equal(printRef(caller.ref), expected)
      assert.equal(caller.kid, undefined)
      assert.equal(bench.callers.looksReal(credential), true)
    }
  })

  test('authenticate refuses with one fault, and the ledger alone learns why', (t) => {
    const bench = new Bench(t)
    const good = bench.make()
    const other = newKeyText({ environment: 'live', kid: newKid() })
    const wrong = newKeyText({ environment: 'live', kid: good.kid })
    const elsewhere = newKeyText({ environment: 'test', kid: good.kid })
    const rows: readonly (readonly [why: string, Credential, reason: string, looksReal: boolean])[] = [
      ['no header', { kind: 'none' }, 'credential.missing', false],
      ['a header that is no bearer token', { kind: 'malformed' }, 'credential.malformed', false],
      ['no key at all', bearer('hello'), 'key.unknown', false],
      ['a very long token', bearer('x'.repeat(16_000)), 'key.unknown', false],
      ['a typo', bearer(`${good.text.slice(0, -1)}!`), 'key.unknown', false],
      ['a key of another home', bearer(other), 'key.unknown', true],
      ['a wrong secret', bearer(wrong), 'key.wrong', true],
      ['the other environment', bearer(elsewhere), 'key.wrong', true],
      ['the key', good.credential, 'proven', true],
    ]
    for (const [why, credential, reason, looksReal] of rows) {
      assert.equal(bench.reason(credential), reason, why)
      assert.equal(bench.callers.looksReal(credential), looksReal, why)
    }
  })

  test('authenticate takes the same time for every refusal: figures only, a busy machine is no failure', (t) => {
    const bench = new Bench(t)
    const revoked = bench.make()
    bench.callers.revokeKey(revoked.kid)
    const rows: readonly (readonly [why: string, Credential])[] = [
      ['missing', { kind: 'none' }],
      ['unknown', bearer(newKeyText({ environment: 'live', kid: newKid() }))],
      ['wrong', bearer(newKeyText({ environment: 'live', kid: bench.make().kid }))],
      ['revoked', revoked.credential],
    ]
    const rounds = 200
    for (const [why, credential] of rows) {
      for (let round = 0; round < rounds; round++) bench.reason(credential)
      const started = performance.now()
      for (let round = 0; round < rounds; round++) bench.reason(credential)
      t.diagnostic(`${why}: ${(((performance.now() - started) * 1_000) / rounds).toFixed(1)} µs`)
    }
  })

  test('authenticate gives the ledger a public kid only when it is one of ours', (t) => {
    const bench = new Bench(t)
    const good = bench.make()
    const kidOf = (text: string): unknown => {
      try {
        return bench.callers.authenticate(bearer(text), HERE)
      } catch (thrown) {
        return thrown instanceof Fault ? thrown.detail['kid'] : thrown
      }
    }
    assert.equal(kidOf(newKeyText({ environment: 'live', kid: good.kid })), good.kid)
    assert.equal(kidOf(`${good.text.slice(0, -1)}!`), undefined)
    assert.equal(kidOf(newKeyText({ environment: 'live', kid: newKid() })), undefined)
  })

  test('authenticate holds a key to its times', (t) => {
    const bench = new Bench(t)
    const { credential } = bench.make({ notBefore: START + DAY, notAfter: START + 60 * DAY })
    const rows: readonly (readonly [why: string, now: number, reason: string])[] = [
      ['before', START, 'key.not_yet_valid'],
      ['a moment before', START + DAY - 1, 'key.not_yet_valid'],
      ['at the start', START + DAY, 'proven'],
      ['30 idle days', START + 31 * DAY, 'proven'],
      ['at the end', START + 60 * DAY, 'key.expired'],
    ]
    for (const [why, now, reason] of rows) {
      bench.now = now
      assert.equal(bench.reason(credential), reason, why)
    }
    assert.equal(bench.callers.listKeys().items[0]?.state, 'expired')
    assert.equal(
      bench.callers.looksReal(credential),
      true,
      'which keys are live is nothing to be told by its looks',
    )
  })

  test('recheck refuses what has ended since: a request on its way outlives neither key, secret nor caller', (t) => {
    const rows: readonly (readonly [reason: string, end: (bench: Bench, kid: string) => void])[] = [
      ['holds', (bench) => bench.callers.createKey({ name: 'other', createdBy: 'test' })],
      ['holds', (bench, kid) => bench.callers.rotateKey(kid)],
      ['key.revoked', (bench, kid) => bench.callers.revokeKey(kid)],
      ['caller.disabled', (bench) => setActive(bench.callers, 'demo', false)],
      ['key.expired', (bench) => void (bench.now += 10 * DAY)],
      ['key.expired', (bench, kid) => void (bench.callers.rotateKey(kid, 1_000), (bench.now += 1_000))],
    ]
    for (const [reason, end] of rows) {
      const bench = new Bench(t)
      const { kid, credential } = bench.make({ notAfter: START + 10 * DAY })
      const proven = bench.callers.authenticate(credential, HERE)
      proven.recheck()
      end(bench, kid)
      if (reason === 'holds') proven.recheck()
      else assert.throws(() => proven.recheck(), { code: 'caller.unknown', detail: { reason, kid } }, reason)
    }
  })

  test('authenticate refuses a key that nobody used for more than 30 days, after a restart too', (t) => {
    const bench = new Bench(t)
    const { credential } = bench.make()
    bench.now = START + 20 * DAY
    assert.equal(bench.reason(credential), 'proven')
    bench.restart()
    bench.now = START + 50 * DAY
    assert.equal(bench.reason(credential), 'proven', '30 days after its last use')
    bench.now = START + 81 * DAY
    assert.equal(bench.reason(credential), 'key.idle')
    assert.equal(bench.callers.listKeys().items[0]?.state, 'idle')
  })

  test('objectionTo says why what was made with a key ends: with its last secret, and outside its addresses', (t) => {
    const bench = new Bench(t)
    const { callers } = bench
    const { kid } = bench.make({ addresses: ['10.0.0.0/8'], notAfter: START + DAY })
    const reasons = () => ['10.1.2.3', HERE, undefined].map((address) => callers.objectionTo(kid, address))
    assert.deepEqual(reasons(), [undefined, 'key.address_outside', undefined])
    assert.equal(callers.objectionTo('kid000000009', undefined), 'key.unknown')
    bench.now = START + DAY / 2
    callers.rotateKey(kid, 0)
    assert.deepEqual(reasons(), [undefined, 'key.address_outside', undefined], 'the second secret lives')
    bench.now = START + 2 * DAY
    assert.deepEqual(reasons(), ['key.expired', 'key.expired', 'key.expired'])
    callers.revokeKey(kid)
    assert.equal(callers.objectionTo(kid, undefined), 'key.revoked')
  })

  test('authenticate holds a key to its addresses', (t) => {
    const bench = new Bench(t)
    const { credential } = bench.make({ addresses: ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32'] })
    const rows: readonly (readonly [address: string, reason: string])[] = [
      ['10.200.3.4', 'proven'],
      ['::ffff:10.200.3.4', 'proven'],
      ['192.0.2.7', 'proven'],
      ['2001:db8:1::9', 'proven'],
      ['socket', 'proven'],
      ['11.0.0.1', 'key.address_outside'],
      ['::ffff:11.0.0.1', 'key.address_outside'],
      ['192.0.2.8', 'key.address_outside'],
      ['2001:db9::1', 'key.address_outside'],
      ['fe80::1%eth0', 'key.address_outside'],
      ['', 'key.address_outside'],
      ['10.0.0.1:80', 'key.address_outside'],
    ]
    for (const [address, reason] of rows) assert.equal(bench.reason(credential, address), reason, address)
  })

  test('revokeKey is seen by the very next request, and for good', (t) => {
    const bench = new Bench(t)
    const { kid, credential } = bench.make()
    assert.equal(bench.reason(credential), 'proven')
    assert.equal(bench.callers.revokeKey(kid).state, 'revoked')
    assert.equal(bench.reason(credential), 'key.revoked')
    bench.now += 5
    bench.callers.revokeKey(kid)
    bench.restart()
    assert.equal(bench.reason(credential), 'key.revoked', 'after a restart')
    assert.throws(() => bench.callers.revokeKey(newKid()), { code: 'key.unknown' })
  })

  test('setActive refuses all keys of a caller until it is enabled again', (t) => {
    const bench = new Bench(t)
    const [one, two] = [bench.make(), bench.make()]
    const other = bench.make({ name: 'other' })
    assert.equal(setActive(bench.callers, 'demo', false).disabledAt, START)
    bench.now += 1
    assert.equal(setActive(bench.callers, 'demo', false).disabledAt, START, 'twice is once')
    assert.deepEqual(
      [one, two, other].map(({ credential }) => bench.reason(credential)),
      ['caller.disabled', 'caller.disabled', 'proven'],
    )
    bench.restart()
    assert.equal(bench.reason(one.credential), 'caller.disabled', 'after a restart')
    assert.throws(() => bench.make(), { code: 'key.conflicting' }, 'no new key meanwhile')
    assert.equal(setActive(bench.callers, 'demo', true).disabledAt, undefined)
    assert.equal(bench.reason(one.credential), 'proven')
  })

  test('rotateKey keeps two secrets live for the overlap and no third', (t) => {
    const bench = new Bench(t)
    const first = bench.make({ notAfter: START + 40 * DAY })
    bench.now = START + 10 * DAY
    assert.equal(bench.reason(first.credential), 'proven')
    const made = bench.callers.rotateKey(first.kid)
    const second = { kind: 'bearer', token: made.key } as const
    assert.equal(made.notAfter, START + 50 * DAY, 'the same lifetime again')
    assert.equal(bench.reason(first.credential), 'proven')
    assert.equal(bench.reason(second), 'proven')
    assert.throws(() => bench.callers.rotateKey(first.kid), { code: 'key.conflicting' })
    bench.restart()
    bench.now = START + 11 * DAY
    assert.equal(bench.reason(first.credential), 'key.expired', 'the overlap has ended')
    assert.equal(bench.reason(second), 'proven')
    const third = bench.callers.rotateKey(first.kid, 0)
    assert.equal(bench.reason(second), 'key.expired', 'no overlap')
    assert.equal(bench.reason({ kind: 'bearer', token: third.key }), 'proven')
    assert.equal(bench.reason(first.credential), 'key.wrong', 'forgotten')
    assert.deepEqual(
      bench.callers
        .listKeys()
        .items[0]?.secrets.map(({ number, state, last_used }) => [number, state, last_used]),
      [
        [2, 'expired', '2026-01-21'],
        [3, 'live', '2026-01-21'],
      ],
    )
  })

  test('rotateKey refuses what has no life to go on with', (t) => {
    const bench = new Bench(t)
    const revoked = bench.make()
    bench.callers.revokeKey(revoked.kid)
    const expired = bench.make({ notAfter: START + DAY })
    const good = bench.make()
    bench.now = START + 2 * DAY
    const rows: readonly (readonly [why: string, kid: string, overlap: number | undefined, code: string])[] =
      [
        ['revoked', revoked.kid, undefined, 'key.conflicting'],
        ['expired', expired.kid, undefined, 'key.conflicting'],
        ['unknown', newKid(), undefined, 'key.unknown'],
        ['below zero', good.kid, -1, 'input.invalid'],
        ['over a week', good.kid, 8 * DAY, 'input.invalid'],
        ['a fraction', good.kid, 0.5, 'input.invalid'],
      ]
    for (const [why, kid, overlap, code] of rows)
      assert.throws(() => bench.callers.rotateKey(kid, overlap), { code }, why)
  })

  test('createKey refuses terms outside the limits', (t) => {
    const bench = new Bench(t)
    bench.make({ name: 'a-person', kind: 'User' })
    const many = Array.from({ length: LIMITS.keyScopeNames + 1 }, (_, index) => `m${index}`)
    const rows: readonly (readonly [why: string, Partial<NewKey>, code: string])[] = [
      ['an empty name', { name: '' }, 'input.invalid'],
      ['upper case', { name: 'Demo' }, 'input.invalid'],
      ['a leading dash', { name: '-demo' }, 'input.invalid'],
      ['64 characters', { name: 'a'.repeat(64) }, 'input.invalid'],
      ['a line end', { name: 'demo\n' }, 'input.invalid'],
      ['over 90 days', { notAfter: START + 90 * DAY + 1 }, 'input.invalid'],
      ['an end in the past', { notAfter: START }, 'input.invalid'],
      ['an end before the start', { notBefore: START + 9, notAfter: START + 9 }, 'input.invalid'],
      ['no number', { notAfter: Number.NaN }, 'input.invalid'],
      ['no number either', { notBefore: Number.POSITIVE_INFINITY }, 'input.invalid'],
      ['a name for an address', { addresses: ['localhost'] }, 'input.invalid'],
      ['a prefix too long', { addresses: ['10.0.0.0/33'] }, 'input.invalid'],
      ['a prefix that is no number', { addresses: ['10.0.0.0/ 8'] }, 'input.invalid'],
      ['two slashes', { addresses: ['10.0.0.0/8/8'] }, 'input.invalid'],
      ['an IPv4 range as IPv6', { addresses: ['::ffff:10.0.0.0/104'] }, 'input.invalid'],
      ['a zone', { addresses: ['fe80::1%eth0'] }, 'input.invalid'],
      ['too many ranges', { addresses: Array.from({ length: 101 }, () => '10.0.0.0/8') }, 'input.invalid'],
      ['too many models', { models: many }, 'input.invalid'],
      ['an empty model name', { models: [''] }, 'input.invalid'],
      ['a space in an action', { actions: ['model infer'] }, 'input.invalid'],
      ['the name of a caller of another kind', { name: 'a-person', kind: 'Service' }, 'key.conflicting'],
    ]
    for (const [why, asked, code] of rows) assert.throws(() => bench.make(asked), { code }, why)
    assert.equal(bench.callers.listKeys().items.length, 1)
  })

  test('listKeys shows everything but what proves', (t) => {
    const bench = new Bench(t)
    const { kid, text } = bench.make({
      environment: 'test',
      models: ['echo', 'echo'],
      addresses: ['127.0.0.0/8'],
    })
    bench.make({ name: 'late', notBefore: START + DAY })
    const [key, late] = bench.callers.listKeys().items
    assert.deepEqual(key, {
      kid,
      environment: 'test',
      caller: 'demo',
      kind: 'Service',
      state: 'live',
      models: ['echo'],
      actions: null,
      addresses: ['127.0.0.0/8'],
      limits: null,
      not_before: START,
      created_at: START,
      created_by: 'System::"operator"',
      revoked_at: null,
      secrets: [
        { number: 1, state: 'live', created_at: START, not_after: START + 90 * DAY, last_used: null },
      ],
    })
    assert.equal(late?.state, 'pending')
    assert.ok(!JSON.stringify(bench.callers.listKeys().items).includes(text.slice(23, 55)))
  })

  test('createKey leaves no secret on disk: only its keyed hash', (t) => {
    const bench = new Bench(t)
    const { text } = bench.make()
    const secret = text.slice(23, 55)
    for (const name of readdirSync(bench.folder))
      assert.equal(readFileSync(join(bench.folder, name)).includes(secret), false, name)
  })

  test('last use is written off the path of requests, once a day for each secret', (t) => {
    const bench = new Bench(t)
    const { credential } = bench.make()
    for (let use = 0; use < 5; use++) bench.reason(credential)
    assert.equal(bench.waiting.length, 1)
    bench.waiting.pop()?.()
    for (let use = 0; use < 5; use++) bench.reason(credential)
    assert.equal(bench.waiting.length, 0, 'nothing more today')
    const second = bench.open()
    assert.equal(second.listKeys().items[0]?.secrets[0]?.last_used, '2026-01-10')
    second.close()
  })

  test('openCallers refuses a home whose pepper is gone: its keys could never match again', (t) => {
    const bench = new Bench(t)
    bench.make()
    const other: Peppers = { ...PEPPERS, current: '2', has: (id) => id === '2' }
    assert.throws(() => bench.open(other), { code: 'home.damaged' })
  })

  test('openCallers does without the pepper of keys that have ended, and refuses them as before', (t) => {
    const bench = new Bench(t)
    const [revoked, expired] = [bench.make(), bench.make({ notAfter: START + DAY })]
    bench.callers.revokeKey(revoked.kid)
    bench.callers.close()
    bench.now = START + 2 * DAY
    bench.callers = bench.open({
      current: '2',
      has: (id) => id === '2',
      mac: (id, text) => {
        assert.equal(id, '2')
        return hmacSha256(new Uint8Array(32), text)
      },
    })
    for (const { credential } of [revoked, expired]) assert.equal(bench.reason(credential), 'key.wrong')
  })

  test('openCallers refuses a key that it cannot read', (t) => {
    const rows: readonly (readonly [why: string, sql: string])[] = [
      ['a scope that is no list', `UPDATE key SET models = '{}'`],
      ['a scope that is no JSON', `UPDATE key SET actions = '['`],
      ['a range that is none', `UPDATE key SET addresses = '["?"]'`],
    ]
    for (const [why, sql] of rows) {
      const bench = new Bench(t)
      bench.make()
      const database = openDatabase(join(bench.folder, 'state.db'))
      database.prepare(sql).run()
      database.close()
      assert.throws(() => bench.open(), { code: 'home.damaged' }, why)
    }
  })

  test('openCallers keeps all that was made, over a restart', (t) => {
    const bench = new Bench(t)
    const keys = [
      bench.make({ name: 'first', models: [], actions: ['model:list'] }),
      bench.make({ name: 'someone', kind: 'User', environment: 'test', addresses: ['127.0.0.1'] }),
    ]
    const callersOf = () => keys.map(({ credential }) => bench.callers.authenticate(credential, HERE).caller)
    const before = callersOf()
    const listed = bench.callers.listKeys().items
    bench.restart()
    assert.deepEqual(callersOf(), before)
    assert.deepEqual(bench.callers.listKeys().items, listed)
  })

  test('openCallers needs the pepper of a key as long as any of its secrets lives', (t) => {
    const bench = new Bench(t)
    const { kid } = bench.make()
    bench.callers.rotateKey(kid, DAY)
    bench.now = START + 2 * DAY
    const other: Peppers = { ...PEPPERS, current: '2', has: (id) => id === '2' }
    const gone = { code: 'home.damaged', detail: { kid, pepper: '1' } }
    assert.throws(() => bench.open(other), gone, 'the older one has ended, the newer one has not')
    const [, newer] = bench.callers.listKeys().items[0]?.secrets ?? []
    assert.ok(newer !== undefined)
    bench.now = newer.not_after - 1
    assert.throws(() => bench.open(other), gone, 'its last moment')
    bench.now = newer.not_after
    bench.open(other).close()
  })

  test('revokeKey keeps the time of the first revocation, over a restart too', (t) => {
    const bench = new Bench(t)
    const { kid } = bench.make()
    assert.equal(bench.callers.revokeKey(kid).revoked_at, START)
    bench.now = START + DAY
    assert.equal(bench.callers.revokeKey(kid).revoked_at, START)
    bench.restart()
    assert.equal(bench.callers.listKeys().items[0]?.revoked_at, START)
  })

  test('rotateKey gives as long a life as the key had, counted from when it begins', (t) => {
    const bench = new Bench(t)
    const { kid } = bench.make({ notBefore: START + 10 * DAY, notAfter: START + 20 * DAY })
    bench.now = START + DAY
    assert.equal(bench.callers.rotateKey(kid).notAfter, START + 20 * DAY, 'it has not begun yet')
    bench.now = START + 15 * DAY
    assert.equal(bench.callers.rotateKey(kid).notAfter, START + 25 * DAY, 'the second secret had ten days')
  })

  test('rotateKey lets the older secret go on for a week at most', (t) => {
    const bench = new Bench(t)
    const { kid } = bench.make()
    assert.throws(() => bench.callers.rotateKey(kid, 7 * DAY + 1), {
      code: 'input.invalid',
      detail: { field: 'overlap' },
    })
    bench.callers.rotateKey(kid, 7 * DAY)
    const ends = bench.callers.listKeys().items[0]?.secrets.map(({ not_after }) => not_after)
    assert.deepEqual(ends, [START + 7 * DAY, START + 90 * DAY])
  })

  test('recheck looks at the very secret that was used, before and after a rotation', (t) => {
    const bench = new Bench(t)
    const { kid, credential } = bench.make()
    const byOlder = bench.callers.authenticate(credential, HERE)
    const { key } = bench.callers.rotateKey(kid, DAY)
    const byNewer = bench.callers.authenticate({ kind: 'bearer', token: key }, HERE)
    byOlder.recheck()
    byNewer.recheck()
    bench.now = START + DAY
    assert.throws(() => byOlder.recheck(), { code: 'caller.unknown', detail: { reason: 'key.expired', kid } })
    byNewer.recheck()
    bench.callers.revokeKey(kid)
    assert.throws(() => byNewer.recheck(), { code: 'caller.unknown', detail: { reason: 'key.revoked', kid } })
  })
})
