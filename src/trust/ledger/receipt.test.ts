import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import { checkpointsIn, parseReceipts, printReceipt, type EntryReceipt } from './receipt.ts'
import { printTlogProof } from './tlog_proof.ts'

const SALT = Buffer.from(sha256('salt'))
const PROOF = {
  extra: undefined,
  index: 1,
  hashes: [Buffer.from(sha256('a'))],
  checkpoint:
    'example.com/log\n2\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 example.com/log AAAAAAAA\n',
}
// What separates lines for other programs is part of an entry, and so is text that looks like a receipt.
const LEAF = utf8('{"a":"\u2028gatehouse receipt v1\u2028 entry"}')
const RECEIPT: EntryReceipt = {
  leaf: LEAF,
  disclosed: { b: { value: { z: 1, y: ['\n'] }, salt: SALT }, a: { value: 'x', salt: SALT } },
  proof: PROOF,
}

test('printReceipt has the lines of the entry, of what is disclosed, and a whole proof', () => {
  const salt = SALT.toString('base64url')
  const lines = printReceipt(RECEIPT).split('\n')
  assert.deepEqual(lines.slice(0, 5), [
    'gatehouse receipt v1',
    `entry ${Buffer.from(LEAF).toString()}`,
    `open {"a":{"salt":"${salt}","value":"x"},"b":{"salt":"${salt}","value":{"y":["\\n"],"z":1}}}`,
    'c2sp.org/tlog-proof@v1',
    'index 1',
  ])
  assert.equal(printReceipt({ ...RECEIPT, disclosed: {} }).split('\n')[2], 'c2sp.org/tlog-proof@v1')
})

test('parseReceipts reads what printReceipt printed: alone, several, and without anything disclosed', () => {
  const bare = { ...RECEIPT, disclosed: {} }
  for (const receipts of [[RECEIPT], [bare], [RECEIPT, bare, RECEIPT]]) {
    const read = parseReceipts(receipts.map(printReceipt).join('')) ?? assert.fail()
    assert.deepEqual(read.map(printReceipt), receipts.map(printReceipt))
    assert.deepEqual(read[0]?.disclosed, receipts[0]?.disclosed)
    assert.deepEqual(read[0]?.proof, PROOF)
  }
})

test('parseReceipts keeps every name that is disclosed: one that objects have of their own too', () => {
  const odd = {
    ...RECEIPT,
    disclosed: Object.fromEntries([['__proto__', RECEIPT.disclosed['a'] ?? assert.fail()]]),
  }
  const [read = assert.fail()] = parseReceipts(printReceipt(odd)) ?? []
  assert.deepEqual(Object.keys(read.disclosed), ['__proto__'])
  assert.equal(printReceipt(read), printReceipt(odd))
})

test('checkpointsIn gives each checkpoint once: of receipts, of a proof, and of what is one itself', () => {
  const note = (size: number): string => PROOF.checkpoint.replace('\n2\n', `\n${size}\n`)
  const receipt = (size: number): string =>
    printReceipt({ ...RECEIPT, proof: { ...PROOF, checkpoint: note(size) } })
  assert.deepEqual(checkpointsIn(receipt(3) + receipt(5) + receipt(3)), [note(3), note(5)])
  assert.deepEqual(checkpointsIn(printTlogProof({ ...PROOF, checkpoint: note(6) })), [note(6)])
  assert.deepEqual(checkpointsIn(note(7)), [note(7)])
  assert.deepEqual(checkpointsIn('something else'), ['something else'])
})

const TEXT = printReceipt(RECEIPT)
const BAD: readonly (readonly [why: string, text: string])[] = [
  ['nothing', ''],
  ['something before it', `\n${TEXT}`],
  ['another version', TEXT.replace('receipt v1', 'receipt v2')],
  ['no entry', TEXT.replace(/^entry [^\n]*\n/m, '')],
  ['no proof', TEXT.slice(0, TEXT.indexOf('c2sp.org'))],
  ['a name that is disclosed twice', TEXT.replace('open {', 'open {"a":{"salt":"","value":"y"},')],
  ['a disclosed value without a salt', TEXT.replace(/open .*/, 'open {"a":{"value":"x"}}')],
  ['a salt that is not base64url in its one form', TEXT.replace(/"salt":"/, '"salt":"!')],
  ['words beside a disclosed value', TEXT.replace('{"salt"', '{"approved":true,"salt"')],
  ['something disclosed that is no object', TEXT.replace(/open .*/, 'open ["x"]')],
  ['something disclosed that is no JSON', TEXT.replace(/open .*/, 'open {')],
  [
    'something disclosed that nests without end',
    TEXT.replace(/open .*/, `open {"a":${'['.repeat(50_000)}${']'.repeat(50_000)}}`),
  ],
  ['extra data, which nothing vouches for', TEXT.replace('index 1', 'extra bW9yZQ==\nindex 1')],
  ['a proof of another form', TEXT.replace('index 1', 'index one')],
]
for (const [why, text] of BAD)
  test(`parseReceipts refuses: ${why}`, () => {
    assert.equal(parseReceipts(text), undefined)
  })
