import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import {
  countReads,
  planBundles,
  planLog,
  recordReads,
  sign,
  type PlannedLog,
} from '../../../test/support/tiled_fixture.ts'
import { segmentPath } from './layout.ts'
import { CompactRange, rootOf } from './merkle.ts'
import { idsIn, joinLines } from './packed_text.ts'
import { packLeaves } from './packing.ts'
import { verifyConsistency, verifyInclusion } from './proof.ts'
import { encodeGroup, encodeHead, scanSegment } from './raw_segment.ts'
import { openSealed } from './segment_reader.ts'
import { readTile, tileFile, writeTiles } from './tile_files.ts'
import { parseTilePath, type TileAddress } from './tile_path.ts'
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

const NOWHERE: readonly TileAddress[] = [
  { level: 0, index: -1, width: 256 },
  { level: 0, index: -1, width: 1 },
  { level: 'entries', index: -1, width: 256 },
  { level: 0, index: 0, width: 0 },
  { level: 0, index: 0, width: -1 },
  { level: 'entries', index: 7, width: 0 },
]

for (const address of NOWHERE)
  test(`tile gives nothing for what is no tile: ${Object.values(address).join(' ')}`, async () => {
    const { files, folder } = await planLog([{ kind: 'raw', count: 300 }])
    assert.equal(await new TiledLog(files, folder).tile(address), undefined)
  })

test('rootAt gives the hash of nothing for an empty tree (RFC 9162 section 2.1.1)', async () => {
  for (const signed of [0, 10]) {
    const { files, folder } = await planLog([{ kind: 'raw', count: 10 }], signed)
    assert.deepEqual(hex([await new TiledLog(files, folder).rootAt(0)]), hex([sha256(utf8(''))]))
  }
})

const CHECKPOINTS: readonly [why: string, put: (log: PlannedLog) => Promise<void> | void][] = [
  ['missing', ({ files, folder }) => files.tamper(`${folder.path}/checkpoint`, undefined)],
  ['empty', ({ files, folder }) => files.tamper(`${folder.path}/checkpoint`, utf8(''))],
  ['no note', ({ files, folder }) => files.tamper(`${folder.path}/checkpoint`, utf8('damaged'))],
  [
    'of another log',
    async ({ files, folder }) => {
      const note = Buffer.from(await files.read(`${folder.path}/checkpoint`)).toString()
      files.tamper(`${folder.path}/checkpoint`, utf8(note.replace('Tested', 'Strange')))
    },
  ],
]

for (const [why, put] of CHECKPOINTS)
  test(`TiledLog gives nothing without the checkpoint of its log: it is ${why}`, async () => {
    const log = await planLog([{ kind: 'raw', count: 10 }])
    await put(log)
    const tiled = new TiledLog(log.files, log.folder)
    const place = `${log.folder.path}/checkpoint`
    for (const ask of [
      () => tiled.signed(),
      () => tiled.rootAt(5),
      () => tiled.tile(NOWHERE[0] ?? assert.fail()),
    ])
      await assert.rejects(ask(), { code: 'ledger.corrupt', detail: { place, what: 'missing or damaged' } })
  })

test('TiledLog reads the checkpoint anew where more may be signed, and else nothing that it knows', async () => {
  const { files, folder } = await planLog(SMALL, 1_280)
  const log = new TiledLog(files, folder)
  const asked = recordReads(files)
  const askAll = async (): Promise<void> => {
    await log.rootAt(1_280)
    await log.rootAt(700)
    await log.inclusionProof(3, 1_280)
    await log.consistencyProof(1_000, 1_280)
  }
  await askAll()
  assert.equal(asked.filter((each) => each.endsWith('/checkpoint')).length, 1)
  asked.length = 0
  await askAll()
  assert.deepEqual(asked, [])
  await log.tile({ level: 0, index: 0, width: 256 })
  await assert.rejects(log.rootAt(1_281), RangeError)
  const checkpoint = `read ${folder.path}/checkpoint`
  assert.deepEqual(asked, [checkpoint, checkpoint])
})

