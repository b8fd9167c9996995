import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { NODE_FILES } from '#base/files.ts'
import { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { gather, recordReads } from '../../../test/support/tiled_fixture.ts'
import type { OriginFolder } from './layout.ts'
import { FileNames, leafTiles, readPlace, readTile, tileFiles, writeBelow, writeTiles } from './tile_files.ts'

const PLACE = { level: 3, index: 1_002 }
const TILE = Buffer.alloc(8_192, 5)

/** What is at `at`, which is `tile/3/x001/002` of a log on the real disk, as `read` finds it. */
async function found(
  put: (at: string) => void,
): Promise<readonly [tile: number | undefined, place: number | undefined]> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-tiles-'))
  try {
    put(`${folder}/tile/3/x001/002`)
    const log: OriginFolder = { number: 1, origin: 'of a test', path: folder }
    const [tile, place] = await Promise.all([
      readTile(NODE_FILES, log, PLACE),
      readPlace(NODE_FILES, log, PLACE),
    ])
    return [tile?.length, place?.length]
  } finally {
    fs.rmSync(folder, { recursive: true })
  }
}

function putFile(at: string, bytes: Uint8Array): void {
  fs.mkdirSync(path.dirname(at), { recursive: true })
  fs.writeFileSync(at, bytes)
}

const THERE: readonly [
  why: string,
  put: (at: string) => void,
  tile: number | undefined,
  place: number | undefined,
][] = [
  ['a tile', (at) => putFile(at, TILE), 8_192, 8_192],
  ['nothing', () => undefined, undefined, undefined],
  ['a file in the place of its folder', (at) => putFile(path.dirname(at), TILE), undefined, undefined],
  ['an empty file', (at) => putFile(at, TILE.subarray(0, 0)), undefined, 0],
  ['a hash less', (at) => putFile(at, TILE.subarray(32)), undefined, 8_160],
  ['a byte more', (at) => putFile(at, Buffer.alloc(8_193)), undefined, 0],
  ['a folder', (at) => fs.mkdirSync(at, { recursive: true }), undefined, 0],
  [
    'a link to a tile',
    (at) => {
      putFile(`${at}.other`, TILE)
      fs.symlinkSync(`${at}.other`, at)
    },
    undefined,
    0,
  ],
]

for (const [why, put, tile, place] of THERE)
  test(`readTile and readPlace take what stands there for what it is: ${why}`, async () => {
    assert.deepEqual(await found(put), [tile, place])
  })

const LOG: OriginFolder = { number: 1, origin: 'of a test', path: '/ledger/0001-TestedTestedTest' }

test('tileFiles throws what is wrong with the disk: that is no file in the place of a folder', async () => {
  const files = new SimulatedFiles()
  files.list = async () => Promise.reject(Object.assign(new Error('bad disk'), { code: 'EIO' }))
  await assert.rejects(gather(tileFiles(files, LOG)), { code: 'EIO' })
})

test('readTile throws what is wrong with the disk: that is no missing tile', async () => {
  const files = new SimulatedFiles()
  files.read = async () => Promise.reject(Object.assign(new Error('bad disk'), { code: 'EIO' }))
  await assert.rejects(readTile(files, LOG, PLACE), { code: 'EIO' })
  files.read = async () => Promise.reject(new TypeError('ours'))
  await assert.rejects(readTile(files, LOG, PLACE), TypeError)
})

async function emptyLog(): Promise<SimulatedFiles> {
  const files = new SimulatedFiles()
  await files.makeDirectory(LOG.path)
  for (const above of ['/', '/ledger']) await files.syncDirectory(above)
  files.steps.length = 0
  return files
}

test('writeTiles makes tiles durable: with their folders up to that of the log, each synced once', async () => {
  const files = await emptyLog()
  const [low, high] = [
    { level: 0, index: 1_002, hashes: TILE },
    { level: 1, index: 3, hashes: Buffer.alloc(8_192, 6) },
  ]
  await writeTiles(files, LOG, [low, { ...low, index: 1_003 }, high])
  const isSync = ({ kind }: { readonly kind: string }): boolean => kind === 'syncDirectory'
  const synced = files.steps.filter(isSync).map(({ path: each }) => each)
  assert.deepEqual(
    synced.toSorted(),
    ['', '/tile', '/tile/0', '/tile/0/x001', '/tile/1'].map((each) => LOG.path + each),
  )
  assert.ok(files.steps.slice(-synced.length).every(isSync))
  const after = files.reopen('lost')
  for (const tile of [low, { ...low, index: 1_003 }, high])
    assert.deepEqual(await readTile(after, LOG, tile), tile.hashes)
})

