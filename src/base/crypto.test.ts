import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import fc from 'fast-check'
import { toHex, utf8 } from './bytes.ts'
import {
  deriveKey,
  ed25519PublicBytes,
  ed25519Signer,
  ed25519Verify,
  equalSecrets,
  hmacSha256,
  hmacSha256Latin1,
  md5Base64,
  ML_DSA_44_PUBLIC_BYTES,
  mlDsa44PublicBytes,
  mlDsa44Signer,
  mlDsa44Verify,
  newEd25519Pem,
  newMlDsa44Pem,
  openPiece,
  randomBytes,
  scryptKey,
  seal,
  sealPiece,
  sha256,
  sha256Hex,
  unseal,
} from './crypto.ts'
import { fixtureFolder, NO_CORPUS } from '../../test/support/fixtures.ts'

test('sha256 answers the vector of FIPS 180-4 for "abc"', () => {
  const expected = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.equal(sha256Hex('abc'), expected)
  assert.equal(toHex(sha256(utf8('abc'))), expected)
})

/** RFC 4231 section 4: keys shorter than a block, longer ones, and texts longer than a block. */
const HMAC_VECTORS: readonly [why: string, key: Uint8Array, message: Uint8Array, expected: string][] = [
  [
    'case 1, a key of 20 bytes',
    Buffer.alloc(20, 0x0b),
    utf8('Hi There'),
    'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7',
  ],
  [
    'case 2, a short key',
    utf8('Jefe'),
    utf8('what do ya want for nothing?'),
    '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
  ],
  [
    'case 3, bytes that are no text',
    Buffer.alloc(20, 0xaa),
    Buffer.alloc(50, 0xdd),
    '773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe',
  ],
  [
    'case 6, a key longer than a block',
    Buffer.alloc(131, 0xaa),
    utf8('Test Using Larger Than Block-Size Key - Hash Key First'),
    '60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54',
  ],
]

for (const [why, key, message, expected] of HMAC_VECTORS)
  test(`hmacSha256 answers the vector of RFC 4231: ${why}`, () => {
    assert.equal(toHex(hmacSha256(key, message)), expected)
  })

test('hmacSha256 is that of the engine: for any key and message, one call after another', () => {
  const message = fc.oneof(fc.string({ unit: 'binary' }), fc.uint8Array(), fc.constant('ü'.repeat(1_000)))
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 100 }), message, (key, text) => {
      const expected = createHmac('sha256', key).update(text).digest('hex')
      assert.equal(toHex(hmacSha256(key, text)), expected)
      assert.equal(Buffer.from(hmacSha256Latin1(key, text), 'latin1').toString('hex'), expected)
    }),
    { seed: 20_264 },
  )
})

test('deriveKey separates purposes and is stable', () => {
  const secret = randomBytes(32)
  assert.deepEqual(deriveKey(secret, 'a'), deriveKey(secret, 'a'))
  assert.notDeepEqual(deriveKey(secret, 'a'), deriveKey(secret, 'b'))
  assert.equal(deriveKey(secret, 'a', 16).length, 16)
})

test('equalSecrets compares content and refuses different lengths', () => {
  assert.equal(equalSecrets(utf8('same'), utf8('same')), true)
  assert.equal(equalSecrets(utf8('same'), utf8('sane')), false)
  assert.equal(equalSecrets(utf8('same'), utf8('sam')), false)
})

test('unseal opens only the untouched bytes, with the same key and bound data', () => {
  const key = randomBytes(32)
  const bound = utf8('place 1')
  const sealed = seal(key, utf8('plain'), bound)
  assert.equal(Buffer.from(unseal(key, sealed, bound) ?? []).toString(), 'plain')
  assert.equal(unseal(randomBytes(32), sealed, bound), undefined)
  assert.equal(unseal(key, sealed, utf8('place 2')), undefined)
  assert.equal(unseal(key, sealed.subarray(0, 20), bound), undefined)
  for (let index = 0; index < sealed.length; index += 1) {
    const changed = Uint8Array.from(sealed)
    changed[index] = (changed[index] ?? 0) ^ 1
    assert.equal(unseal(key, changed, bound), undefined, `byte ${String(index)}`)
  }
})

