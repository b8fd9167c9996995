import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLog, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { segmentPath } from './layout.ts'
import { TileCheck } from './tile_check.ts'
import { tileFile, writeTiles } from './tile_files.ts'
import { mendTiles } from './tile_mender.ts'
import { LogWalk } from './verify_log.ts'

const PLAN = [
  { kind: 'sealed', count: 768 },
  { kind: 'raw', count: 300 },
] as const

/** `last`: the entry that the last segment starts with, which is read only where it is given. */
async function problemsOf({ files, folder }: PlannedLog, last?: number): Promise<readonly string[]> {
  const problems: string[] = []
  const report = (place: string, what: string): void => {
    // The entries of the plan stand for nothing, which is not what is asked here.
    if (place.includes('/tile/')) problems.push(`${place.slice(folder.path.length + 1)}: ${what}`)
  }
  const walk = new LogWalk({ files, folder, box: undefined, wanted: [], report })
  await walk.visit({ first: 0, parts: new Set(['leaves']) })
  if (last !== undefined) await walk.visit({ first: last, parts: new Set(['raw']) })
  await walk.finish()
  return problems
}

async function tiled(): Promise<PlannedLog> {
  const planned = await planLog(PLAN)
  await mendTiles(planned, async () => true)
  return planned
}

const CASES: readonly [
  why: string,
  tamper: (log: PlannedLog) => Promise<void>,
  problems: readonly string[],
][] = [
  ['nothing was changed', async () => undefined, []],
  [
    'two tiles were swapped',
    async ({ files, folder }) => {
      const [one, two] = [0, 2].map((index) => tileFile(folder, { level: 0, index }))
      const [first, second] = [await files.read(one ?? ''), await files.read(two ?? '')]
      files.tamper(one ?? '', second)
      files.tamper(two ?? '', first)
    },
    [
      'tile/0/000: not the hashes of the entries 0 to 255',
      'tile/0/002: not the hashes of the entries 512 to 767',
    ],
  ],
  [
    'a tile was cut',
    async ({ files, folder }) => files.tamper(tileFile(folder, { level: 0, index: 1 }), Buffer.alloc(32)),
    ['tile/0/001: not the hashes of the entries 256 to 511'],
  ],
  [
    'a tile is gone, and is made anew',
    async ({ files, folder }) => files.tamper(tileFile(folder, { level: 0, index: 1 }), undefined),
    [],
  ],
  [
    'a tile of entries that are not there',
    async ({ files, folder }) => files.tamper(tileFile(folder, { level: 0, index: 9 }), Buffer.alloc(8_192)),
    ['tile/0/009: a tile of entries that are not there'],
  ],
  [
    'files that are no tiles',
    async ({ files, folder }) => {
      files.tamper(`${folder.path}/tile/0/000.txt`, Buffer.alloc(1))
      files.tamper(`${folder.path}/tile/notes`, Buffer.alloc(1))
    },
    ['tile/0/000.txt: not a file of the ledger', 'tile/notes: not a file of the ledger'],
  ],
  [
    'what a crash left of a tile',
    async ({ files, folder }) => files.tamper(`${folder.path}/tile/0/003.tmp`, Buffer.alloc(1)),
    [],
  ],
]

for (const [why, tamper, problems] of CASES)
  test(`TileCheck finds what is no tile of the entries: ${why}`, async () => {
    const log = await tiled()
    await tamper(log)
    assert.deepEqual(await problemsOf(log, 768), problems)
  })

/** A tile of the raw segment, as one is there after a crash while it was sealed. */
async function putLast({ files, folder, hashes }: PlannedLog): Promise<void> {
  await writeTiles(files, folder, [{ level: 0, index: 3, hashes: Buffer.concat(hashes.slice(768, 1_024)) }])
}

test('TileCheck asks nothing of the tiles of a segment that cannot be read: those behind it are looked at', async () => {
  const log = await tiled()
  const { files, folder } = log
  const path = segmentPath(folder, 0, 'leaves')
  const bytes = await files.read(path)
  files.tamper(path, bytes.subarray(0, -40))
  await putLast(log)
  assert.deepEqual(await problemsOf(log, 768), [])
  files.tamper(tileFile(folder, { level: 0, index: 3 }), Buffer.alloc(8_192))
  assert.deepEqual(await problemsOf(log, 768), ['tile/0/003: not the hashes of the entries 768 to 1023'])
})