test('TiledLog keeps what it has proven when the checkpoint is set back, and follows the log when it grows on', async () => {
  const planned = await planLog(SMALL, 1_280)
  const { files, folder, hashes } = planned
  const log = new TiledLog(files, folder)
  await checkInclusion(log, planned, 1_279, 1_280)
  sign(files, folder, hashes.slice(0, 1_000))
  assert.equal((await log.tile({ level: 0, index: 4, width: 256 }))?.length, 8_192)
  await checkInclusion(log, planned, 1_279, 1_280)
  sign(files, folder, hashes)
  await checkInclusion(log, planned, 1_281, hashes.length)
})

test('tile gives a tile of its own: nobody changes what is kept', async () => {
  const planned = await planLog(SMALL)
  const log = new TiledLog(planned.files, planned.folder)
  for (const index of [0, 9]) {
    const address = { level: 0, index, width: 3 }
    const before = hex([(await log.tile(address)) ?? assert.fail()])
    ;(await log.tile(address))?.fill(0)
    assert.deepEqual(hex([(await log.tile(address)) ?? assert.fail()]), before)
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
  await assert.rejects(log.inclusionProof(3, 2_348), {
    code: 'ledger.corrupt',
    detail: { place: raw, what: 'damaged at byte 0' },
  })
})

test('tile names the entry that is not what was signed: it was changed since it was looked at', async () => {
  const planned = await planLog(SMALL)
  const { files, folder, leaves } = planned
  const log = new TiledLog(files, folder)
  await log.rootAt(planned.hashes.length)
  const path = segmentPath(folder, 1_536, 'raw')
  const { groups } = scanSegment(await files.read(path)) ?? assert.fail()
  const changed = groups.map(({ first, leaves: own, sealed }) =>
    encodeGroup(first, first === 1_836 ? own.with(4, leaves[0] ?? assert.fail()) : own, sealed),
  )
  files.tamper(path, Buffer.concat([encodeHead(folder.origin, 1_536), ...changed]))
  assert.ok(await log.tile({ level: 'entries', index: 6, width: 256 }))
  await assert.rejects(log.tile({ level: 'entries', index: 7, width: 256 }), {
    code: 'ledger.corrupt',
    detail: { place: `${folder.path} entry 1840`, what: 'not the entry that the checkpoint covers' },
  })
})

test('rootAt and consistencyProof take the hashes of bundles, and read no entry: for sizes that are whole tiles', async () => {
  const { files, folder, roots } = await planBundles([256, 256, 2])
  const log = new TiledLog(files, folder)
  for (const bundles of [1, 2, 128, 256, 384, 512, 514]) {
    const range = new CompactRange()
    for (const root of roots.slice(0, bundles)) range.appendSubtree(8, root)
    assert.deepEqual(hex([await log.rootAt(bundles * 256)]), hex([range.root()]), `${bundles} bundles`)
  }
  const [first, second] = [65_536, 131_072]
  const [firstRoot, secondRoot] = [await log.rootAt(first), await log.rootAt(second)]
  const proof = await log.consistencyProof(first, second)
  assert.ok(verifyConsistency({ first, second, firstRoot, secondRoot, proof }))
})

test('tile names the entries whose hashes are not what was signed: the head of a segment was changed', async () => {
  const { files, folder, roots } = await planBundles([256, 256, 2])
  const log = new TiledLog(files, folder)
  await log.rootAt(roots.length * 256)
  const path = segmentPath(folder, 65_536, 'leaves')
  const bytes = Buffer.from(await files.read(path))
  // Behind the head of 36 bytes the hashes of the bundles stand.
  bytes[36 + 32 * 200] = (bytes[36 + 32 * 200] ?? 0) ^ 1
  files.tamper(path, bytes)
  assert.ok(await log.tile({ level: 1, index: 0, width: 256 }))
  await assert.rejects(log.tile({ level: 1, index: 1, width: 256 }), {
    code: 'ledger.corrupt',
    detail: {
      place: `${folder.path} entries 65536 to 131071`,
      what: 'not the entries that the checkpoint covers',
    },
  })
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
