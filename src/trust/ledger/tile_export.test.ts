import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
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
  assert.deepEqual(await run(log), { origin: log.folder.origin, entries: 812, written: 10, mended: 0 })
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
    if (done !== undefined) {
      assert.ok(number > 20, `${number} steps`)
      return
    }
    for (const survival of ['lost', 'torn', 'kept'] as const) {
      const after = { ...planned, files: files.reopen(survival) }
      if (tree(after).has('checkpoint')) checkTree(tree(after))
      await run(after)
      assert.equal(checkTree(tree(after)), 812, `step ${number}, ${survival}`)
    }
  }
})

const SIZES: readonly [size: number, tree: readonly string[]][] = [
  [0, []],
  [1, ['tile/0/000.p/1', 'tile/entries/000.p/1']],
  [255, ['tile/0/000.p/255', 'tile/entries/000.p/255']],
  [256, ['tile/0/000', 'tile/1/000.p/1', 'tile/entries/000']],
  [257, ['tile/0/000', 'tile/0/001.p/1', 'tile/1/000.p/1', 'tile/entries/000', 'tile/entries/001.p/1']],
  [512, ['tile/0/000', 'tile/0/001', 'tile/1/000.p/2', 'tile/entries/000', 'tile/entries/001']],
]

for (const [size, paths] of SIZES)
  test(`exportTiles writes all that the specification names for a tree, and says how much that is: of ${size} entries`, async () => {
    const log = await planLog(PLAN, size)
    const told: string[] = []
    const { written } = await exportTiles(
      log.files,
      new TiledLog(log.files, log.folder),
      TARGET,
      ({ done, all }) => told.push(`${done}/${all}`),
    )
    const exported = tree(log)
    assert.deepEqual([...exported.keys()], ['.gatehouse-export', 'checkpoint', ...paths])
    assert.equal(checkTree(exported), size)
    assert.equal(written, paths.length + 1)
    assert.deepEqual(told, [`${paths.length}/${paths.length}`])
  })

/** All names below a folder of the real disk, folders too. */
function namesIn(folder: string): readonly string[] {
  return fs.readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort()
}

for (const [why, sizes] of [
  ['little by little', SIZES],
  ['at once', SIZES.filter(([size]) => size === 0 || size === 512)],
] as const)
  test(`exportTiles leaves nothing of earlier exports: on a real disk, as the log grows from nothing ${why}`, async () => {
    const { files, folder, hashes } = await planLog(PLAN, 0)
    const place = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-export-'))
    const folders = ['tile', 'tile/0', 'tile/1', 'tile/entries']
    try {
      for (const [size, paths] of sizes) {
        sign(files, folder, hashes.slice(0, size))
        await exportTiles(NODE_FILES, new TiledLog(files, folder), `${place}/mirror`)
        const above = paths.filter((each) => each.includes('.p/')).map((each) => path.dirname(each))
        const used = folders.filter((each) => paths.some((one) => one.startsWith(`${each}/`)))
        assert.deepEqual(
          namesIn(`${place}/mirror`),
          ['.gatehouse-export', 'checkpoint', ...paths, ...above, ...used].sort(),
          `${size} entries`,
        )
      }
    } finally {
      fs.rmSync(place, { recursive: true })
    }
  })

const INTERRUPTED: readonly [why: string, prepare: (log: PlannedLog) => Promise<void>, written: number][] = [
  ['while it wrote of which log it is', async ({ files }) => putFile(files, '.gatehouse-export.tmp'), 10],
  [
    'before the checkpoint was written',
    async (log) => {
      await run(log)
      log.files.tamper(`${TARGET}/checkpoint`, undefined)
    },
    1,
  ],
  [
    'while it wrote tiles',
    async (log) => {
      await run(log)
      for (const name of ['checkpoint', 'tile/0/001', 'tile/entries/003.p/44'])
        log.files.tamper(`${TARGET}/${name}`, undefined)
      await putFile(log.files, 'tile/0/001.tmp')
    },
    3,
  ],
]

async function putFile(files: SimulatedFiles, name: string): Promise<void> {
  await files.makeDirectory(TARGET)
  files.tamper(`${TARGET}/${name}`, Buffer.from('half'))
}

