import assert from 'node:assert/strict'
import { before, describe, test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import { StillClock } from '../../../../test/support/door_parts.ts'
import { ProofMaker, type ProofOrder } from '../../../../test/support/proof_maker.ts'
import { SignatureChecks } from '../tokens/check_signature.ts'
import { ProofNonces } from './proof_nonces.ts'
import { Proofs } from './proofs.ts'
import { SpentProofs } from './spent_proofs.ts'

const URL = 'https://gate.example/v1/models'
const TOKEN = 'the.access.token'

describe('Proofs', () => {
  const clock = new StillClock()
  const nonces = new ProofNonces(clock)
  const proofs = new Proofs({ clock, nonces, spent: new SpentProofs(clock), checks: new SignatureChecks() })
  let maker: ProofMaker

  before(async () => {
    maker = await ProofMaker.make()
    maker.nonce = nonces.current()
  })

  const proofOf = async (order: ProofOrder = {}, method = 'GET', url = URL): Promise<string> =>
    maker.make(method, url, { now: clock.now(), token: TOKEN, ...order })

  const verify = async (jwt: string, token: string | undefined = TOKEN) =>
    proofs.verify({ jwt: new Sealed(jwt), method: 'GET', url: URL }, token)

  test('holds for a good proof, and says whose key it is', async () => {
    assert.equal((await verify(await proofOf())).jkt, maker.jkt)
  })

  test('takes the algorithms that it names and no others', async () => {
    for (const algorithm of ['ES256', 'EdDSA', 'PS256', 'RS256']) {
      const other = await ProofMaker.make(algorithm)
      other.nonce = nonces.current()
      const held = await verify(await other.make('GET', URL, { now: clock.now(), token: TOKEN }))
      assert.equal(held.jkt, other.jkt, algorithm)
    }
    const wrong = await ProofMaker.make('ES384')
    wrong.nonce = nonces.current()
    await assert.rejects(verify(await wrong.make('GET', URL, { now: clock.now(), token: TOKEN })), {
      code: 'caller.unknown',
      detail: { reason: 'proof.algorithm' },
    })
  })

  test('refuses with the reason', async () => {
    const seconds = Math.floor(clock.now() / 1_000)
    const swapped = (await proofOf()).split('.')
    const [, , signature = ''] = (await proofOf()).split('.')
    const other = await ProofMaker.make()
    const cases: readonly (readonly [why: string, proof: string, reason: string])[] = [
      ['no JWT', 'x', 'proof.form'],
      ['too long', await proofOf({ claims: { more: 'x'.repeat(4_096) } }), 'proof.form'],
      ['an access token', await proofOf({ header: { typ: 'at+jwt' } }), 'proof.type'],
      ['no type', await proofOf({ header: { typ: undefined } }), 'proof.type'],
      ['something critical', await proofOf({ header: { crit: ['b64'], b64: true } }), 'proof.form'],
      ['no id', await proofOf({ claims: { jti: undefined } }), 'proof.form'],
      ['an empty id', await proofOf({ claims: { jti: '' } }), 'proof.form'],
      ['a long id', await proofOf({ claims: { jti: 'x'.repeat(257) } }), 'proof.form'],
      ['an id that is no text', await proofOf({ claims: { jti: 1 } }), 'proof.form'],
      ['another method', await proofOf({}, 'POST'), 'proof.method'],
      ['the method in small letters', await proofOf({}, 'get'), 'proof.method'],
      ['another URL', await proofOf({}, 'GET', 'https://evil.example/v1/models'), 'proof.url'],
      ['no URL', await proofOf({ claims: { htu: undefined } }), 'proof.url'],
      ['too old', await proofOf({ claims: { iat: seconds - 61 } }), 'proof.time'],
      ['ahead', await proofOf({ claims: { iat: seconds + 62 } }), 'proof.time'],
      ['no time', await proofOf({ claims: { iat: undefined } }), 'proof.time'],
      ['a time that is no number', await proofOf({ claims: { iat: String(seconds) } }), 'proof.time'],
      ['no token', await proofOf({ claims: { ath: undefined } }), 'proof.token'],
      ['another token', await proofOf({ token: 'another' }), 'proof.token'],
      ['no key', await proofOf({ header: { jwk: undefined } }), 'proof.key'],
      ['a private key', await proofOf({ header: { jwk: { ...maker.jwk, d: 'AAAA' } } }), 'proof.key'],
      ['a key of another kind', await proofOf({ header: { jwk: { kty: 'oct', k: 'AAAA' } } }), 'proof.key'],
      ['the key of another one', await proofOf({ header: { jwk: other.jwk } }), 'proof.signature'],
      ['another signature', [swapped[0], swapped[1], signature].join('.'), 'proof.signature'],
    ]
    for (const [why, proof, reason] of cases)
      await assert.rejects(verify(proof), { code: 'caller.unknown', detail: { reason } }, why)
    await assert.rejects(
      proofs.verify({ jwt: new Sealed(await proofOf()), method: 'GET', url: URL }, undefined),
      {
        detail: { reason: 'proof.token' },
      },
    )
  })

  test('asks for a nonce that is new, before the work of a signature', async () => {
    const [head, body] = (await proofOf({ claims: { nonce: undefined } })).split('.')
    for (const proof of [
      await proofOf({ claims: { nonce: undefined } }),
      await proofOf({ claims: { nonce: 'AAAA' } }),
      await proofOf({ claims: { nonce: 1 } }),
      `${String(head)}.${String(body)}.AAAA`,
    ])
      await assert.rejects(verify(proof), { code: 'proof.nonce' })
  })

  test('spends each proof once', async () => {
    const held = await verify(await proofOf())
    proofs.spend(held)
    assert.throws(() => proofs.spend(held), { detail: { reason: 'proof.replayed' } })
  })
})

test('ProofNonces holds a nonce for five to ten minutes, and none of another door', () => {
  const clock = new StillClock()
  const nonces = new ProofNonces(clock)
  const first = nonces.current()
  assert.equal(nonces.current(), first)
  assert.equal(nonces.holds(first), true)
  assert.equal(new ProofNonces(clock).holds(first), false)
  clock.advance(300_000)
  const second = nonces.current()
  assert.notEqual(second, first)
  assert.deepEqual([nonces.holds(first), nonces.holds(second)], [true, true])
  clock.advance(300_000)
  assert.deepEqual([nonces.holds(first), nonces.holds(second)], [false, true])
  for (const other of ['', 'AAAA', `${second}A`, second.slice(1)]) assert.equal(nonces.holds(other), false)
})

test('SpentProofs remembers for two minutes and a little, for each key by itself', () => {
  const clock = new StillClock()
  const spent = new SpentProofs(clock)
  spent.spend('key', 'a')
  spent.spend('other', 'a')
  clock.advance(124_999)
  assert.throws(() => spent.spend('key', 'a'), { detail: { reason: 'proof.replayed' } })
  clock.advance(1)
  spent.spend('key', 'a')
  assert.equal(spent.size, 1)
})

test('SpentProofs refuses rather than forgets when it is full, and one key leaves room for others', () => {
  const clock = new StillClock()
  const spent = new SpentProofs(clock, 8)
  const most = (key: string): number => {
    for (let count = 0; ; count++)
      try {
        spent.spend(key, String(count))
      } catch (thrown) {
        assert.equal((thrown as { code: string }).code, 'load.exceeded')
        return count
      }
  }
  assert.deepEqual([most('greedy'), most('second'), most('third')], [4, 2, 1])
  assert.throws(() => spent.spend('greedy', '0'), { detail: { reason: 'proof.replayed' } })
  clock.advance(125_000)
  assert.equal(most('greedy'), 4)
  assert.equal(spent.size, 4)
})
