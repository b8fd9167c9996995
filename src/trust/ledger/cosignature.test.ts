import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import { test } from 'node:test'
import { fromBase64, toBase64 } from '#base/bytes.ts'
import { newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import { openCheckpoint, printHead } from './checkpoint.ts'
import {
  cosignaturesOf,
  ed25519Cosigner,
  mlDsa44Cosigner,
  parseCosignerKey,
  parseLogKey,
} from './cosignature.ts'
import {
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
