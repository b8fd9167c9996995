import assert from 'node:assert/strict'
import { describe, test, type TestContext } from 'node:test'
import { Fault } from '#base/fault.ts'
import { Sealed } from '#base/sealed.ts'
import { AdminBench } from '../../../../test/support/admin_bench.ts'
import { ProofMaker } from '../../../../test/support/proof_maker.ts'
import { ProofNonces } from '../possession/proof_nonces.ts'
import { Proofs } from '../possession/proofs.ts'
import { SpentProofs } from '../possession/spent_proofs.ts'
import { SignatureChecks } from '../tokens/check_signature.ts'
import { TokenAuthenticator } from '../tokens/token_authenticator.ts'
import type { Unproven } from '../unproven.ts'
import type { IssuedFacts } from './issued_claims.ts'
import { ownIssuer } from './own_issuer.ts'
import { Subjects, withSubjects } from './subjects.ts'
import { TokenKeys, type KeptTokenKey } from './token_keys.ts'
import { TokenWriter } from './token_writer.ts'

const DOOR = 'https://gate.example'
/** An address that no key may be used from. */
const OUTSIDE = '192.0.2.1'
const FACTS: IssuedFacts = {
  subject: { kind: 'User', name: 'ann', groups: ['staff'], roles: [], space: undefined, tenant: undefined },
  records: {},
  audience: DOOR,
  client: 'ci',
  actors: ['ci'],
  assurance: { aal: 2, acr: 'urn:mfa', amr: ['otp'], authTime: 5 },
  scopes: undefined,
  scope: { models: ['echo'], actions: undefined },
  kids: [],
  confirmation: undefined,
}

/** A door with callers on a real database, and what makes and checks its own tokens. */
async function scene(t: TestContext) {
  const bench = new AdminBench(t)
  const { clock, callers, directory } = bench
  const kept: KeptTokenKey[] = []
  const keys = await TokenKeys.open(
    { load: () => kept, add: (key) => void kept.push(key), remove: () => undefined },
    clock,
  )
  const ended = new Map<string, Unproven>()
  const own = {
    issuer: DOOR,
    keys: keys.source,
    keyObjection: (kid: string, address: string | undefined) =>
      ended.get(kid) ?? (address === OUTSIDE ? 'key.address_outside' : undefined),
    limitsOf: () => undefined,
    directory,
  }
  const checks = new SignatureChecks()
  const nonces = new ProofNonces(clock)
  const proofs = new Proofs({ clock, nonces, spent: new SpentProofs(clock), checks })
  const shared = { directory, clock, checks }
  const audiences = new Set([DOOR, 'payments'])
  const tokens = new TokenAuthenticator({
    ...shared,
    issuers: [ownIssuer({ ...own, audiences: new Set([DOOR]) })],
  })
  const subjects = new Subjects({
    tokens: new TokenAuthenticator({
      ...shared,
      issuers: [ownIssuer({ ...own, audiences })],
    }),
    keys: callers,
    keyEnd: (kid) => Math.max(...callers.findKey(kid).secrets.map((secret) => secret.not_after)),
    proofs,
    clock,
    directory,
    workloadIssuers: new Set(),
    ownAudience: DOOR,
  })
  const writer = new TokenWriter(DOOR, keys, clock)
  const write = async (facts: Partial<IssuedFacts> = {}, seconds = 300): Promise<Sealed> =>
    (await writer.write({ ...FACTS, ...facts }, seconds)).token
  return { bench, keys, ended, tokens, subjects, write, nonces }
}

function reasonOf(thrown: unknown): unknown {
  assert.ok(thrown instanceof Fault)
  return thrown.detail['reason']
}

