import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { countReads, planLog, sign, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { segmentPath } from './layout.ts'
import { rootOf } from './merkle.ts'
import { idsIn, joinLines } from './packed_text.ts'
import { packLeaves } from './packing.ts'
import { verifyConsistency, verifyInclusion } from './proof.ts'
import { openSealed } from './segment_reader.ts'
import { readTile, tileFile, writeTiles } from './tile_files.ts'
import { parseTilePath } from './tile_path.ts'
import { TiledLog } from './tiled_log.ts'

/** Two sealed segments, two full raw ones and one in use; every kind of place is a few bundles long. */
const SMALL = [
  { kind: 'sealed', count: 768 },
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 256 },
  { kind: 'raw', count: 512 },
  { kind: 'raw', count: 300 },
] as const
/** More than one full tile of bundle hashes, so that there are tiles of three levels. */
const LARGE = [
  { kind: 'sealed', count: 65_536 },
  { kind: 'sealed', count: 65_536 },
  { kind: 'raw', count: 4_096 },
  { kind: 'raw', count: 700 },
] as const

function hex(hashes: readonly Uint8Array[]): readonly string[] {
  return hashes.map((hash) => Buffer.from(hash).toString('hex'))
}

async function checkInclusion(log: TiledLog, { hashes }: PlannedLog, index: number, size: number) {
  const proof = await log.inclusionProof(index, size)
  const root = await log.rootAt(size)
  assert.deepEqual(hex([root]), hex([rootOf(hashes.slice(0, size))]))
  const leafHash = hashes[index] ?? assert.fail()
  assert.ok(verifyInclusion({ index, size, leafHash, root, proof }), `${index} in ${size}`)
}

async function checkConsistency(log: TiledLog, { hashes }: PlannedLog, first: number, second: number) {
  const proof = await log.consistencyProof(first, second)
  const [firstRoot, secondRoot] = [first, second].map((size) => rootOf(hashes.slice(0, size)))
  assert.ok(firstRoot !== undefined && secondRoot !== undefined)
  assert.ok(verifyConsistency({ first, second, firstRoot, secondRoot, proof }), `${first} to ${second}`)
}

test('inclusionProof and consistencyProof hold for any sizes: sealed, raw and growing segments', async () => {
  const planned = await planLog(SMALL)
  const log = new TiledLog(planned.files, planned.folder)
  const most = planned.hashes.length
  const sizes = fc.tuple(fc.integer({ min: 1, max: most }), fc.integer({ min: 0, max: most - 1 }))
  await fc.assert(
    fc.asyncProperty(sizes, async ([size, index]) => {
      await checkInclusion(log, planned, index % size, size)
      await checkConsistency(log, planned, Math.min(size, index + 1), Math.max(size, index + 1))
    }),
    { seed: 9_162, numRuns: 60 },
  )
})

const EDGES = [1, 256, 257, 65_536, 65_537, 131_072]

test('inclusionProof and consistencyProof hold at the edges of tiles: three levels of them', async () => {
  const planned = await planLog(LARGE)
  const log = new TiledLog(planned.files, planned.folder)
  for (const size of EDGES) {
    await checkInclusion(log, planned, size - 1, size)
    await checkInclusion(log, planned, 0, size)
    await checkConsistency(log, planned, size, planned.hashes.length)
  }
})

test('inclusionProof reads few files: with tiles on disk at most five of them, and no segment', async () => {
  const planned = await planLog(LARGE)
  const { files, folder } = planned
  const log = new TiledLog(files, folder)
  await writeAll(log, planned)
  const fresh = new TiledLog(files, folder)
  await fresh.rootAt(planned.hashes.length)
  const counts = countReads(files)
  await checkInclusion(fresh, planned, 70_000, 130_000)
  const read = [...counts.keys()]
  assert.ok(
    read.every((path) => path.includes('/tile/')),
    read.join(' '),
  )
  assert.ok(read.length <= 5, read.join(' '))
})

/** Writes the full tiles of the sealed part, as sealing does, and those above. */
async function writeAll(log: TiledLog, { files, folder, hashes }: PlannedLog): Promise<void> {
  for (const level of [0, 1])
    for (let index = 0; (index + 1) * 256 ** (level + 1) <= Math.min(hashes.length, 131_072); index++) {
      const bytes = (await log.tile({ level, index, width: 256 })) ?? assert.fail()
      await writeTiles(files, folder, [{ level, index, hashes: bytes }])
    }
}

test('tile gives what is signed and no more: every width of tiles and bundles', async () => {
  const planned = await planLog(SMALL, 2_000)
  const log = new TiledLog(planned.files, planned.folder)
  const rows: readonly [path: string, bytes: number | undefined][] = [
    ['tile/0/000', 8_192],
    ['tile/0/000.p/1', 32],
    ['tile/0/006', 8_192],
    ['tile/0/007', undefined],
    ['tile/0/007.p/208', 208 * 32],
    ['tile/0/007.p/209', undefined],
    ['tile/1/000', undefined],
    ['tile/1/000.p/7', 224],
    ['tile/1/000.p/8', undefined],
    ['tile/2/000.p/1', undefined],
    ['tile/9/000', undefined],
    ['tile/entries/007.p/209', undefined],
    ['tile/entries/x999/x999/999', undefined],
  ]
  for (const [path, bytes] of rows) {
    const tile = await log.tile(parseTilePath(path) ?? assert.fail(path))
    assert.equal(tile?.length, bytes, path)
  }
})

