import assert from 'node:assert/strict'
import { test } from 'node:test'
import { planLog, type PlannedLog } from '../../../test/support/tiled_fixture.ts'
import { tileFile } from './tile_files.ts'
import { mendTiles } from './tile_mender.ts'
import { LogWalk } from './verify_log.ts'

const PLAN = [
  { kind: 'sealed', count: 768 },
  { kind: 'raw', count: 300 },
] as const

async function problemsOf({ files, folder }: PlannedLog): Promise<readonly string[]> {
  const problems: string[] = []
  const report = (place: string, what: string): void => {
    // The entries of the plan stand for nothing, which is not what is asked here.
    if (place.includes('/tile/')) problems.push(`${place.slice(folder.path.length + 1)}: ${what}`)
  }
  const walk = new LogWalk({ files, folder, box: undefined, wanted: [], report })
  await walk.visit({ first: 0, parts: new Set(['leaves']) })
  await walk.visit({ first: 768, parts: new Set(['raw']) })
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
    assert.deepEqual(await problemsOf(log), problems)
  })