describe('tokens of ours at the door', () => {
  test('prove their subject, with what was known of it and no more', async (t) => {
    const { tokens, write } = await scene(t)
    const verified = await tokens.verify(await write())
    const { caller } = verified.hold()
    assert.deepEqual(
      {
        ref: caller.ref,
        scope: caller.scope,
        assurance: caller.assurance,
        actors: caller.evidence['actors'],
        groups: caller.entities.some(({ parents }) => parents.some(({ id }) => id === 'staff')),
      },
      {
        ref: { type: 'User', id: 'ann' },
        scope: { models: ['echo'], actions: undefined },
        assurance: {
          aal: 2,
          acr: 'urn:mfa',
          amr: ['otp'],
          authTime: 5,
          actors: ['ci'],
          via: 'exchange',
          binding: 'none',
        },
        actors: ['ci'],
        groups: true,
      },
    )
  })

  test('have a scope that names actions, inside that of the key', async (t) => {
    const { tokens, write } = await scene(t)
    const scopes = ['model:infer', 'model:list']
    const actionsOf = async (facts: Partial<IssuedFacts>): Promise<readonly string[] | undefined> =>
      (await tokens.verify(await write(facts))).hold().caller.scope.actions
    assert.deepEqual(await actionsOf({ scopes }), scopes)
    assert.deepEqual(
      await actionsOf({ scopes, scope: { models: undefined, actions: ['model:list', 'x:y'] } }),
      ['model:list'],
    )
    assert.deepEqual(await actionsOf({ scopes: [] }), [])
  })

  test('end with their time, their caller, their actors, and the keys that they were made with', async (t) => {
    const { bench, tokens, write, ended } = await scene(t)
    const { directory, clock } = bench
    const ci = directory.createCaller({ name: 'ci', kind: 'Service', createdBy: '' }).make()
    const ann = directory.createCaller({ name: 'ann', kind: 'User', createdBy: '' }).make()
    const records = { ann: ann.id, ci: ci.id }
    const verified = await tokens.verify(await write({ kids: ['kid000000001'], records }))
    const reason = (): unknown => {
      try {
        verified.hold()
        return 'holds'
      } catch (thrown) {
        return reasonOf(thrown)
      }
    }
    assert.equal(reason(), 'holds')
    for (const caller of [ann, ci]) {
      directory.setActive(caller, false).make()
      assert.equal(reason(), 'caller.disabled', caller.name)
      directory.setActive(caller, true).make()
      assert.equal(reason(), 'holds')
    }
    ended.set('kid000000001', 'key.revoked')
    assert.equal(reason(), 'key.revoked')
    ended.clear()
    directory.deleteCaller(ci).make()
    assert.equal(reason(), 'actor.unknown')
    directory.createCaller({ name: 'ci', kind: 'Service', createdBy: '' }).make()
    assert.equal(reason(), 'actor.unknown', 'another one has the name')
    directory.deleteCaller(ann).make()
    assert.equal(reason(), 'user.unknown')
    directory.createCaller({ name: 'ann', kind: 'User', createdBy: '' }).make()
    assert.equal(reason(), 'user.unknown', 'another one has the name')
    clock.advance(360_000)
    assert.equal(reason(), 'token.expired')
  })

  test('open nothing where the keys that they were made with do not', async (t) => {
    const { tokens, write } = await scene(t)
    const verified = await tokens.verify(await write({ kids: ['kid000000001'] }))
    assert.throws(() => verified.hold(OUTSIDE), {
      detail: { issuer: 'gatehouse', user: 'ann', reason: 'key.address_outside' },
    })
    assert.equal(verified.hold('192.0.2.2').recheck().ref.id, 'ann')
    const unbound = await tokens.verify(await write())
    assert.equal(unbound.hold(OUTSIDE).caller.ref.id, 'ann', 'no key, no addresses')
  })

  test('are refused for another audience, of another type, and with a longer life than we give', async (t) => {
    const { tokens, write } = await scene(t)
    const cases = [
      [await write({ audience: 'payments' }), 'token.audience'],
      [await write({}, 901), 'token.lifetime'],
    ] as const
    for (const [token, reason] of cases)
      await assert.rejects(async () => tokens.verify(token), { detail: { issuer: 'gatehouse', reason } })
  })
})