const GROWN: readonly [
  why: string,
  plan: Parameters<typeof planLog>,
  last: number | undefined,
  problems: readonly string[],
][] = [
  ['more was read than is signed', [PLAN, 600], 768, []],
  [
    'all of it was read and less is signed',
    [
      [
        { kind: 'sealed', count: 768 },
        { kind: 'raw', count: 256 },
      ],
      600,
    ],
    768,
    [],
  ],
  ['it was signed after the log was read', [PLAN, 1_024], undefined, []],
  [
    'it was neither read nor signed',
    [PLAN, 1_023],
    undefined,
    ['tile/0/003: a tile of entries that are not there'],
  ],
]

for (const [why, plan, last, problems] of GROWN)
  test(`TileCheck takes a tile for one of entries that are there: ${why}`, async () => {
    const log = await planLog(...plan)
    await putLast(log)
    assert.deepEqual(await problemsOf(log, last), problems)
  })

test('TileCheck takes nothing for signed without a checkpoint: a tile behind what was read', async () => {
  const log = await planLog(PLAN)
  await putLast(log)
  log.files.tamper(`${log.folder.path}/checkpoint`, undefined)
  assert.deepEqual(await problemsOf(log), ['tile/0/003: a tile of entries that are not there'])
})

test('TileCheck names the entries of a tile of a higher level', async () => {
  const { files, folder } = await planLog([])
  const problems: string[] = []
  const report = (place: string, what: string): unknown => problems.push(`${place}: ${what}`)
  const check = new TileCheck({ files, folder, report })
  for (let at = 0; at < 512; at++) check.add(1, Buffer.alloc(32, at))
  for (const index of [0, 1])
    await writeTiles(files, folder, [{ level: 1, index, hashes: Buffer.alloc(8_192) }])
  await check.look()
  await check.finish(131_071)
  assert.deepEqual(problems, [
    'tile/1/000: not the hashes of the entries 0 to 65535',
    'tile/1/001: not the hashes of the entries 65536 to 131071',
    'tile/1/001: a tile of entries that are not there',
  ])
  // Each tile is looked at once.
  await check.look()
  assert.equal(problems.length, 3)
})

const MISPLACED: readonly string[] = ['tile', 'tile/0']

for (const path of MISPLACED)
  test(`TileCheck finds a file that stands in the place of a folder: ${path}`, async () => {
    const log = await planLog(PLAN)
    log.files.tamper(`${log.folder.path}/${path}`, Buffer.alloc(8_192))
    const found: string[] = []
    const report = (place: string, what: string): unknown => found.push(`${place}: ${what}`)
    await new TileCheck({ ...log, report }).finish(1_068)
    assert.deepEqual(found, [`${path}: not a file of the ledger`])
  })

test('TileCheck reads a few tiles at a time, and tells of them in order', async () => {
  const WRONG = [0, 31, 32, 33, 69]
  const log = await planLog([
    { kind: 'sealed', count: 70 * 256 },
    { kind: 'raw', count: 1 },
  ])
  await mendTiles(log, async () => true)
  const { files, folder } = log
  for (const index of WRONG) files.tamper(tileFile(folder, { level: 0, index }), Buffer.alloc(8_192))
  const read = files.read.bind(files)
  let [reading, most] = [0, 0]
  files.read = async (path) => {
    most = Math.max(most, ++reading)
    // Later ones are done sooner.
    for (let turn = reading; turn < 40; turn++) await Promise.resolve()
    reading -= 1
    return await read(path)
  }
  const problems: string[] = []
  const report = (place: string): void => void problems.push(place.slice(folder.path.length + 1))
  const walk = new LogWalk({ files, folder, box: undefined, wanted: [], report })
  await walk.visit({ first: 0, parts: new Set(['leaves']) })
  assert.deepEqual(
    problems.filter((place) => place.startsWith('tile/')),
    WRONG.map((index) => `tile/0/${String(index).padStart(3, '0')}`),
  )
  assert.equal(most, 32)
})
