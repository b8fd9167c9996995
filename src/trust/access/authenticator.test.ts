import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Sealed } from '#base/sealed.ts'
import { bearer, outcomeOf, tokenScene, type TokenScene } from '../../../test/support/token_scene.ts'
import type { CheckBinding } from './authenticator.ts'
import type { ClientCertificate, PossessionProof, Presented } from './caller.ts'
import { unproven } from './unproven.ts'

const SERVICES = { path: ['client_id'], prefix: '', names: undefined, when: 'subject' } as const

let scene: TokenScene
before(async () => {
  scene = await tokenScene({ map: { services: SERVICES } })
})
after(async () => scene.close())

function keyOf(on: TokenScene, name: string, more: object = {}): string {
  const { key } = on.callers.createKey({ name, createdBy: 'System::"operator"', ...more })
  return key.open((text) => text)
}

function presented(...texts: readonly string[]): Presented {
  return {
    kind: 'presented',
    tokens: texts.map((text) => ({ scheme: 'bearer', token: new Sealed(text) })),
    proof: undefined,
    certificate: undefined,
  }
}

test('a key and a token of the same caller go together, within the scope of the key', async () => {
  const key = keyOf(scene, 'robot', { models: ['echo'] })
  const token = await scene.token({ sub: 'robot', client_id: 'robot' })
  for (const both of [presented(key, token), presented(token, key)]) {
    const { caller } = await scene.prove(both)
    assert.deepEqual(caller.ref, { type: 'Service', id: 'robot' })
    assert.deepEqual(caller.scope.models, ['echo'])
    assert.equal(caller.kid, (await scene.prove(key)).caller.kid)
    assert.equal(caller.assurance.via, 'token')
    assert.equal(caller.evidence['issuer'], 'corp')
  }
})

test('what came together is looked at together, and stays the same while nothing changes', async () => {
  const made = scene.callers.createKey({ name: 'robot', createdBy: 'System::"operator"' })
  const token = await scene.token({ sub: 'robot', client_id: 'robot' })
  const proven = await scene.prove(
    presented(
      made.key.open((text) => text),
      token,
    ),
  )
  assert.equal(proven.recheck(), proven.caller)
  scene.callers.revokeKey(made.kid)
  assert.equal(await outcomeOf(() => proven.recheck()), 'key.revoked')
})

test('a bad credential beside a good one refuses the request', async () => {
  const key = keyOf(scene, 'robot')
  const robot = { sub: 'robot', client_id: 'robot' }
  const token = await scene.token(robot)
  const forged = `${token.slice(0, -8)}AAAAAAAA`
  const unknown = 'gate_live_000000000000_00000000000000000000000000000000_000000'
  for (const [why, both, reason] of [
    ['the token is forged', presented(key, forged), 'token.signature'],
    ['the token is forged', presented(forged, key), 'token.signature'],
    ['the key is unknown', presented(unknown, token), 'key.unknown'],
    ['the key is unknown', presented(token, unknown), 'key.unknown'],
    ['one is nothing', presented(token, 'nothing'), 'key.unknown'],
    ['one only looks like a token', presented(key, 'a.b'), 'token.form'],
    ['the token is of another', presented(key, await scene.token()), 'credential.conflicting'],
    ['the key is of another', presented(token, keyOf(scene, 'other')), 'credential.conflicting'],
    ['two keys of one caller', presented(key, keyOf(scene, 'robot')), 'credential.conflicting'],
    ['nothing came', presented(), 'credential.missing'],
  ] as const)
    assert.equal(await scene.outcome(both), reason, why)
  assert.equal(await scene.outcome(presented(token, await scene.token(robot))), 'Service::"robot"')
})

test('a user of a token is never a service of a key by the same name', async () => {
  assert.equal(
    await scene.outcome(presented(keyOf(scene, 'alice-bot'), await scene.token({ sub: 'alice-bot' }))),
    'caller.service',
  )
})

test('the name beside a token must be that of its caller', async () => {
  const named = (owner: string, text: string): Presented => ({
    ...presented(),
    tokens: [{ scheme: 'bearer', token: new Sealed(text), owner }],
  })
  assert.equal(await scene.outcome(named('robot', keyOf(scene, 'robot'))), 'Service::"robot"')
  assert.equal(await scene.outcome(named('other', keyOf(scene, 'robot'))), 'token.owner')
})

