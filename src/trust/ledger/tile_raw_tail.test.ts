import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { countReads } from '../../../test/support/tiled_fixture.ts'
import { leafHash } from './merkle.ts'
import { encodeGroup, encodeHead } from './raw_segment.ts'
import { RawTail } from './tile_raw_tail.ts'

const PATH = '/segment.raw'
const FIRST = 512
const MIB = 1_024 * 1_024

interface Segment {
  readonly files: SimulatedFiles
  readonly tail: RawTail
  readonly leaves: readonly Uint8Array[]
  /** Where each group starts in the file, and where the last one ends. */
  readonly starts: readonly number[]
}

/** A raw segment of groups of so many entries, each of so many bytes. */
function segmentOf(groups: readonly number[], bytes = 60, room = Buffer.alloc(0)): Segment {
  const files = new SimulatedFiles()
  const leaves: Uint8Array[] = []
  const parts = [encodeHead('gatehouse.local/TestedTestedTest', FIRST)]
  const starts = [parts[0]?.length ?? 0]
  for (const count of groups) {
    const own = Array.from({ length: count }, (_, at) =>
      Buffer.alloc(bytes, `${String(leaves.length + at).padStart(8, '0')} `),
    )
    const group = encodeGroup(FIRST + leaves.length, own, Buffer.alloc(40))
    leaves.push(...own)
    parts.push(group)
    starts.push((starts.at(-1) ?? 0) + group.length)
  }
  files.tamper(PATH, Buffer.concat([...parts, room]))
  return { files, tail: new RawTail(files, PATH, FIRST), leaves, starts }
}

function hashesOf(leaves: readonly Uint8Array[]): Buffer {
  return Buffer.concat(leaves.map(leafHash))
}

/** Changes one byte of the file. */
function flip(files: SimulatedFiles, at: number): void {
  const bytes = Buffer.from(files.all().get(PATH) ?? assert.fail())
  bytes[at] = (bytes[at] ?? 0) ^ 0xff
  files.tamper(PATH, bytes)
}

test('follow takes in what is signed and no more: whole groups', async () => {
  const { tail, leaves } = segmentOf([100, 100, 100])
  await tail.follow(100)
  assert.equal(tail.count, 100)
  await tail.follow(150)
  assert.equal(tail.count, 200)
  assert.deepEqual(tail.hashes(30, 170), hashesOf(leaves.slice(30, 200)))
})

test('follow reads only what is new: and nothing where it has what is asked for', async () => {
  const { files, tail, starts } = segmentOf([100, 100, 100, 100])
  const counts = countReads(files)
  const [, , second = 0, , end = 0] = starts
  await tail.follow(200)
  assert.equal(counts.get(PATH), end)
  await tail.follow(200)
  await tail.follow(7)
  assert.equal(counts.get(PATH), end)
  await tail.follow(400)
  assert.equal(counts.get(PATH), end + end - second)
  assert.equal(tail.count, 400)
})

test('follow reads a window at a time: a file of several', async () => {
  const { files, tail, leaves, starts } = segmentOf(
    Array.from({ length: 60 }, () => 50),
    1_000,
  )
  const asked: number[] = []
  const { readRange } = files
  files.readRange = async (path, from, length) => {
    asked.push(length)
    return await readRange.call(files, path, from, length)
  }
  await tail.follow(leaves.length)
  assert.equal(tail.count, leaves.length)
  assert.deepEqual(tail.hashes(0, leaves.length), hashesOf(leaves))
  assert.equal(asked.length, Math.ceil((starts.at(-1) ?? 0) / MIB))
  assert.deepEqual(new Set(asked), new Set([MIB]))
})

test('follow takes in a group that is longer than a window', async () => {
  const { tail, leaves } = segmentOf([3, 40, 3, 40, 3], 40_000)
  await tail.follow(leaves.length)
  assert.equal(tail.count, leaves.length)
  assert.deepEqual(tail.hashes(0, leaves.length), hashesOf(leaves))
})

test('follow looks no further than a group can be long: behind damage', async () => {
  const { files, tail, starts } = segmentOf([10, 10], 60, Buffer.alloc(17 * MIB))
  flip(files, (starts[1] ?? 0) + 20)
  const counts = countReads(files)
  await tail.follow(20)
  assert.equal(tail.count, 10)
  assert.equal(counts.get(PATH), (1 + 1 + 2 + 4 + 8 + 16) * MIB)
})

const ENDS: readonly [why: string, room: Uint8Array][] = [
  ['nothing', Buffer.alloc(0)],
  ['room for more', Buffer.alloc(4_096)],
  [
    'a group that was never finished',
    encodeGroup(FIRST + 200, [Buffer.alloc(60)], Buffer.alloc(40)).subarray(0, 90),
  ],
]

