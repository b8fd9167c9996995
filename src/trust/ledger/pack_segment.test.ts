import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import { draft, KEYS } from '../../../test/support/ledger_fixture.ts'
import { bundleHashes } from './bundle.ts'
import { makeLeaf, parseLeaf } from './leaf.ts'
import { leafHash } from './merkle.ts'
import { packSegment, type PackTask } from './pack_segment.ts'
import { idsIn, joinLines } from './packed_text.ts'
import { hasRightFilter, parsePackedHead, unpackLeaves } from './packing.ts'
import { idFilter, mayHoldId } from './id_filter.ts'
import { encodeGroup, encodeHead, groupPlace } from './raw_segment.ts'
import { openSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { encodeRecord, SidecarBox } from './sidecar.ts'

const ORIGIN = 'gatehouse.local/AAAAAAAAAAAAAAAA'
const FIRST = 768
const PLACE = '/home/ledger/0001-A/000000000768.raw'
const BOX = new SidecarBox(KEYS.sidecarKey, ORIGIN)
const ENTRIES = Array.from({ length: 512 }, (_, at) =>
  makeLeaf({ ...draft('note', { what: `${at}`, asked: at }), at: 1_000 + at }, Buffer.alloc(32, at), String),
)
const LEAVES = ENTRIES.map(({ bytes }) => bytes)

/** A raw file of groups of these sizes, one entry after the other. */
function rawOf(sizes: readonly number[], box = BOX): Buffer {
  const groups: Uint8Array[] = []
  let at = 0
  for (const size of sizes) {
    const entries = ENTRIES.slice(at, at + size)
    const group = { first: FIRST + at, leaves: entries.map(({ bytes }) => bytes) }
    const records = concat(...entries.map(({ secrets }) => encodeRecord(secrets)))
    groups.push(encodeGroup(group.first, group.leaves, box.close(records, groupPlace(FIRST, group))))
    at += size
  }
  return Buffer.from(concat(encodeHead(ORIGIN, FIRST), ...groups))
}

function taskOf(content: Uint8Array): PackTask {
  return { content, place: PLACE, origin: ORIGIN, first: FIRST, box: BOX }
}

for (const [why, sizes, room] of [
  ['one group', [512], 0],
  ['groups that end between bundles', [1, 255, 100, 156], 0],
  ['groups across the end of a bundle', [200, 200, 112], 0],
  ['room behind the last group', [512], 500],
] as const)
  test(`packSegment keeps leaves, hashes, ids and secrets: ${why}`, async () => {
    const packed = await packSegment(taskOf(concat(rawOf(sizes), new Uint8Array(room))))
    assert.equal(packed.count, 512)
    const tiles = await bundleHashes(LEAVES)
    const head = parsePackedHead(packed.leaves) ?? assert.fail()
    assert.deepEqual([head.first, head.count, head.at], [FIRST, 512, 1_000])
    assert.deepEqual(head.tiles.map(String), tiles.map(String))
    assert.deepEqual(Buffer.from(head.filter), Buffer.from(idFilter(idsIn(joinLines(LEAVES)), 512)))
    assert.deepEqual(
      (await unpackLeaves(packed.leaves))?.map(String),
      LEAVES.map((leaf) => String(Buffer.from(leaf))),
    )
    const hashes = LEAVES.map(leafHash)
    assert.deepEqual(
      packed.hashes.map((each) => Buffer.from(each).toString('hex')),
      [hashes.slice(0, 256), hashes.slice(256)].map((each) => Buffer.concat(each).toString('hex')),
    )
    const secrets = await openSegmentSidecar(BOX, segmentPlace(FIRST, 512, tiles), packed.sidecar)
    assert.deepEqual(
      secrets?.map((record) => record?.fields),
      ENTRIES.map(({ secrets: { fields } }) => fields.map((field) => [...field])),
    )
  })

test('packSegment keeps ids that stand in values too: more ids than entries make the filter no larger', async () => {
  const nested = Array.from({ length: 256 }, (_, at) => ({ id: String(at).padStart(16, '0') }))
  const entries = nested.map((before) =>
    makeLeaf(draft('change', { what: 'x', before, after: nested.slice(0, 50) }), Buffer.alloc(32), String),
  )
  const leaves = entries.map(({ bytes }) => bytes)
  const records = concat(...entries.map(({ secrets }) => encodeRecord(secrets)))
  const sealed = BOX.close(records, groupPlace(FIRST, { first: FIRST, leaves }))
  const content = concat(encodeHead(ORIGIN, FIRST), encodeGroup(FIRST, leaves, sealed))
  const packed = await packSegment(taskOf(content))
  const head = parsePackedHead(packed.leaves) ?? assert.fail()
  assert.equal(head.filter.length, 320)
  for (const leaf of leaves) {
    const { id } = parseLeaf(leaf)
    assert.ok(typeof id === 'string' && mayHoldId(head.filter, id))
  }
  assert.ok(hasRightFilter(head, leaves))
})

const WHOLE = rawOf([256, 256])
const SPLIT = utf8('{"at":1,"v":1,\n"x":1}')

/** A bundle of leaves of which the last would come back as two. */
function splitLeaf(): Buffer {
  const leaves = [...LEAVES.slice(0, 255), SPLIT]
  const sealed = BOX.close(new Uint8Array(256), groupPlace(FIRST, { first: FIRST, leaves }))
  return Buffer.from(concat(encodeHead(ORIGIN, FIRST), encodeGroup(FIRST, leaves, sealed)))
}

const WRONG: readonly [why: string, what: string, change: Partial<PackTask>][] = [
  ['no head', 'not whole', { content: utf8('x') }],
  ['another log', 'not whole', { origin: 'gatehouse.local/other' }],
  ['another start', 'not whole', { first: 512 }],
  ['a torn end', 'not whole', { content: WHOLE.subarray(0, -1) }],
  ['something behind the last group', 'not whole', { content: concat(WHOLE, Uint8Array.of(0, 1)) }],
  ['a damaged group that another follows', 'not whole', { content: Buffer.from(WHOLE).fill(0, 100, 120) }],
  ['no entries', 'not whole bundles', { content: rawOf([]) }],
  ['an entry too few', 'not whole bundles', { content: rawOf([255]) }],
  ['an entry too many', 'not whole bundles', { content: rawOf([256, 1]) }],
  ['another key', 'a sidecar does not open', { box: new SidecarBox(KEYS.pseudonymKey, ORIGIN) }],
  ['a leaf that would come back as two', 'does not pack', { content: splitLeaf() }],
]

for (const [why, what, change] of WRONG)
  test(`packSegment refuses what it could not give back: ${why}`, async () => {
    await assert.rejects(packSegment({ ...taskOf(Buffer.from(WHOLE)), ...change }), {
      code: 'ledger.corrupt',
      detail: { place: PLACE, what },
    })
  })
