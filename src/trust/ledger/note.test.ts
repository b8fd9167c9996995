import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromBase64 } from '#base/bytes.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { openCheckpoint, parseHead, peekCheckpoint, signCheckpoint } from './checkpoint.ts'
import {
  keyIdentity,
  noteSigner,
  openNote,
  parseNote,
  parseSignatureLines,
  parseVerifierKey,
  printVerifierKey,
  signNote,
} from './note.ts'

const SIGNER = noteSigner('example.test/log', newEd25519Pem())
const NOTE = await signNote('a text\nof two lines\n', [SIGNER], 0)
const ROOT = Buffer.alloc(32, 7)

test('openNote gives the text: it was signed by this key', () => {
  assert.equal(openNote(NOTE, SIGNER), 'a text\nof two lines\n')
})

test('openNote gives nothing: any flipped bit anywhere in the note', () => {
  const bytes = Buffer.from(NOTE, 'utf8')
  for (let at = 0; at < bytes.length * 8; at++) {
    const changed = Buffer.from(bytes)
    changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
    assert.equal(openNote(changed.toString('utf8'), SIGNER), undefined, `bit ${at}`)
  }
})

const MALFORMED: readonly [why: string, note: string][] = [
  ['no signature', 'text\n'],
  ['no end of line', NOTE.slice(0, -1)],
  ['a control character', NOTE.replace('text', 'te\tt')],
  ['a signature line without a name', NOTE.replace('example.test/log', '')],
  ['a name with a plus sign', NOTE.replace('example.test/log', 'a+b')],
  ['a short signature', 'text\n\n— a AAAA\n'],
  ['base64 that is not canonical', 'text\n\n— a AAAAAAB=\n'],
  ['too many signatures', `text\n\n${'— a AAAAAAAA\n'.repeat(65)}`],
  ['something behind the signature', NOTE.replace(/\n$/, ' more\n')],
  ['one good line and one that is none', `${NOTE}no signature\n`],
  ['a key id without a signature', 'text\n\n— a AAAAAA==\n'],
  ['no text and no empty line', '— a AAAAAAAA\n'],
  ['too long', `${'x'.repeat(100_001)}\n\n— a AAAAAAAA\n`],
]

for (const [why, note] of MALFORMED)
  test(`parseNote gives nothing: ${why}`, () => {
    assert.equal(parseNote(note), undefined)
    assert.equal(openNote(note, SIGNER), undefined)
  })

test('parseNote takes as much as it says: 64 signatures, 100,000 characters', () => {
  const line = '— a AAAAAAAA\n'
  assert.equal(parseNote(`text\n\n${line.repeat(64)}`)?.signatures.length, 64)
  assert.equal(parseSignatureLines(line.repeat(64))?.length, 64)
  assert.equal(parseSignatureLines(line.repeat(65)), undefined)
  const text = `${'x'.repeat(100_000 - line.length - 2)}\n`
  assert.equal(parseNote(`${text}\n${line}`)?.text, text)
  assert.equal(parseNote(`x${text}\n${line}`), undefined)
  const long = (name: string): string => `— ${name} ${'AAAA'.repeat(24_998)}\n`
  assert.equal(long('four').length, 100_000)
  assert.equal(parseSignatureLines(long('four'))?.length, 1)
  assert.equal(parseSignatureLines(long('fives')), undefined)
  assert.equal(parseNote(`\n\n${line}`)?.text, '\n')
})

test('openNote counts signatures of the key only: strangers beside it are no matter, a wrong one of the key is', async () => {
  const other = noteSigner('example.test/stranger', newEd25519Pem())
  const stranger = await signNote('a text\nof two lines\n', [other], 0)
  const both = NOTE + stranger.slice(stranger.lastIndexOf('\n\n') + 2)
  assert.equal(openNote(both, SIGNER), 'a text\nof two lines\n')
  assert.equal(openNote(stranger, SIGNER), undefined)
  const twice = NOTE + (await SIGNER.sign('other\n', 0))
  assert.equal(openNote(twice, SIGNER), undefined)
})

test('parseVerifierKey reads what printVerifierKey prints, and nothing else', () => {
  const printed = printVerifierKey(SIGNER)
  assert.deepEqual(parseVerifierKey(printed)?.publicKey, SIGNER.publicKey)
  const bytes = Buffer.from(printed, 'utf8')
  for (let at = 0; at < bytes.length * 8; at++) {
    const changed = Buffer.from(bytes)
    changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
    assert.equal(parseVerifierKey(changed.toString('latin1')), undefined, `bit ${at}`)
  }
  assert.equal(parseVerifierKey(''), undefined)
  assert.equal(parseVerifierKey('name+00000000+AAAA'), undefined)
  for (const length of [31, 33])
    assert.equal(parseVerifierKey(printVerifierKey(keyIdentity('a', 1, new Uint8Array(length)))), undefined)
  for (const wrong of [`\n${printed}`, `${printed}\n`]) assert.equal(parseVerifierKey(wrong), undefined)
})

test('openCheckpoint reads what signCheckpoint signs: origin, size and root', async () => {
  const head = { origin: SIGNER.name, size: 20_852_163, root: ROOT }
  const note = await signCheckpoint(head, [SIGNER], 0)
  assert.deepEqual(openCheckpoint(note, SIGNER), { ...head, root: Buffer.from(ROOT) })
  assert.equal(peekCheckpoint(note)?.size, 20_852_163)
  assert.equal(peekCheckpoint('nothing'), undefined)
  const another = await signCheckpoint({ ...head, origin: 'another.test' }, [SIGNER], 0)
  assert.equal(openCheckpoint(another, SIGNER), undefined)
  const stranger = noteSigner('another.test', newEd25519Pem())
  assert.equal(
    openCheckpoint(await signCheckpoint(head, [SIGNER, stranger], 0), [SIGNER, stranger]),
    undefined,
  )
  assert.equal(openCheckpoint(await signNote('not a checkpoint\n', [SIGNER], 0), SIGNER), undefined)
})

const HEADS: readonly [why: string, text: string, isHead: boolean][] = [
  ['size 0', `o\n0\n${ROOT.toString('base64')}\n`, true],
  ['extension lines', `o\n1\n${ROOT.toString('base64')}\nextra\n`, true],
  ['an empty extension line', `o\n1\n${ROOT.toString('base64')}\n\nextra\n`, false],
  ['no origin', `\n1\n${ROOT.toString('base64')}\n`, false],
  ['a leading zero', `o\n01\n${ROOT.toString('base64')}\n`, false],
  ['a negative size', `o\n-1\n${ROOT.toString('base64')}\n`, false],
  ['a size beyond 2^53', `o\n9007199254740993\n${ROOT.toString('base64')}\n`, false],
  ['a short root', `o\n1\n${ROOT.subarray(1).toString('base64')}\n`, false],
  ['a root that is not base64', 'o\n1\n!\n', false],
  ['no last newline', `o\n1\n${ROOT.toString('base64')}`, false],
]

for (const [why, text, isHead] of HEADS)
  test(`parseHead ${isHead ? 'reads' : 'refuses'}: ${why}`, () => {
    assert.equal(parseHead(text) !== undefined, isHead)
  })

test('fromBase64 takes the canonical form only', () => {
  assert.deepEqual(fromBase64('AQI='), Buffer.of(1, 2))
  for (const text of ['AQI', 'AQJ=', 'A_I=', 'AQI=\n']) assert.equal(fromBase64(text), undefined)
})