for (const [why, room] of ENDS)
  test(`follow stops at the last whole group, and goes on when there are more: behind it is ${why}`, async () => {
    const { files, tail } = segmentOf([100, 100], 60, Buffer.from(room))
    const counts = countReads(files)
    await tail.follow(300)
    assert.equal(tail.count, 200)
    // Once: the end of the file was there.
    assert.equal(counts.get(PATH), files.all().get(PATH)?.length)
    const longer = segmentOf([100, 100, 100])
    files.tamper(PATH, await longer.files.read(PATH))
    await tail.follow(300)
    assert.equal(tail.count, 300)
    assert.deepEqual(tail.hashes(0, 300), hashesOf(longer.leaves))
  })

const HEADS: readonly [why: string, content: Uint8Array][] = [
  ['an empty file', Buffer.alloc(0)],
  ['no head', Buffer.alloc(200, 7)],
  ['the head of another segment', encodeHead('gatehouse.local/TestedTestedTest', FIRST + 256)],
]

for (const [why, content] of HEADS)
  test(`follow refuses what is not the segment: ${why}`, async () => {
    const { files, tail } = segmentOf([100])
    files.tamper(PATH, content)
    await assert.rejects(tail.follow(100), {
      code: 'ledger.corrupt',
      detail: { place: PATH, what: 'damaged at byte 0' },
    })
  })

test('hashes and leaves refuse entries that are not there: with the place where they should be', async () => {
  const { tail, starts } = segmentOf([100, 200])
  await tail.follow(300)
  const wanted = { code: 'ledger.corrupt', detail: { place: PATH, what: `damaged at byte ${starts[2]}` } }
  for (const [at, width] of [
    [256, 45],
    [256, 256],
    [512, 1],
  ] as const) {
    assert.throws(() => tail.hashes(at, width), wanted)
    await assert.rejects(tail.leaves(at, width), wanted)
  }
  assert.equal(tail.hashes(256, 44).length, 44 * 32)
  assert.equal((await tail.leaves(256, 44)).length, 44)
})

const GROUPS: readonly [
  why: string,
  groups: readonly number[],
  read: readonly [from: number, to: number][],
][] = [
  [
    'groups that end with bundles',
    [128, 128, 256, 128],
    [
      [0, 2],
      [2, 3],
      [3, 4],
    ],
  ],
  [
    'groups that end inside of bundles',
    [100, 100, 100, 100, 100, 140],
    [
      [0, 3],
      [2, 6],
      [5, 6],
    ],
  ],
  [
    'one group for several bundles',
    [600, 40],
    [
      [0, 1],
      [0, 1],
      [0, 2],
    ],
  ],
]

for (const [why, groups, read] of GROUPS)
  test(`leaves reads the groups of the bundle and no others: ${why}`, async () => {
    const { files, tail, leaves, starts } = segmentOf(groups)
    await tail.follow(leaves.length)
    for (const [bundle, [from, to]] of read.entries()) {
      const own = leaves.slice(bundle * 256, bundle * 256 + 256)
      const counts = countReads(files)
      assert.deepEqual((await tail.leaves(bundle * 256, own.length)).map(String), own.map(String))
      assert.equal(counts.get(PATH), (starts[to] ?? 0) - (starts[from] ?? 0), `bundle ${bundle}`)
      assert.deepEqual((await tail.leaves(bundle * 256, 1)).map(String), own.slice(0, 1).map(String))
    }
  })

test('leaves names the byte of the damage: a file that was changed since it was followed', async () => {
  const { files, tail, leaves, starts } = segmentOf([128, 128, 128, 128])
  await tail.follow(leaves.length)
  flip(files, (starts[3] ?? 0) + 20)
  await assert.rejects(tail.leaves(256, 256), {
    code: 'ledger.corrupt',
    detail: { place: PATH, what: `damaged at byte ${starts[3]}` },
  })
  assert.equal((await tail.leaves(0, 256)).length, 256)
})

test('RawTail keeps 32 bytes for each entry, and a quarter more at most, from the first thousand on', async () => {
  const { tail } = segmentOf(Array.from({ length: 50 }, () => 100))
  assert.equal(tail.bytes, 0)
  for (const count of [1_000, 1_100, 2_500, 5_000]) {
    await tail.follow(count)
    assert.ok(tail.bytes >= 32 * count)
    assert.ok(tail.bytes <= 32 * Math.max(1_024, 1.25 * count + 1), `${tail.bytes} bytes for ${count}`)
  }
})
