import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import { CALLER, proven, StillClock } from '../../../../test/support/door_parts.ts'
import type { BoundToken } from '../authenticator.ts'
import type { Caller, ClientCertificate, Possession, PossessionProof } from '../caller.ts'
import { unproven } from '../unproven.ts'
import { checkConfirmation, possessionCheck } from './check_possession.ts'

const OTHER: Caller = { ...CALLER, ref: { type: 'Service', id: 'other' }, kid: undefined }
const PROOF: PossessionProof = { jwt: new Sealed('proof of k1'), method: 'GET', url: 'https://gate.example/' }

interface Scene {
  readonly spent: readonly string[]
  readonly certificate: (thumbprint: string, name?: string) => ClientCertificate
  /** Who is proven, or why not. */
  readonly check: (possession: Partial<Possession>, tokens: readonly BoundToken[]) => Promise<string>
}

/** Every proof is of the key that its text names last; certificates are mapped by their DNS names. */
function scene(): Scene {
  const clock = new StillClock()
  const spent: string[] = []
  const check = possessionCheck({
    proofs: {
      verify: async (proof, token) => {
        assert.equal(token, 'the token')
        return Promise.resolve({ jkt: proof.jwt.open((text) => text.slice(-2)), jti: 'j' })
      },
      spend: ({ jkt }) => void spent.push(jkt),
    },
    rules: [
      { by: 'dns', name: 'other.example', caller: 'other' },
      { by: 'dns', name: 'both.example', caller: 'other' },
      { by: 'dns', name: 'both.example', caller: 'second' },
    ],
    callerNamed: (name) => {
      if (name !== 'other') throw unproven('certificate.unmapped')
      return proven(OTHER)
    },
    clock,
  })
  return {
    spent,
    certificate: (thumbprint, name = 'other.example') => ({
      thumbprint,
      subject: '',
      uris: [],
      dnsNames: [name],
      emails: [],
      notAfter: clock.now() + 1_000,
    }),
    check: async (possession, tokens) => {
      try {
        const found = await check({ proof: undefined, certificate: undefined, ...possession }, tokens)
        return found === undefined ? 'nobody' : found.caller.ref.id
      } catch (thrown) {
        return (thrown as { detail: { reason: string } }).detail.reason
      }
    },
  }
}

function token(
  bound: { readonly jkt?: string; readonly x5t?: string } | undefined,
  scheme: 'bearer' | 'dpop' = 'bearer',
): BoundToken {
  const confirmation = bound === undefined ? undefined : { jkt: bound.jkt, x5t: bound.x5t }
  return { kind: 'token', scheme, token: new Sealed('the token'), confirmation, proven: proven(CALLER) }
}