test('tile gives bundles in the standard form: each entry behind its length', async () => {
  const planned = await planLog(SMALL)
  const log = new TiledLog(planned.files, planned.folder)
  // Of a sealed segment, of a raw one whose groups do not end with the bundle, and of the one in use.
  for (const [index, width] of [
    [0, 256],
    [4, 256],
    [5, 256],
    [7, 256],
    [8, 256],
    [9, 44],
    [9, 3],
  ] as const) {
    const bundle = Buffer.from((await log.tile({ level: 'entries', index, width })) ?? assert.fail())
    const expected = planned.leaves.slice(index * 256, index * 256 + width).flatMap((leaf) => {
      const length = Buffer.alloc(2)
      length.writeUInt16BE(leaf.length)
      return [length, leaf]
    })
    assert.deepEqual(bundle, Buffer.concat(expected), `bundle ${index}`)
  }
})

test('inclusionProof follows the log as it grows: a newer checkpoint is read, an older size not again', async () => {
  const planned = await planLog(SMALL, 1_000)
  const { files, folder, hashes } = planned
  const log = new TiledLog(files, folder)
  await checkInclusion(log, planned, 999, 1_000)
  await assert.rejects(log.inclusionProof(1_000, 1_001), RangeError)
  await assert.rejects(log.inclusionProof(5, 5), RangeError)
  for (const size of [1_001, 1_280, 1_700, hashes.length]) {
    sign(files, folder, hashes.slice(0, size))
    await checkInclusion(log, planned, size - 1, size)
  }
})

test('tile makes what is wrong on disk anew from the entries: nothing wrong is given', async () => {
  const planned = await planLog(LARGE)
  const { files, folder } = planned
  await writeAll(new TiledLog(files, folder), planned)
  for (const place of [
    { level: 0, index: 3 },
    { level: 1, index: 1 },
  ]) {
    const right = (await readTile(files, folder, place)) ?? assert.fail()
    for (const wrong of [Buffer.alloc(8_192, 9), Buffer.alloc(7), Buffer.alloc(9_000), undefined]) {
      files.tamper(tileFile(folder, place), wrong)
      const log = new TiledLog(files, folder)
      assert.deepEqual(hex([(await log.tile({ ...place, width: 256 })) ?? assert.fail()]), hex([right]))
      await checkInclusion(log, planned, 256 * 3 + 1, planned.hashes.length)
    }
    files.tamper(tileFile(folder, place), right)
  }
})

test('tile names the entries that are not what was signed: a bit is flipped in a raw segment', async () => {
  const planned = await planLog(SMALL)
  const { files, folder, leaves } = planned
  const raw = segmentPath(folder, 1_280, 'raw')
  const other = await planLog([{ kind: 'raw', count: 256 }])
  assert.equal(leaves.length, 2_348)
  files.tamper(raw, await other.files.read(segmentPath(other.folder, 0, 'raw')))
  const log = new TiledLog(files, folder)
  await assert.rejects(log.inclusionProof(3, 2_348), { code: 'ledger.corrupt' })
})

test('tile refuses what is not what was signed: the hashes in the head are right, the text is not', async () => {
  const { files, folder } = await planLog(SMALL)
  const right = (await new TiledLog(files, folder).tile({ level: 0, index: 0, width: 256 })) ?? assert.fail()
  const path = segmentPath(folder, 0, 'leaves')
  const sealed = (await openSealed(await files.read(path))) ?? assert.fail()
  const [first, second, ...rest] = sealed.leaves
  const text = joinLines([second ?? assert.fail(), first ?? assert.fail(), ...rest])
  const { at, count, tiles } = sealed.head
  files.tamper(path, await packLeaves({ first: 0, at, count, text, ids: idsIn(text), tiles }))
  const log = new TiledLog(files, folder)
  await assert.rejects(log.tile({ level: 0, index: 0, width: 256 }), {
    code: 'ledger.corrupt',
    detail: { place: `${folder.path} entries 0 to 255`, what: 'not the entries that the checkpoint covers' },
  })
  await writeTiles(files, folder, [{ level: 0, index: 0, hashes: right }])
  await assert.rejects(log.tile({ level: 'entries', index: 0, width: 256 }), {
    code: 'ledger.corrupt',
    detail: { place: `${folder.path} entry 0`, what: 'not the entry that the checkpoint covers' },
  })
})

test('inclusionProof goes on when a segment is sealed beside it: it reads the other files', async () => {
  const planned = await planLog(SMALL)
  const { files, folder } = planned
  const log = new TiledLog(files, folder)
  await checkInclusion(log, planned, 1_300, planned.hashes.length)
  const sealed = await planLog(SMALL.map(({ count }, at) => ({ kind: at < 3 ? 'sealed' : 'raw', count })))
  files.tamper(
    segmentPath(folder, 1_280, 'leaves'),
    await sealed.files.read(segmentPath(folder, 1_280, 'leaves')),
  )
  files.tamper(segmentPath(folder, 1_280, 'raw'), undefined)
  const bundle = await log.tile({ level: 'entries', index: 5, width: 256 })
  assert.ok(bundle !== undefined)
  await checkInclusion(new TiledLog(files, folder), planned, 1_300, planned.hashes.length)
})