for (const [why, prepare, written] of INTERRUPTED)
  test(`exportTiles goes on where it was interrupted: ${why}`, async () => {
    const log = await planLog(PLAN)
    await prepare(log)
    assert.equal((await run(log)).written, written)
    assert.equal(checkTree(tree(log)), 812)
    assert.ok(![...tree(log).keys()].some((name) => name.endsWith('.tmp')))
  })

test('exportTiles writes no checkpoint of what is not there: the log is set back meanwhile', async () => {
  const log = await planLog(PLAN)
  const { files, folder, hashes } = log
  files.judge = ({ path: at }) => {
    if (at === TARGET) sign(files, folder, hashes.slice(0, 600))
    return 'go'
  }
  await assert.rejects(run(log), {
    code: 'ledger.corrupt',
    detail: {
      place: `${folder.path}/checkpoint`,
      what: 'the log was set back while it was read: it covers fewer entries now',
    },
  })
  assert.ok(!tree(log).has('checkpoint'))
})

/** What its checkpoint asks for: wider tiles may be there already, and narrower ones still. */
function signedPart(exported: ReadonlyMap<string, Uint8Array>): ReadonlyMap<string, Uint8Array> {
  const note = Buffer.from(exported.get('checkpoint') ?? assert.fail('no checkpoint')).toString('utf8')
  const { size } = peekCheckpoint(note) ?? assert.fail('not a checkpoint')
  const wanted = ['entries', '0'].flatMap((level) =>
    Array.from({ length: Math.ceil(size / 256) }, (_, at) => {
      const width = Math.min(256, size - at * 256)
      return `tile/${level}/${String(at).padStart(3, '0')}${width === 256 ? '' : `.p/${width}`}`
    }),
  )
  return new Map([...exported].filter(([path]) => path === 'checkpoint' || wanted.includes(path)))
}

for (const verdict of ['crash', { code: 'ENOSPC' }, { code: 'EIO' }] as const)
  test(`exportTiles leaves a whole tree and goes on when it adds to one: any step ends with ${JSON.stringify(verdict)}`, async () => {
    const planned = await planLog(PLAN, 600)
    await run(planned)
    sign(planned.files, planned.folder, planned.hashes)
    for (let number = 0; ; number++) {
      const files = planned.files.reopen('kept')
      files.judge = (step) => (step.number === number ? verdict : 'go')
      await run({ ...planned, files }).catch(() => undefined)
      const isDone = files.steps.length <= number
      files.judge = () => 'go'
      if (isDone) {
        assert.ok(number > 20, `${number} steps`)
        return
      }
      for (const survival of verdict === 'crash' ? (['lost', 'torn'] as const) : (['kept'] as const)) {
        const after = { ...planned, files: files.reopen(survival) }
        assert.ok([600, 812].includes(checkTree(signedPart(tree(after)))), `step ${number}, ${survival}`)
        await run(after)
        assert.equal(checkTree(tree(after)), 812, `step ${number}, ${survival}`)
      }
    }
  })

const FOREIGN: readonly [why: string, told: RegExp, prepare: (log: PlannedLog) => Promise<void>][] = [
  [
    'a folder with other files',
    /no export of a log/,
    async ({ files }) => {
      await files.makeDirectory(TARGET)
      files.tamper(`${TARGET}/notes.txt`, Buffer.from('mine'))
    },
  ],
  [
    'an export of another log',
    /of another log/,
    async (log) => {
      await run(log)
      log.files.tamper(`${TARGET}/.gatehouse-export`, Buffer.from('gatehouse.local/OtherOtherOther0\n'))
    },
  ],
  [
    'a checkpoint of another log',
    /checkpoint .* not one of this log/,
    async (log) => {
      await run(log)
      log.files.tamper(`${TARGET}/checkpoint`, Buffer.from('no checkpoint'))
    },
  ],
  [
    'more entries than the log',
    /more entries .* evidence/,
    async (log) => {
      await run(log)
      sign(log.files, log.folder, log.hashes.slice(0, 700))
    },
  ],
  [
    'other entries than the log',
    /other entries .* forged/,
    async (log) => {
      const other = await planLog([{ kind: 'raw', count: 700 }])
      sign(other.files, other.folder, log.hashes.slice(1, 701))
      const forged = await other.files.read(`${other.folder.path}/checkpoint`)
      await run(log)
      log.files.tamper(`${TARGET}/checkpoint`, forged)
    },
  ],
]

