import assert from 'node:assert/strict'
import { test } from 'node:test'
import { packOf } from '../../../test/support/ledger_fixture.ts'
import { planLog, recordReads, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { segmentPath } from './layout.ts'
import { rootOf } from './merkle.ts'
import { encodeGroup } from './raw_segment.ts'
import { TileEntries } from './tile_entries.ts'

const PLAN = [
  { kind: 'sealed', count: 512 },
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 512 },
  { kind: 'raw', count: 300 },
] as const

async function entriesOf(mostBytes?: number): Promise<{ log: PlannedLog; entries: TileEntries }> {
  const log = await planLog(PLAN)
  const entries = new TileEntries(log.files, log.folder, mostBytes)
  entries.grow(log.hashes.length)
  return { log, entries }
}

/** What was asked of the disk, with the names in the folder of the log only. */
function names(asked: string[], { folder }: PlannedLog): readonly string[] {
  return asked.splice(0).map((each) => each.replace(`${folder.path}/`, '').replace(folder.path, ''))
}

const BUNDLES: readonly [why: string, bundle: number, width: number][] = [
  ['the first of a sealed segment', 0, 256],
  ['the second of a sealed segment', 3, 256],
  ['a part of one of a sealed segment', 3, 7],
  ['the second of a raw segment', 5, 256],
  ['a part of one of a raw segment', 5, 7],
  ['the last one, which is not whole', 7, 44],
]

for (const [why, bundle, width] of BUNDLES)
  test(`TileEntries gives the entries of a bundle, their hashes and their root: ${why}`, async () => {
    const { log, entries } = await entriesOf()
    const [start, end] = [bundle * 256, bundle * 256 + width]
    assert.deepEqual(
      (await entries.leaves(bundle, width)).map(String),
      log.leaves.slice(start, end).map(String),
    )
    const hashes = log.hashes.slice(start, end)
    assert.deepEqual(Buffer.from(await entries.hashes(bundle, width)), Buffer.concat(hashes))
    if (width === 256) assert.deepEqual(Buffer.from(await entries.root(bundle)), Buffer.from(rootOf(hashes)))
  })

test('TileEntries lists the folder once, and unpacks a sealed segment once for all its bundles', async () => {
  const { log, entries } = await entriesOf()
  const asked = recordReads(log.files)
  for (const bundle of [2, 3]) {
    await entries.leaves(bundle, 256)
    await entries.hashes(bundle, 256)
  }
  assert.deepEqual(
    names(asked, log).filter((each) => !each.endsWith('.raw')),
    ['list ', 'read 000000000512.leaves'],
  )
  await entries.leaves(0, 1)
  assert.deepEqual(names(asked, log), ['range 000000000000.raw', 'read 000000000000.leaves'])
})

test('root reads the head of a sealed segment, once for all its bundles', async () => {
  const { log, entries } = await entriesOf()
  const asked = recordReads(log.files)
  await entries.root(2)
  await entries.root(3)
  assert.deepEqual(
    names(asked, log).filter((each) => !each.endsWith('.raw')),
    ['list ', 'range 000000000512.leaves', 'range 000000000512.leaves'],
  )
})

test('TileEntries reads a raw segment once, and of a full one looks for no more', async () => {
  const { log, entries } = await entriesOf()
  const asked = recordReads(log.files)
  for (const bundle of [4, 5, 4]) await entries.hashes(bundle, 256)
  assert.deepEqual(names(asked, log), ['list ', 'range 000000001024.raw'])
})

test('TileEntries never looks at what is not signed: it may still be written over', async () => {
  const { log, entries } = await entriesOf()
  const { files, folder, leaves } = log
  const path = segmentPath(folder, 1_536, 'raw')
  const right = await files.read(path)
  const fresh = new TileEntries(files, folder)
  fresh.grow(1_736)
  // The last group is still another one, which is cut off and written anew.
  const group = (last: readonly Uint8Array[]): Uint8Array => encodeGroup(1_736, last, Buffer.alloc(40))
  const other = group(leaves.slice(0, 100))
  files.tamper(path, Buffer.concat([right.subarray(0, -group(leaves.slice(1_736)).length), other]))
  assert.equal((await fresh.hashes(6, 200)).length, 200 * 32)
  files.tamper(path, right)
  fresh.grow(1_836)
  fresh.grow(1_000)
  assert.deepEqual((await fresh.leaves(7, 44)).map(String), leaves.slice(-44).map(String))
  assert.deepEqual(await fresh.hashes(7, 44), await entries.hashes(7, 44))
})

test('TileEntries goes on where a new segment is begun, and where a raw one is sealed meanwhile', async () => {
  const { log, entries } = await entriesOf()
  const { files, folder, leaves } = log
  const last = segmentPath(folder, 1_536, 'raw')
  const content = await files.read(last)
  files.tamper(last, undefined)
  const grown = new TileEntries(files, folder)
  grown.grow(1_536)
  await grown.hashes(5, 256)
  files.tamper(last, content)
  grown.grow(1_836)
  assert.deepEqual(await grown.hashes(6, 256), await entries.hashes(6, 256))
  files.tamper(segmentPath(folder, 1_024, 'leaves'), await packOf(1_024, 1, leaves.slice(1_024, 1_536)))
  files.tamper(segmentPath(folder, 1_024, 'raw'), undefined)
  const asked = recordReads(files)
  assert.deepEqual((await grown.leaves(5, 256)).map(String), leaves.slice(1_280, 1_536).map(String))
  assert.deepEqual(names(asked, log), ['range 000000001024.raw', 'read 000000001024.leaves'])
  // What it knew of the raw file is forgotten.
  assert.equal((await grown.hashes(4, 256)).length, 256 * 32)
  assert.deepEqual(names(asked, log), ['range 000000001024.raw'])
})

