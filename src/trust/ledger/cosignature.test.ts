import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { test } from 'node:test'
import { fromBase64, toBase64 } from '#base/bytes.ts'
import { mlDsa44PublicBytes, newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import { openCheckpoint, printHead } from './checkpoint.ts'
import {
  cosignatureCharacters,
  cosignaturesOf,
  ed25519Cosigner,
  mlDsa44Cosigner,
  parseCosignerKey,
  parseLogKey,
} from './cosignature.ts'
import {
  keyIdentity,
  noteSigner,
  openNote,
  parseVerifierKey,
  printVerifierKey,
  signatureLine,
  signNote,
  type NoteSigner,
} from './note.ts'

const AT = 1_795_000_000_999
const ROOT = Buffer.alloc(32, 7)
const TEXT = printHead({ origin: 'example.test/log', size: 300, root: ROOT })
const ML_DSA_PEM = newMlDsa44Pem()
const LOG = noteSigner('example.test/log', newEd25519Pem())
const SIGNERS: readonly [why: string, signer: NoteSigner, type: number, bytes: number][] = [
  ['Ed25519', ed25519Cosigner('example.test/w1', newEd25519Pem()), 0x04, 64],
  ['ML-DSA-44', mlDsa44Cosigner('example.test/w2', ML_DSA_PEM), 0x06, 2_420],
]
const ALL = SIGNERS.map(([, signer]) => signer)
const NOTE = await signNote(TEXT, [LOG, ...ALL], AT)

for (const [why, signer, type, bytes] of SIGNERS) {
  test(`a cosigner states its time to the second: ${why}`, async () => {
    assert.equal(signer.type, type)
    const line = await signer.sign(TEXT, AT)
    const value = fromBase64(line.trimEnd().split(' ')[2] ?? '') ?? assert.fail()
    assert.equal(value.length, 4 + 8 + bytes)
    const [found] = cosignaturesOf(`${TEXT}\n${line}`, [signer])
    assert.equal(found?.at, 1_795_000_000_000)
    assert.equal(found.line, line)
    assert.equal(cosignatureCharacters(signer), line.length - signer.name.length)
  })

  test(`a cosignature too short to state a time is none: ${why}`, () => {
    for (const length of [1, 7, 8]) {
      const note = `${TEXT}\n${signatureLine(signer, new Uint8Array(length))}`
      assert.equal(openNote(note, signer), undefined)
      assert.deepEqual(cosignaturesOf(note, [signer]), [])
    }
  })

  test(`a cosignature holds for its time and text alone: ${why}`, async () => {
    const line = await signer.sign(TEXT, AT)
    const value = fromBase64(line.trimEnd().split(' ')[2] ?? '') ?? assert.fail()
    // Every bit of the time and of the first bytes of the signature.
    for (let at = 4 * 8; at < 16 * 8; at++) {
      const changed = Buffer.from(value)
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
      const note = `${TEXT}\n${signatureLine(signer, changed.subarray(4))}`
      assert.equal(openNote(note, signer), undefined, `bit ${at}`)
      assert.deepEqual(cosignaturesOf(note, [signer]), [])
    }
    for (const [from, to] of [
      ['300', '301'],
      ['example', 'exemple'],
      [toBase64(ROOT), toBase64(Buffer.alloc(32, 8))],
    ] as const)
      assert.equal(openNote(`${TEXT.replace(from, to)}\n${line}`, signer), undefined, to)
  })

  test(`parseCosignerKey reads what printVerifierKey prints, and nothing else: ${why}`, () => {
    const printed = printVerifierKey(signer)
    assert.deepEqual(parseCosignerKey(printed)?.publicKey, signer.publicKey)
    assert.equal(parseVerifierKey(printed), undefined)
    for (let at = 0; at < printed.length; at += Math.ceil(printed.length / 100)) {
      const changed = printed.slice(0, at) + (printed[at] === 'A' ? 'B' : 'A') + printed.slice(at + 1)
      assert.equal(parseCosignerKey(changed), undefined, `character ${at}`)
    }
  })
}

const PUBLIC_BYTES = { ed25519: 32, mlDsa44: mlDsa44PublicBytes(ML_DSA_PEM).length }
const KEY_FORMS: readonly [why: string, type: number, bytes: number, isKey: boolean][] = [
  ['Ed25519', 0x04, PUBLIC_BYTES.ed25519, true],
  ['Ed25519 with the bytes of ML-DSA-44', 0x04, PUBLIC_BYTES.mlDsa44, false],
  ['Ed25519 with too few bytes', 0x04, 31, false],
  ['ML-DSA-44', 0x06, PUBLIC_BYTES.mlDsa44, true],
  ['ML-DSA-44 with the bytes of Ed25519', 0x06, PUBLIC_BYTES.ed25519, false],
  ['ML-DSA-44 with too many bytes', 0x06, PUBLIC_BYTES.mlDsa44 + 1, false],
  ['a type nobody knows', 0x07, PUBLIC_BYTES.ed25519, false],
  ['a type nobody knows, with the bytes of ML-DSA-44', 0x07, PUBLIC_BYTES.mlDsa44, false],
  ['a log', 0x01, PUBLIC_BYTES.ed25519, false],
]

for (const [why, type, bytes, isKey] of KEY_FORMS)
  test(`parseCosignerKey ${isKey ? 'reads' : 'refuses'} a key of this type and length: ${why}`, () => {
    const printed = printVerifierKey(keyIdentity('example.test/w', type, new Uint8Array(bytes)))
    assert.equal(parseCosignerKey(printed)?.type, isKey ? type : undefined)
  })

test('parseCosignerKey and parseLogKey refuse: what is no key at all', () => {
  for (const text of ['', 'example.test/w', 'example.test/w+00000000+AAAA']) {
    assert.equal(parseCosignerKey(text), undefined)
    assert.equal(parseLogKey(text), undefined)
  }
  assert.deepEqual(cosignaturesOf('no note', ALL), [])
})

test('parseLogKey takes keys of logs: Ed25519 and ML-DSA-44, no key of a witness alone', () => {
  assert.equal(parseLogKey(printVerifierKey(LOG))?.type, 0x01)
  assert.equal(parseLogKey(printVerifierKey(ALL[1] ?? assert.fail()))?.type, 0x06)
  assert.equal(parseLogKey(printVerifierKey(ALL[0] ?? assert.fail())), undefined)
})

test('a note of several signatures reads with any key of it: and with all at once', () => {
  for (const key of [LOG, ...ALL]) assert.equal(openNote(NOTE, key), TEXT)
  assert.equal(openNote(NOTE, [LOG, ...ALL]), TEXT)
  assert.equal(openCheckpoint(NOTE, LOG)?.size, 300)
  assert.equal(cosignaturesOf(NOTE, ALL).length, 2)
  const lines = NOTE.split('\n').slice(4, -1)
  assert.deepEqual(
    lines.map((line) => line.split(' ')[1]),
    ['example.test/log', 'example.test/w1', 'example.test/w2'],
  )
})

test('openNote refuses a note: one of several known keys signed something else', async () => {
  const other = await signNote(TEXT, [LOG], AT)
  const wrong = await ALL[1]?.sign(TEXT.replace('300', '301'), AT)
  assert.equal(openNote(other + (wrong ?? ''), [LOG, ...ALL]), undefined)
  assert.equal(openNote(other + (wrong ?? ''), LOG), TEXT)
  assert.deepEqual(cosignaturesOf(other + (wrong ?? ''), ALL), [])
})

test('a key name and an origin of 255 bytes are the longest that ML-DSA-44 signs', async () => {
  for (const [length, isSigned] of [
    [255, true],
    [256, false],
  ] as const) {
    const name = 'n'.repeat(length)
    const text = printHead({ origin: 'o'.repeat(length), size: 1, root: ROOT })
    for (const [signer, signed] of [
      [mlDsa44Cosigner(name, ML_DSA_PEM), TEXT],
      [mlDsa44Cosigner('n', ML_DSA_PEM), text],
    ] as const) {
      if (isSigned) assert.equal(openNote(await signNote(signed, [signer], AT), signer), signed)
      else await assert.rejects(signNote(signed, [signer], AT), RangeError)
    }
  }
})

test('ML-DSA-44 signs the message of c2sp.org/tlog-cosignature: put together by hand', () => {
  const [, signer = assert.fail()] = ALL
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(1_795_000_000n)
  const size = Buffer.alloc(8)
  size.writeBigUInt64BE(300n)
  const withLength = (text: string): Buffer => Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
  const message = Buffer.concat([
    Buffer.from('subtree/v1\n\0'),
    withLength(signer.name),
    time,
    withLength('example.test/log'),
    Buffer.alloc(8),
    size,
    ROOT,
  ])
  const signature = Buffer.concat([time, sign(null, message, createPrivateKey(ML_DSA_PEM))])
  assert.equal(openNote(`${TEXT}\n${signatureLine(signer, signature)}`, signer), TEXT)
})

test('ML-DSA-44 signs nothing but the three lines: a checkpoint with more is not read by it', async () => {
  const [, signer = assert.fail()] = ALL
  const line = await signer.sign(`${TEXT}more\n`, AT)
  assert.equal(openNote(`${TEXT}\n${line}`, signer), TEXT)
  assert.equal(openNote(`${TEXT}more\n\n${line}`, signer), undefined)
  await assert.rejects(signNote('no checkpoint\n', [signer], AT), RangeError)
})

test('a time of 0 is read, one that no date can show is not', () => {
  const pem = newEd25519Pem()
  const signer = ed25519Cosigner('example.test/w', pem)
  for (const [time, count] of [
    [0n, 1],
    [253_402_300_799n, 1],
    [253_402_300_800n, 0],
    [2n ** 63n - 1n, 0],
    [2n ** 63n, 0],
  ] as const) {
    const bytes = Buffer.alloc(8)
    bytes.writeBigUInt64BE(time)
    const message = Buffer.from(`cosignature/v1\ntime ${time}\n${TEXT}`)
    const signature = Buffer.concat([bytes, sign(null, message, createPrivateKey(pem))])
    const note = `${TEXT}\n${signatureLine(signer, signature)}`
    assert.equal(cosignaturesOf(note, [signer]).length, count, String(time))
  }
})

test('a cosigner whose clock says 1970 or less states 1 second: 0 would say that it states no time', async () => {
  for (const signer of ALL)
    for (const at of [-1, 0, 999]) {
      const [found] = cosignaturesOf(`${TEXT}\n${await signer.sign(TEXT, at)}`, [signer])
      assert.equal(found?.at, 1_000)
    }
})