test('a token that comes to be exchanged proves its caller as any other', async () => {
  const token = new Sealed(await scene.token())
  const subject = { kind: 'subject', token, proof: undefined, certificate: undefined } as const
  assert.equal(await scene.outcome(subject), 'User::"alice"')
  assert.equal(scene.authenticator.looksReal(subject), true)
})

const PROOF: PossessionProof = { jwt: new Sealed('x'), method: 'POST', url: 'https://door.example/' }
const CERTIFICATE: ClientCertificate = {
  thumbprint: 'thumb',
  subject: 'CN=x',
  uris: [],
  dnsNames: [],
  emails: [],
  notAfter: 0,
}

test('where nothing can be checked, what is bound or shown is refused', async () => {
  const bound = await scene.token({ cnf: { jkt: 'thumb' } })
  const plain = await scene.token()
  for (const [why, credential, reason] of [
    ['it is bound to a key', bearer(bound), 'token.binding'],
    [
      'it is bound to a certificate',
      bearer(await scene.token({ cnf: { 'x5t#S256': 'x' } })),
      'token.binding',
    ],
    ['it was verified before', bearer(bound), 'token.binding'],
    [
      'it is bound in a way that nobody knows',
      bearer(await scene.token({ cnf: { jwk: {} } })),
      'token.binding',
    ],
    ['it is bound to nothing', bearer(await scene.token({ cnf: {} })), 'token.binding'],
    ['its binding is a text', bearer(await scene.token({ cnf: 'x' })), 'token.binding'],
    ['a proof came', { ...presented(plain), proof: PROOF }, 'token.binding'],
    ['a certificate came', { ...presented(plain), certificate: CERTIFICATE }, 'token.binding'],
    [
      'the scheme wants a proof',
      { ...presented(), tokens: [{ scheme: 'dpop', token: new Sealed(plain) }] },
      'token.binding',
    ],
  ] as const)
    assert.equal(await scene.outcome(credential), reason, why)
})

test('what a token is bound to is checked with what the request shows', async () => {
  const seen: unknown[] = []
  const checkBinding: CheckBinding = async ({ certificate }, tokens) => {
    seen.push(tokens.map(({ kind, scheme, confirmation }) => [kind, scheme, confirmation?.x5t]))
    await Promise.resolve()
    for (const { confirmation } of tokens)
      if (confirmation !== undefined && confirmation.x5t !== certificate?.thumbprint)
        throw unproven('token.binding')
    return undefined
  }
  const bound = await tokenScene({ checkBinding })
  try {
    const text = await bound.token({ cnf: { 'x5t#S256': 'thumb' } })
    const shown = { ...presented(text), certificate: CERTIFICATE }
    assert.equal(await bound.outcome(shown), 'User::"alice"')
    assert.equal((await bound.prove(shown)).caller.assurance.binding, 'mtls')
    assert.equal(
      await bound.outcome({ ...shown, certificate: { ...CERTIFICATE, thumbprint: 'y' } }),
      'token.binding',
    )
    assert.equal(await bound.outcome(text), 'token.binding')
    assert.deepEqual(seen[0], [['token', 'bearer', 'thumb']])
  } finally {
    await bound.close()
  }
})

test('who a certificate proves must be who the token proves', async () => {
  const certified = await tokenScene({
    map: { services: SERVICES },
    checkBinding: ({ certificate }) => (certificate === undefined ? undefined : byCertificate()),
  })
  const byCertificate = () => certified.callers.authenticate(bearer(key), '127.0.0.1')
  const key = keyOf(certified, 'robot')
  try {
    const robot = await certified.token({ sub: 'robot', client_id: 'robot' })
    assert.equal(await certified.outcome({ ...presented(), certificate: CERTIFICATE }), 'Service::"robot"')
    assert.equal(
      await certified.outcome({ ...presented(robot), certificate: CERTIFICATE }),
      'Service::"robot"',
    )
    assert.equal(
      await certified.outcome({ ...presented(await certified.token()), certificate: CERTIFICATE }),
      'credential.conflicting',
    )
  } finally {
    await certified.close()
  }
})

test('looksReal judges keys as keys, and tokens as tokens', async () => {
  const { looksReal } = scene.authenticator
  assert.equal(looksReal(bearer(keyOf(scene, 'robot'))), true)
  assert.equal(looksReal(bearer(await scene.token())), true)
  assert.equal(looksReal(presented('nothing', await scene.token())), true)
  assert.equal(looksReal(presented('nothing')), false)
  assert.equal(looksReal({ kind: 'none' }), false)
  assert.equal(looksReal({ kind: 'socket' }), true)
})