for (const [why, told, prepare] of FOREIGN)
  test(`exportTiles refuses to mix, and tells why: ${why}`, async () => {
    const log = await planLog(PLAN)
    await prepare(log)
    const before = tree(log)
    await assert.rejects(run(log), { code: 'export.foreign', say: told })
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

const DAMAGED: readonly [why: string, name: string, damage: (place: string) => void][] = [
  ['a tile of zeros', 'tile/0/000', (place) => fs.writeFileSync(place, Buffer.alloc(8_192))],
  ['an upper tile of zeros', 'tile/1/000.p/3', (place) => fs.writeFileSync(place, Buffer.alloc(96))],
  ['a tile that is cut', 'tile/0/001', (place) => fs.truncateSync(place, 8_160)],
  ['a bundle of zeros', 'tile/entries/000', (place) => fs.writeFileSync(place, Buffer.alloc(9_000))],
  ['a bundle that is cut', 'tile/entries/001', (place) => fs.truncateSync(place, 70)],
  ['a bundle that is empty', 'tile/entries/001', (place) => fs.truncateSync(place, 0)],
  ['a bundle with more behind it', 'tile/entries/003.p/44', (place) => fs.appendFileSync(place, '\0\0')],
  [
    'a bundle with one other byte',
    'tile/entries/002',
    (place) => {
      const bytes = fs.readFileSync(place)
      bytes[9_000] = (bytes[9_000] ?? 0) ^ 1
      fs.writeFileSync(place, bytes)
    },
  ],
  [
    'a pipe',
    'tile/entries/000',
    (place) => {
      fs.rmSync(place)
      execFileSync('mkfifo', [place])
    },
  ],
  [
    'a link',
    'tile/0/002',
    (place) => {
      const elsewhere = path.join(place, '../../../../elsewhere')
      fs.renameSync(place, elsewhere)
      fs.symlinkSync(elsewhere, place)
    },
  ],
]

/** Exports to a folder of the real disk, lets somebody at it, and exports again. */
async function twice(
  damage: (mirror: string) => void,
  check: (again: Again) => Promise<void>,
): Promise<void> {
  const { files, folder } = await planLog(PLAN)
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-export-'))
  const mirror = path.join(place, 'mirror')
  const write = async (): ReturnType<typeof exportTiles> =>
    await exportTiles(NODE_FILES, new TiledLog(files, folder), mirror)
  try {
    await write()
    damage(mirror)
    await check({ mirror, write })
  } finally {
    fs.rmSync(place, { recursive: true })
  }
}

interface Again {
  readonly mirror: string
  readonly write: () => ReturnType<typeof exportTiles>
}

function contentOf(mirror: string): ReadonlyMap<string, Uint8Array> {
  const names = namesIn(mirror).filter((name) => fs.lstatSync(path.join(mirror, name)).isFile())
  return new Map(names.map((name) => [name, fs.readFileSync(path.join(mirror, name))]))
}

for (const [why, name, damage] of DAMAGED)
  test(`exportTiles leaves a tree that holds, and says what it wrote anew: where ${why} was`, async () => {
    await twice(
      (mirror) => damage(path.join(mirror, name)),
      async ({ mirror, write }) => {
        const { written, mended } = await write()
        assert.deepEqual({ written, mended }, { written: 2, mended: 1 })
        const exported = contentOf(mirror)
        assert.equal(checkTree(exported), 812)
        assert.ok(exported.has(name), 'a plain file')
        assert.equal((await write()).mended, 0)
      },
    )
  })

const NOT_THEIRS: readonly [why: string, told: RegExp, damage: (mirror: string) => void][] = [
  [
    'a folder in the place of a tile',
    /tile\/0\/001 is a folder/,
    (mirror) => {
      fs.rmSync(path.join(mirror, 'tile/0/001'))
      fs.mkdirSync(path.join(mirror, 'tile/0/001'))
    },
  ],
  [
    'a link in the place of the checkpoint',
    /checkpoint is no plain file/,
    (mirror) => {
      fs.renameSync(path.join(mirror, 'checkpoint'), path.join(mirror, '../elsewhere'))
      fs.symlinkSync('../elsewhere', path.join(mirror, 'checkpoint'))
    },
  ],
]

for (const [why, told, damage] of NOT_THEIRS)
  test(`exportTiles names what it does not take away: ${why}`, async () => {
    await twice(damage, async ({ write }) => {
      await assert.rejects(write(), { code: 'export.foreign', say: told })
    })
  })