describe('possessionCheck', () => {
  test('wants all that is demanded shown, and all that is shown to hold', async () => {
    const { check, certificate } = scene()
    const plain = token(undefined)
    const cases: readonly (readonly [
      why: string,
      shown: Partial<Possession>,
      tokens: readonly BoundToken[],
      found: string,
    ])[] = [
      ['nothing bound and nothing shown', {}, [plain], 'nobody'],
      ['a proof of the right key', { proof: PROOF }, [token({ jkt: 'k1' }, 'dpop')], 'nobody'],
      ['a proof of another key', { proof: PROOF }, [token({ jkt: 'k2' }, 'dpop')], 'token.binding'],
      ['no proof', {}, [token({ jkt: 'k1' }, 'dpop')], 'proof.unbound'],
      ['as plain Bearer', {}, [token({ jkt: 'k1' })], 'proof.unbound'],
      ['a proof beside plain Bearer', { proof: PROOF }, [token({ jkt: 'k1' })], 'proof.unbound'],
      ['a proof with an unbound token', { proof: PROOF }, [token(undefined, 'dpop')], 'token.binding'],
      [
        'a proof with a token bound to a certificate',
        { proof: PROOF },
        [token({ x5t: 't1' }, 'dpop')],
        'token.binding',
      ],
      ['a proof and no token', { proof: PROOF }, [], 'proof.unbound'],
      [
        'two bound tokens',
        { proof: PROOF },
        [token({ jkt: 'k1' }, 'dpop'), token({ jkt: 'k1' }, 'dpop')],
        'proof.unbound',
      ],
      [
        'a bound one beside another bound one',
        { proof: PROOF },
        [token({ jkt: 'k1' }, 'dpop'), token({ jkt: 'k1' })],
        'proof.unbound',
      ],
      [
        'a bound one beside an unbound one',
        { proof: PROOF },
        [token({ jkt: 'k1' }, 'dpop'), plain],
        'nobody',
      ],
      [
        'the right certificate',
        { certificate: certificate('t1', 'nobody.example') },
        [token({ x5t: 't1' })],
        'demo',
      ],
      ['another certificate', { certificate: certificate('t2') }, [token({ x5t: 't1' })], 'token.binding'],
      ['no certificate', {}, [token({ x5t: 't1' })], 'token.binding'],
      [
        'bound to both, both shown',
        { proof: PROOF, certificate: certificate('t1') },
        [token({ jkt: 'k1', x5t: 't1' }, 'dpop')],
        'demo',
      ],
      [
        'bound to both, one shown',
        { proof: PROOF },
        [token({ jkt: 'k1', x5t: 't1' }, 'dpop')],
        'token.binding',
      ],
      ['a certificate beside what is bound to nothing', { certificate: certificate('t1') }, [plain], 'other'],
      ['a certificate alone', { certificate: certificate('t1') }, [], 'other'],
      [
        'a certificate of nobody',
        { certificate: certificate('t1', 'nobody.example') },
        [plain],
        'certificate.unmapped',
      ],
      [
        'a certificate of two',
        { certificate: certificate('t1', 'both.example') },
        [plain],
        'certificate.unmapped',
      ],
      [
        'a certificate that has ended',
        { certificate: { ...certificate('t1'), notAfter: 0 } },
        [token({ x5t: 't1' })],
        'certificate.expired',
      ],
    ]
    for (const [why, shown, tokens, found] of cases) assert.equal(await check(shown, tokens), found, why)
  })

  test('takes a proof only when all else holds', async () => {
    const { check, spent } = scene()
    await check({ proof: PROOF }, [token({ jkt: 'k2' }, 'dpop')])
    await check({ proof: PROOF }, [token({ jkt: 'k1', x5t: 't1' }, 'dpop')])
    assert.deepEqual(spent, [])
    await check({ proof: PROOF }, [token({ jkt: 'k1' }, 'dpop')])
    assert.deepEqual(spent, ['k1'])
  })

  test('looks at a certificate again for as long as a request goes on', async () => {
    for (const tokens of [[], [token({ x5t: 't1' })]]) {
      const clock = new StillClock()
      const check = possessionCheck({
        proofs: { verify: async () => Promise.reject(new Error('none')), spend: () => undefined },
        rules: [{ by: 'dns', name: 'other.example', caller: 'other' }],
        callerNamed: () => proven(OTHER),
        clock,
      })
      const { certificate } = scene()
      const found = await check({ proof: undefined, certificate: certificate('t1') }, tokens)
      clock.advance(999)
      assert.ok(found?.recheck())
      clock.advance(1)
      assert.throws(() => found?.recheck(), {
        code: 'caller.unknown',
        detail: { reason: 'certificate.expired' },
      })
    }
  })
})

test('checkConfirmation wants of a subject token what it is bound to', () => {
  const { certificate } = scene()
  const held = { jkt: 'k1', jti: 'j' }
  checkConfirmation(undefined, undefined, undefined)
  checkConfirmation({ jkt: 'k1', x5t: 't1' }, held, certificate('t1'))
  for (const [confirmation, proof, shown] of [
    [{ jkt: 'k1', x5t: undefined }, undefined, certificate('t1')],
    [{ jkt: 'k2', x5t: undefined }, held, undefined],
    [{ jkt: undefined, x5t: 't1' }, held, undefined],
    [{ jkt: undefined, x5t: 't1' }, undefined, certificate('t2')],
  ] as const)
    assert.throws(() => checkConfirmation(confirmation, proof, shown), {
      detail: { reason: 'token.binding' },
    })
})