/** Of each of the two raw segments it keeps 1,024 hashes. */
const ROOM: readonly [why: string, mostBytes: number, readAgain: boolean][] = [
  ['room for both', 65_536, false],
  ['a byte less than for both', 65_535, true],
  ['room for none', 0, true],
]

for (const [why, mostBytes, readAgain] of ROOM)
  test(`TileEntries keeps as many hashes of raw segments as it may, and always those asked for last: ${why}`, async () => {
    const { log, entries } = await entriesOf(mostBytes)
    const asked = recordReads(log.files)
    for (const bundle of [4, 6]) await entries.hashes(bundle, 256)
    asked.splice(0)
    await entries.hashes(6, 256)
    assert.deepEqual(names(asked, log), ['list '])
    await entries.hashes(4, 256)
    assert.deepEqual(names(asked, log), readAgain ? ['range 000000001024.raw'] : [])
  })

test('TileEntries gives up the hashes that were asked for longest ago: one of three segments', async () => {
  const log = await planLog([256, 256, 256, 44].map((count) => ({ kind: 'raw', count }) as const))
  const entries = new TileEntries(log.files, log.folder, 2 * 32_768)
  entries.grow(log.hashes.length)
  for (const bundle of [0, 1, 0, 2]) await entries.hashes(bundle, 256)
  const asked = recordReads(log.files)
  for (const bundle of [2, 0]) await entries.hashes(bundle, 256)
  assert.deepEqual(names(asked, log), [])
  await entries.hashes(1, 256)
  assert.deepEqual(names(asked, log), ['range 000000000256.raw'])
})

type Ask = (entries: TileEntries) => Promise<unknown>
const LEAVES: Ask = (entries) => entries.leaves(1, 256)
const HASHES: Ask = (entries) => entries.hashes(1, 256)
const ROOT: Ask = (entries) => entries.root(1)
const UNREADABLE = 'cannot be read'

const DAMAGE: readonly [
  why: string,
  tamper: (log: PlannedLog) => Promise<void> | void,
  asks: readonly Ask[],
  place: string,
  what: string,
][] = [
  [
    'the segment is missing',
    ({ files, folder }) => files.tamper(segmentPath(folder, 0, 'leaves'), undefined),
    [LEAVES, HASHES, ROOT],
    '/000000000000.leaves',
    UNREADABLE,
  ],
  [
    'the segment and its sidecar are missing',
    ({ files, folder }) => {
      files.tamper(segmentPath(folder, 0, 'leaves'), undefined)
      files.tamper(segmentPath(folder, 0, 'sidecar'), undefined)
    },
    [LEAVES, HASHES, ROOT],
    ' entry 256',
    'missing',
  ],
  [
    'a sealed segment is no such file',
    ({ files, folder }) => files.tamper(segmentPath(folder, 0, 'leaves'), Buffer.alloc(2_000)),
    [LEAVES, HASHES, ROOT],
    '/000000000000.leaves',
    UNREADABLE,
  ],
  [
    'the text of a sealed segment is cut',
    async ({ files, folder }) => {
      const path = segmentPath(folder, 0, 'leaves')
      files.tamper(path, (await files.read(path)).subarray(0, -40))
    },
    [LEAVES, HASHES],
    '/000000000000.leaves',
    UNREADABLE,
  ],
  [
    'a sealed segment is shorter than it must be',
    async ({ files, folder, leaves }) =>
      files.tamper(segmentPath(folder, 0, 'leaves'), await packOf(0, 1, leaves.slice(0, 256))),
    [ROOT],
    '/000000000000.leaves',
    UNREADABLE,
  ],
  [
    'another segment stands in the place of a sealed one',
    async ({ files, folder }) =>
      files.tamper(segmentPath(folder, 0, 'leaves'), await files.read(segmentPath(folder, 512, 'leaves'))),
    [ROOT],
    '/000000000000.leaves',
    UNREADABLE,
  ],
  [
    'a raw segment is no such file, though a sealed one stands beside it',
    ({ files, folder }) => files.tamper(segmentPath(folder, 0, 'raw'), Buffer.alloc(2_000)),
    [LEAVES, HASHES, ROOT],
    '/000000000000.raw',
    'damaged at byte 0',
  ],
]

for (const [why, tamper, asks, place, what] of DAMAGE)
  test(`TileEntries refuses what it cannot read, with the place: ${why}`, async () => {
    const { log, entries } = await entriesOf()
    await tamper(log)
    for (const ask of asks)
      await assert.rejects(ask(entries), {
        code: 'ledger.corrupt',
        detail: { place: log.folder.path + place, what },
      })
  })
