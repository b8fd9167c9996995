import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import { parseTlogProof, printTlogProof, type TlogProof } from './tlog_proof.ts'

const HASHES = [sha256('a'), sha256('b')]
const CHECKPOINT =
  'example.com/log\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n\u2014 example.com/log AAAAAAAA\n'
const [FIRST = '', SECOND = ''] = HASHES.map((hash) => Buffer.from(hash).toString('base64'))

const FORMS: readonly (readonly [why: string, proof: TlogProof, text: string])[] = [
  [
    'without extra data',
    { index: 2, hashes: HASHES, checkpoint: CHECKPOINT },
    `c2sp.org/tlog-proof@v1\nindex 2\n${FIRST}\n${SECOND}\n\n${CHECKPOINT}`,
  ],
  [
    'with extra data',
    { extra: utf8('more'), index: 0, hashes: HASHES, checkpoint: CHECKPOINT },
    `c2sp.org/tlog-proof@v1\nextra bW9yZQ==\nindex 0\n${FIRST}\n${SECOND}\n\n${CHECKPOINT}`,
  ],
  [
    'of the only entry',
    { index: 0, hashes: [], checkpoint: CHECKPOINT },
    `c2sp.org/tlog-proof@v1\nindex 0\n\n${CHECKPOINT}`,
  ],
]
for (const [why, proof, text] of FORMS)
  test(`printTlogProof has the form of c2sp.org/tlog-proof, and it reads back: ${why}`, () => {
    assert.equal(printTlogProof(proof), text)
    assert.deepEqual(parseTlogProof(text), { extra: undefined, ...proof, hashes: proof.hashes.map(toBuffer) })
  })

const BAD: readonly (readonly [why: string, text: string])[] = [
  ['nothing', ''],
  ['another version', `c2sp.org/tlog-proof@v2\nindex 0\n\n${CHECKPOINT}`],
  ['no index', `c2sp.org/tlog-proof@v1\n${FIRST}\n\n${CHECKPOINT}`],
  ['a leading zero', `c2sp.org/tlog-proof@v1\nindex 01\n\n${CHECKPOINT}`],
  ['an index beyond 2^53', `c2sp.org/tlog-proof@v1\nindex 9007199254740993\n\n${CHECKPOINT}`],
  ['a short hash', `c2sp.org/tlog-proof@v1\nindex 0\nAAAA\n\n${CHECKPOINT}`],
  ['a hash with white space', `c2sp.org/tlog-proof@v1\nindex 0\n${FIRST} \n\n${CHECKPOINT}`],
  ['extra data that is not base64', `c2sp.org/tlog-proof@v1\nextra !\nindex 0\n\n${CHECKPOINT}`],
  ['extra data behind the index', `c2sp.org/tlog-proof@v1\nindex 0\nextra bW9yZQ==\n\n${CHECKPOINT}`],
  [
    'more hashes than any tree has',
    `c2sp.org/tlog-proof@v1\nindex 0\n${`${FIRST}\n`.repeat(65)}\n${CHECKPOINT}`,
  ],
  ['no checkpoint', `c2sp.org/tlog-proof@v1\nindex 0\n${FIRST}\n`],
]
for (const [why, text] of BAD)
  test(`parseTlogProof refuses: ${why}`, () => {
    assert.equal(parseTlogProof(text), undefined)
  })

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes)
}