describe('Subjects', () => {
  test('prove tokens for every audience of ours, whose scopes are not actions here', async (t) => {
    const { subjects, write } = await scene(t)
    const held = await subjects.prove(await write({ audience: 'payments', scopes: ['read'] }), '127.0.0.1')
    assert.deepEqual(
      [
        held.issuer,
        held.claims['aud'],
        held.isWorkload,
        held.proven.caller.scope.actions,
        held.identity.groups,
      ],
      ['gatehouse', 'payments', false, undefined, ['staff']],
    )
    assert.equal(held.expiresAt > 0, true)
  })

  test('prove tokens for this door, whose scopes are actions here too', async (t) => {
    const { subjects, write } = await scene(t)
    const held = await subjects.prove(await write({ scopes: ['model:list'] }), '127.0.0.1')
    assert.deepEqual(held.proven.caller.scope.actions, ['model:list'])
  })

  test('refuse tokens that come from where the keys they were made with may not be used', async (t) => {
    const { subjects, write } = await scene(t)
    const token = await write({ kids: ['kid000000001'] })
    await assert.rejects(
      subjects.prove(token, OUTSIDE),
      (thrown) => reasonOf(thrown) === 'key.address_outside',
    )
  })

  test('end with a key at the latest', async (t) => {
    const { bench, subjects } = await scene(t)
    const { key, notAfter } = bench.callers.createKey({
      name: 'demo',
      createdBy: '',
      notAfter: bench.clock.now() + 600_000,
    })
    assert.equal((await subjects.prove(key, '127.0.0.1')).expiresAt, notAfter)
    const long = bench.callers.createKey({
      name: 'demo',
      createdBy: '',
      notAfter: bench.clock.now() + 3_600_000,
    })
    const most = bench.clock.now() + 900_000
    assert.equal((await subjects.prove(long.key, '127.0.0.1')).expiresAt, most)
  })

  test('prove keys, which are of workloads', async (t) => {
    const { bench, subjects } = await scene(t)
    const { key, kid } = bench.callers.createKey({ name: 'demo', createdBy: '' })
    const held = await subjects.prove(key, '127.0.0.1')
    const record = bench.directory.find('demo')?.id
    assert.deepEqual(
      [held.issuer, held.isWorkload, held.proven.caller.kid, held.record],
      [undefined, true, kid, record],
    )
    assert.deepEqual([subjects.looksReal(key), subjects.looksReal(new Sealed('x'))], [true, false])
    await assert.rejects(async () => subjects.prove(new Sealed('gate_x'), '127.0.0.1'), {
      code: 'caller.unknown',
    })
  })

  test('prove a sender that has nothing else by a token for this door alone, with the key that it is bound to', async (t) => {
    const { bench, subjects, write, nonces } = await scene(t)
    const maker = await ProofMaker.make()
    maker.nonce = nonces.current()
    const url = `${DOOR}/oauth/token`
    const proof = async () => ({
      jwt: new Sealed(await maker.make('POST', url, { now: bench.clock.now() })),
      method: 'POST',
      url,
    })
    const bound = await write({ confirmation: { jkt: maker.jkt, x5t: undefined } })
    const alone = async (
      token: Sealed,
      shown: Awaited<ReturnType<typeof proof>> | undefined,
    ): Promise<unknown> => {
      try {
        const proving = withSubjects(
          { authenticate: () => assert.fail(), looksReal: () => assert.fail() },
          subjects,
        )
        const credential = { kind: 'subject', token, proof: shown, certificate: undefined } as const
        assert.equal(proving.looksReal(credential), true)
        return (await proving.authenticate(credential, '127.0.0.1')).caller.ref.id
      } catch (thrown) {
        return reasonOf(thrown)
      }
    }
    assert.equal(await alone(await write(), undefined), 'ann')
    assert.equal(await alone(await write({ audience: 'payments' }), undefined), 'token.audience')
    assert.equal(await alone(bound, undefined), 'token.binding')
    assert.equal(await alone(bound, await proof()), 'ann')
  })

  test('leave every other credential to others', async (t) => {
    const { subjects } = await scene(t)
    const asked: string[] = []
    const proving = withSubjects(
      {
        authenticate: ({ kind }) => {
          asked.push(kind)
          throw new Fault('caller.unknown')
        },
        looksReal: ({ kind }) => asked.push(kind) > 0,
      },
      subjects,
    )
    assert.throws(() => proving.authenticate({ kind: 'none' }, ''), { code: 'caller.unknown' })
    assert.equal(proving.looksReal({ kind: 'malformed' }), true)
    assert.deepEqual(asked, ['none', 'malformed'])
  })
})