test('ed25519Verify accepts the signature of its key and nothing else', () => {
  const pem = newEd25519Pem()
  const publicBytes = ed25519PublicBytes(pem)
  const signature = ed25519Signer(pem)(utf8('message'))
  assert.equal(publicBytes.length, 32)
  assert.equal(ed25519Verify(publicBytes, utf8('message'), signature), true)
  assert.equal(ed25519Verify(publicBytes, utf8('massage'), signature), false)
  assert.equal(ed25519Verify(ed25519PublicBytes(newEd25519Pem()), utf8('message'), signature), false)
  assert.equal(ed25519Verify(publicBytes.subarray(1), utf8('message'), signature), false)
})

test('seal never uses a nonce twice: over several pools of them', () => {
  const key = randomBytes(32)
  const nonces = Array.from({ length: 1_000 }, () =>
    Buffer.from(seal(key, utf8('a'), utf8('b')).subarray(0, 12)).toString('hex'),
  )
  assert.equal(new Set(nonces).size, 1_000)
})

test('scryptKey answers the vector of RFC 7914 section 12', async () => {
  const key = await scryptKey(utf8('password'), utf8('NaCl'), { log2: 10, blocks: 8, lanes: 16 })
  assert.equal(toHex(key), 'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162')
})

test('openPiece opens what sealPiece made under the same nonce, and nothing else', () => {
  const [key, nonce, plain] = [Buffer.alloc(32, 1), Buffer.alloc(12, 2), utf8('a piece')]
  const sealed = sealPiece(key, nonce, plain)
  assert.deepEqual(Buffer.from(openPiece(key, nonce, sealed) ?? []), Buffer.from(plain))
  assert.equal(openPiece(key, Buffer.alloc(12, 3), sealed), undefined)
  assert.equal(openPiece(key, nonce, sealed.subarray(0, 15)), undefined)
})

test('mlDsa44Signer signs what mlDsa44Verify takes, and nothing else', async () => {
  const pem = newMlDsa44Pem()
  const key = mlDsa44PublicBytes(pem)
  const signature = await mlDsa44Signer(pem)(utf8('text'))
  assert.deepEqual([key.length, signature.length], [ML_DSA_44_PUBLIC_BYTES, 2_420])
  assert.equal(mlDsa44Verify(key, utf8('text'), signature), true)
  assert.equal(mlDsa44Verify(key, utf8('other'), signature), false)
  assert.equal(mlDsa44Verify(key, utf8('text'), signature.subarray(1)), false)
  assert.equal(mlDsa44Verify(key.subarray(1), utf8('text'), signature), false)
  assert.equal(mlDsa44Verify(mlDsa44PublicBytes(newMlDsa44Pem()), utf8('text'), signature), false)
  assert.throws(() => mlDsa44PublicBytes(newEd25519Pem()), TypeError)
})

test('md5Base64 answers the vector of RFC 1321 for "abc"', () => {
  assert.equal(md5Base64('abc'), 'kAFQmDzST7DWlj99KOF/cg==')
})

interface MlDsaVectors {
  readonly testGroups: readonly {
    readonly publicKey: string
    readonly tests: readonly { tcId: number; msg: string; sig: string; ctx?: string; result: string }[]
  }[]
}

const jose = fixtureFolder('jose')

test(
  'mlDsa44Verify answers as Wycheproof does: for all messages without a context',
  { skip: jose === undefined && NO_CORPUS },
  () => {
    const file = path.join(jose ?? '', 'mldsa_44_verify_test.json')
    const { testGroups } = JSON.parse(fs.readFileSync(file, 'utf8')) as MlDsaVectors
    let count = 0
    for (const { publicKey, tests } of testGroups)
      for (const { tcId, msg, sig, ctx = '', result } of tests) {
        // Notes are signed without one.
        if (ctx !== '') continue
        count += 1
        const [key, message, signature] = [publicKey, msg, sig].map((hex) => Buffer.from(hex, 'hex'))
        const isValid = mlDsa44Verify(key ?? NOTHING, message ?? NOTHING, signature ?? NOTHING)
        assert.equal(isValid, result === 'valid', `case ${tcId}`)
      }
    assert.ok(count > 100, `${count} cases`)
  },
)

const NOTHING = Buffer.alloc(0)
