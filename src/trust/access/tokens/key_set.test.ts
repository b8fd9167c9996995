import { exportJWK, generateKeyPair, type JWK } from 'jose'
import assert from 'node:assert/strict'
import { before, test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { makeIssuerKey } from '../../../../test/fakes/issuer.ts'
import { ALGORITHM_NAMES } from './algorithms.ts'
import { readKeySet, selectKey } from './key_set.ts'

const ALL: ReadonlySet<string> = new Set(ALGORITHM_NAMES)
const bytesOf = (value: unknown): Uint8Array => utf8(JSON.stringify(value))
const readKeys = async (...keys: readonly unknown[]) => readKeySet(bytesOf({ keys }), ALL)

let ec: JWK
let rsa: JWK
before(async () => {
  ec = (await makeIssuerKey('ec-1')).publicJwk
  rsa = (await makeIssuerKey('rsa-1', 'RS256')).publicJwk
})

test('readKeySet imports a key for each algorithm that it can serve', async () => {
  const keys = await Promise.all(
    ALGORITHM_NAMES.map(async (name) => (await makeIssuerKey(name, name)).publicJwk),
  )
  const { keys: read, count, ignored } = await readKeys(...keys, { ...rsa, alg: undefined, kid: 'both' })
  assert.deepEqual(ignored, [])
  assert.equal(count, ALGORITHM_NAMES.length + 1)
  const names = read.map(({ kid, algorithm }) => `${kid}:${algorithm}`)
  // Two names of one algorithm (RFC 9864), and one key without a name for two.
  for (const name of ALGORITHM_NAMES) assert.ok(names.includes(`${name}:${name}`), name)
  assert.ok(names.includes('EdDSA:Ed25519') && names.includes('Ed25519:EdDSA'))
  assert.ok(names.includes('both:PS256') && names.includes('both:RS256'))
  assert.equal(names.length, ALGORITHM_NAMES.length + 4)
})

test('readKeySet takes what is said beside a key for no other key', async () => {
  const [first, second] = [await readKeys(ec), await readKeys({ ...ec, x5c: ['AAAA'], x5t: 'x' })]
  assert.equal(first.keys[0]?.print, second.keys[0]?.print)
  assert.notEqual(first.keys[0]?.print, (await readKeys({ ...ec, kid: 'other' })).keys[0]?.print)
})

async function weakRsa(bits: number): Promise<JWK> {
  // jose makes none so short.
  const { publicKey } = await crypto.subtle.generateKey(
    {
      name: 'RSASSA-PKCS1-v1_5',
      hash: 'SHA-256',
      modulusLength: bits,
      publicExponent: new Uint8Array([1, 0, 1]),
    },
    true,
    ['sign', 'verify'],
  )
  return { ...(await exportJWK(publicKey)), kid: 'weak' }
}

const IGNORED: readonly (readonly [why: string, key: () => unknown, says: RegExp])[] = [
  ['it is a text', () => 'key', /no object/],
  ['it is a shared secret', () => ({ kty: 'oct', k: 'c2VjcmV0', kid: 'x' }), /shared secret/],
  ['its private part is there', () => ({ ...ec, d: 'AAAA' }), /private part/],
  ['it is for encryption', () => ({ ...ec, use: 'enc' }), /not for signatures/],
  ['it is for other operations', () => ({ ...ec, key_ops: ['encrypt'] }), /not for checking/],
  ['its operations are no list', () => ({ ...ec, key_ops: 'verify' }), /not for checking/],
  ['it is of another algorithm', () => ({ ...ec, alg: 'ES512' }), /other algorithms/],
  ['its curve is another one', () => ({ ...ec, crv: 'secp256k1', alg: undefined }), /other algorithms/],
  ['its curve does not fit its algorithm', () => ({ ...ec, alg: 'ES384' }), /other algorithms/],
  ['its point is not on the curve', () => ({ ...ec, y: ec.x }), /cannot be read/],
  ['a part of it is missing', () => ({ ...ec, y: undefined }), /cannot be read/],
  ['its id is a number', () => ({ ...ec, kid: 1 }), /"kid"/],
  ['its id is empty', () => ({ ...ec, kid: '' }), /"kid"/],
  ['its exponent is 1', () => ({ ...rsa, e: 'AQ' }), /exponent/],
  ['its exponent is even', () => ({ ...rsa, e: 'AQAA' }), /exponent/],
  ['its exponent makes each check slow', () => ({ ...rsa, e: `${'_'.repeat(12)}w` }), /exponent/],
  ['its exponent is missing', () => ({ ...rsa, e: undefined }), /exponent/],
  [
    'zeros in front make no longer key',
    () => ({ ...rsa, n: `${'A'.repeat(200)}${'_'.repeat(100)}` }),
    /fewer than 2048/,
  ],
  ['it is far too long', () => ({ ...rsa, n: '_'.repeat(2_000) }), /more than 8192/],
  ['its type is unknown', () => ({ kty: 'XYZ' }), /other algorithms/],
]

for (const [why, key, says] of IGNORED)
  test(`readKeySet leaves a key out and says so: ${why}`, async () => {
    const { keys, ignored } = await readKeys(key(), { ...ec, kid: 'good' })
    assert.deepEqual(new Set(keys.map(({ kid }) => kid)), new Set(['good']))
    assert.match(ignored[0] ?? '', says)
  })

test('readKeySet leaves RSA below 2,048 bits out', async () => {
  assert.match((await readKeys(await weakRsa(1_024))).ignored[0] ?? '', /fewer than 2048/)
  assert.equal((await readKeys(await weakRsa(2_048))).count, 1)
})

test('readKeySet leaves out what the issuer may not sign with', async () => {
  const { keys, ignored } = await readKeySet(bytesOf({ keys: [ec, rsa] }), new Set(['ES256']))
  assert.deepEqual(
    keys.map(({ kid }) => kid),
    ['ec-1'],
  )
  assert.match(ignored[0] ?? '', /key 2 is not used: it is for other algorithms/)
})

for (const [why, text] of [
  ['it is no JSON', 'keys'],
  ['it is a list', '[]'],
  ['it has no keys', '{}'],
  ['its keys are no list', '{"keys":{}}'],
  ['it has a member twice', '{"keys":[],"keys":[]}'],
  ['it has too many', JSON.stringify({ keys: Array.from({ length: 101 }, () => ({})) })],
  ['it is nested too deep', `{"keys":[${'['.repeat(20)}${']'.repeat(20)}]}`],
] as const)
  test(`readKeySet refuses a set: ${why}`, async () => {
    await assert.rejects(
      readKeySet(utf8(text), ALL),
      (thrown) => thrown instanceof Fault && thrown.code === 'input.invalid',
    )
  })

test('selectKey finds the one key that is meant, and none where that is not clear', async () => {
  const { publicKey } = await generateKeyPair('ES256')
  const other = { ...(await exportJWK(publicKey)), kid: 'ec-2' }
  const set = await readKeys(ec, rsa, other)
  const find = (kid: string | undefined, algorithm: string) => {
    const found = selectKey(set, { kid, algorithm })
    return typeof found === 'object' ? found.kid : found
  }
  assert.equal(find('ec-1', 'ES256'), 'ec-1')
  assert.equal(find('ec-2', 'ES256'), 'ec-2')
  assert.equal(find('rsa-1', 'RS256'), 'rsa-1')
  assert.equal(find('rsa-1', 'PS256'), undefined, 'the key says RS256')
  assert.equal(find('ec-1', 'RS256'), undefined, 'the key is of another type')
  assert.equal(find('ec-3', 'ES256'), undefined)
  assert.equal(find(undefined, 'ES256'), 'missing')
  assert.equal(
    selectKey(await readKeys(ec, { ...other, kid: 'ec-1' }), { kid: 'ec-1', algorithm: 'ES256' }),
    undefined,
  )
  const single = selectKey(await readKeys(ec), { kid: undefined, algorithm: 'ES256' })
  assert.equal(typeof single === 'object' ? single.kid : single, 'ec-1')
})
