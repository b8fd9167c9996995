import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { sha256 } from '#base/crypto.ts'
import { newEntryId } from '#base/ids.ts'
import { addIds, idsIn, leavesOfId } from './packed_text.ts'
import { packOf } from '../../../test/support/ledger_fixture.ts'
import { firstPackedLeaf, openPack, unpackLeaves } from './packing.ts'

const BUNDLES = 256 * 80

/** Leaves of which each id stands twice: this many ids apart. */
const DISTANCES = [1, 2, 124, 125, 126, 127, 128, 255, 381, 382, 383, 16_000, 16_382, 16_383, 16_384, 17_000]

function leafOf(id: string, number: number): Uint8Array {
  const hash = sha256(utf8(String(number)))
  const commit = { content: Buffer.from(hash).toString('base64url') }
  return utf8(
    canonicalJson({ v: 1, id, at: number, ...(number % 3 > 0 && { commit }), text: 'ä\u00ff\u00fe' }),
  )
}

test('leavesOfId gives what unpacking all would give: ids at any distance', async () => {
  const ids = Array.from({ length: BUNDLES }, () => newEntryId())
  const wanted = DISTANCES.map((distance, at) => {
    ids[at * 10 + distance] = ids[at * 10] ?? ''
    return ids[at * 10] ?? ''
  })
  const leaves = ids.map(leafOf)
  const bytes = await packOf(0, 1, leaves)
  const pack = (await openPack(bytes)) ?? assert.fail()
  const all = (await unpackLeaves(bytes)) ?? assert.fail()
  for (const id of [...wanted, ids[5] ?? '', ids.at(-1) ?? '', newEntryId()]) {
    const expected = ids.flatMap((each, at) => (each === id ? [{ at, bytes: all[at] }] : []))
    assert.deepEqual(leavesOfId(pack, id), expected)
  }
  const first = await firstPackedLeaf(async (from, length) => bytes.subarray(from, from + length))
  assert.deepEqual(first, Buffer.from(leaves[0] ?? ''))
})

test('firstPackedLeaf gives nothing where the file is damaged', async () => {
  const bytes = await packOf(
    0,
    1,
    Array.from({ length: 256 }, (_, at) => leafOf(newEntryId(), at)),
  )
  for (const cut of [0, 35, 60, 300]) {
    const start = bytes.subarray(0, cut)
    assert.equal(
      await firstPackedLeaf(async (from, length) => start.subarray(from, from + length)),
      undefined,
    )
  }
})

test('idsIn finds what looks like an id anywhere: at every place of a long text, also where it is read in pieces', () => {
  const ids = Array.from({ length: 5_000 }, () => newEntryId())
  // Lines of all lengths, so that pieces end at any place of one.
  const lines = ids.map(
    (id, at) => `{"x":"${'\u00e4'.repeat(at % 97)}","y":{"id":"${id}"},"id":"${ids.at(-at)}"}\n`,
  )
  for (const text of [lines.join(''), lines.join('').slice(0, -1), lines.join('').replaceAll('\n', ''), '']) {
    const bytes = Buffer.from(text)
    const whole = new Set<string>()
    addIds(bytes, whole)
    assert.deepEqual(idsIn(bytes), whole)
    assert.equal(whole.size, text === '' ? 0 : ids.length)
  }
})