test('writeTiles writes nothing when there are no tiles', async () => {
  const files = await emptyLog()
  await writeTiles(files, LOG, [])
  assert.deepEqual(files.steps, [])
})

const WRITERS: readonly [writer: string | undefined, temporary: string][] = [
  [undefined, 'tile/0/000.tmp'],
  ['.second', 'tile/0/000.second.tmp'],
]

for (const [writer, temporary] of WRITERS)
  test(`writeBelow writes beside the file that it replaces: ${temporary}`, async () => {
    const files = await emptyLog()
    await writeBelow(files, LOG.path, [{ path: `${LOG.path}/tile/0/000`, bytes: TILE }], writer)
    const created = files.steps.filter(({ kind }) => kind === 'create').map(({ path: each }) => each)
    assert.deepEqual(created, [`${LOG.path}/${temporary}`])
  })

test('leafTiles numbers the tiles of a segment: from its first entry on', () => {
  const hashes = [Buffer.alloc(8_192, 1), Buffer.alloc(8_192, 2)]
  assert.deepEqual(leafTiles(768, hashes), [
    { level: 0, index: 3, hashes: hashes[0] },
    { level: 0, index: 4, hashes: hashes[1] },
  ])
})

test('FileNames lists each folder once: asked in order', async () => {
  const files = await emptyLog()
  for (const name of ['0/000', '0/x001/000', '1/000']) files.tamper(`${LOG.path}/tile/${name}`, TILE)
  const asked = recordReads(files)
  const names = new FileNames(files)
  const rows: readonly [name: string, isThere: boolean][] = [
    ['0/000', true],
    ['0/001', false],
    ['0/00', false],
    ['0/x001/000', true],
    ['0/x001/001', false],
    ['1/000', true],
    ['2/000', false],
  ]
  for (const [name, isThere] of rows) assert.equal(await names.has(`${LOG.path}/tile/${name}`), isThere, name)
  assert.deepEqual(
    asked,
    ['0', '0/x001', '1', '2'].map((folder) => `list ${LOG.path}/tile/${folder}`),
  )
})

const BELOW: readonly [why: string, path: string, given: string][] = [
  ['a tile', 'tile/0/000', 'tile/0/000'],
  ['a tile of a level of two digits', 'tile/10/000', 'tile/10/000'],
  ['a tile behind the first thousand', 'tile/0/x001/002', 'tile/0/x001/002'],
  ['a tile behind the first million', 'tile/0/x001/x002/003', 'tile/0/x001/x002/003'],
  ['a file that is no tile', 'tile/0/notes', 'tile/0/notes'],
  ['a file beside the levels', 'tile/notes', 'tile/notes'],
  ['a folder of bundles, which is none of a log', 'tile/entries/000', 'tile/entries'],
  ['a folder of a partial tile, which is none of a log', 'tile/0/000.p/3', 'tile/0/000.p'],
  ['a level of three digits', 'tile/100/000', 'tile/100'],
  ['a level that ends with letters', 'tile/1a/000', 'tile/1a'],
  ['a level that starts with letters', 'tile/a1/000', 'tile/a1'],
  ['a folder of thousands in the place of a level', 'tile/x001/000', 'tile/x001'],
  ['a level in the place of a folder of thousands', 'tile/0/12/000', 'tile/0/12'],
  ['thousands of one digit', 'tile/0/x1/000', 'tile/0/x1'],
  ['thousands of four digits', 'tile/0/x0001/000', 'tile/0/x0001'],
  ['thousands that start with a letter', 'tile/0/ax001/000', 'tile/0/ax001'],
  ['thousands in letters', 'tile/0/xabc/000', 'tile/0/xabc'],
]

for (const [why, path, given] of BELOW)
  test(`tileFiles gives what is below the folder of tiles, and goes into those of tiles only: ${why}`, async () => {
    const files = await emptyLog()
    await files.makeDirectory(`${LOG.path}/${path.slice(0, path.lastIndexOf('/'))}`)
    files.tamper(`${LOG.path}/${path}`, TILE)
    assert.deepEqual(await gather(tileFiles(files, LOG)), [given])
  })

for (const path of ['tile', 'tile/0', 'tile/0/x001'])
  test(`tileFiles gives a file that stands in the place of a folder: ${path}`, async () => {
    const files = await emptyLog()
    if (path !== 'tile') await files.makeDirectory(`${LOG.path}/${path.slice(0, path.lastIndexOf('/'))}`)
    files.tamper(`${LOG.path}/${path}`, TILE)
    assert.deepEqual(await gather(tileFiles(files, LOG)), [path])
  })
