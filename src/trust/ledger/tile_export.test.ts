import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLog, sign, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { peekCheckpoint } from './checkpoint.ts'
import { leafHash, rootOf } from './merkle.ts'
import { exportTiles } from './tile_export.ts'
import { TiledLog } from './tiled_log.ts'

const PLAN = [
  { kind: 'sealed', count: 512 },
  { kind: 'raw', count: 300 },
] as const
const TARGET = '/mirror'

/** What is below the folder, by path. */
function tree({ files }: Pick<PlannedLog, 'files'>): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  for (const [path, bytes] of files.all())
    if (path.startsWith(`${TARGET}/`)) found.set(path.slice(TARGET.length + 1), bytes)
  return new Map([...found].toSorted(([left], [right]) => (left < right ? -1 : 1)))
}

async function run({ files, folder }: PlannedLog): Promise<Awaited<ReturnType<typeof exportTiles>>> {
  return await exportTiles(files, new TiledLog(files, folder), TARGET)
}

/** Reads an export as whoever knows only the specification does, and checks all of it against its checkpoint. */
function checkTree(exported: ReadonlyMap<string, Uint8Array>): number {
  const note = Buffer.from(exported.get('checkpoint') ?? assert.fail('no checkpoint')).toString('utf8')
  const head = peekCheckpoint(note) ?? assert.fail('not a checkpoint')
  const hashes: Uint8Array[] = []
  const bundles = [...exported.keys()].filter((path) => path.startsWith('tile/entries/'))
  const numberOf = (path: string): number => Number(/(\d{3})(?:\.p\/\d+)?$/.exec(path)?.[1])
  for (const path of bundles.toSorted((left, right) => numberOf(left) - numberOf(right))) {
    if (numberOf(path) * 256 !== hashes.length) continue
    const bundle = Buffer.from(exported.get(path) ?? assert.fail())
    for (let at = 0; at < bundle.length; at += 2 + bundle.readUInt16BE(at))
      hashes.push(leafHash(bundle.subarray(at + 2, at + 2 + bundle.readUInt16BE(at))))
  }
  assert.equal(hashes.length, head.size)
  assert.deepEqual(Buffer.from(rootOf(hashes)), Buffer.from(head.root))
  for (const [path, tile] of exported)
    if (path.startsWith('tile/0/')) {
      const start = numberOf(path) * 256
      assert.deepEqual(Buffer.from(tile), Buffer.concat(hashes.slice(start, start + tile.length / 32)), path)
    }
  return head.size
}

test('exportTiles writes the standard tree: checkpoint, tiles and bundles, full and partial', async () => {
  const log = await planLog(PLAN)
  assert.deepEqual(await run(log), { origin: log.folder.origin, entries: 812, written: 10 })
  const exported = tree(log)
  assert.deepEqual(
    [...exported.keys()],
    [
      '.gatehouse-export',
      'checkpoint',
      'tile/0/000',
      'tile/0/001',
      'tile/0/002',
      'tile/0/003.p/44',
      'tile/1/000.p/3',
      'tile/entries/000',
      'tile/entries/001',
      'tile/entries/002',
      'tile/entries/003.p/44',
    ],
  )
  assert.equal(checkTree(exported), 812)
})

test('exportTiles adds what is new: full tiles are not written again, and old partial ones go', async () => {
  const log = await planLog(PLAN, 600)
  const { files, folder, hashes } = log
  await run(log)
  assert.equal(checkTree(tree(log)), 600)
  sign(files, folder, hashes.slice(0, 768))
  assert.equal((await run(log)).written, 4)
  assert.deepEqual(
    [...tree(log).keys()].filter((path) => path.includes('.p/')),
    ['tile/1/000.p/3'],
  )
  sign(files, folder, hashes)
  assert.equal((await run(log)).written, 3)
  assert.equal(checkTree(tree(log)), 812)
  assert.equal((await run(log)).written, 1, 'only the checkpoint')
})

test('exportTiles writes the checkpoint last, and goes on: the machine stops at any step', async () => {
  const planned = await planLog(PLAN)
  for (let number = 0; ; number++) {
    const files = planned.files.reopen('kept')
    const log = { ...planned, files }
    files.judge = (step) => (step.number === number ? 'crash' : 'go')
    const done = await run(log).catch(() => undefined)
    if (done !== undefined) return
    for (const survival of ['lost', 'torn', 'kept'] as const) {
      const after = { ...planned, files: files.reopen(survival) }
      if (tree(after).has('checkpoint')) checkTree(tree(after))
      await run(after)
      assert.equal(checkTree(tree(after)), 812, `step ${number}, ${survival}`)
    }
  }
})

const FOREIGN: readonly [why: string, prepare: (log: PlannedLog) => Promise<void>][] = [
  [
    'a folder with other files',
    async ({ files }) => {
      await files.makeDirectory(TARGET)
      files.tamper(`${TARGET}/notes.txt`, Buffer.from('mine'))
    },
  ],
  [
    'an export of another log',
    async (log) => {
      await run(log)
      log.files.tamper(`${TARGET}/.gatehouse-export`, Buffer.from('gatehouse.local/OtherOtherOther0\n'))
    },
  ],
  [
    'a checkpoint of another log',
    async (log) => {
      await run(log)
      log.files.tamper(`${TARGET}/checkpoint`, Buffer.from('no checkpoint'))
    },
  ],
  [
    'more entries than the log',
    async (log) => {
      await run(log)
      sign(log.files, log.folder, log.hashes.slice(0, 700))
    },
  ],
  [
    'other entries than the log',
    async (log) => {
      const other = await planLog([{ kind: 'raw', count: 700 }])
      sign(other.files, other.folder, log.hashes.slice(1, 701))
      const forged = await other.files.read(`${other.folder.path}/checkpoint`)
      await run(log)
      log.files.tamper(`${TARGET}/checkpoint`, forged)
    },
  ],
]

for (const [why, prepare] of FOREIGN)
  test(`exportTiles refuses to mix: ${why}`, async () => {
    const log = await planLog(PLAN)
    await prepare(log)
    const before = tree(log)
    await assert.rejects(run(log), { code: 'export.foreign' })
    assert.deepEqual(tree(log), before)
  })

test('exportTiles tells how far it is: up to all files', async () => {
  const { files, folder } = await planLog([{ kind: 'raw', count: 20_000 }])
  const told: string[] = []
  await exportTiles(files, new TiledLog(files, folder), TARGET, ({ done, all }) =>
    told.push(`${done}/${all}`),
  )
  assert.deepEqual(told, ['64/159', '128/159', '159/159'])
})

test('exportTiles writes an empty log: a checkpoint and no tiles', async () => {
  const log = await planLog([{ kind: 'raw', count: 10 }], 0)
  await run(log)
  assert.deepEqual([...tree(log).keys()], ['.gatehouse-export', 'checkpoint'])
})
