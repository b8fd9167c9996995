import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { randomBytes } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
} from '../../../test/support/ledger_fixture.ts'
import { listOrigins, listSegments, originFolder, segmentName } from './layout.ts'
import { verifiersOf } from './log_keys.ts'
import { createOrigin, loadVerifiers, nameKeys, sortOrigins } from './origin.ts'

test('createOrigin numbers logs and clears away what a crash left of one', async () => {
  const files = await emptyDisk()
  await files.makeDirectory(LEDGER)
  const first = await createOrigin(files, LEDGER, KEYS, { opening: undefined, at: 0 })
  const left = originFolder(LEDGER, 2, 'A'.repeat(16))
  await files.makeDirectory(left.path)
  files.tamper(`${left.path}/checkpoint`, utf8('x'))
  const second = await createOrigin(files, LEDGER, KEYS, { opening: undefined, at: 0 })
  assert.deepEqual([first.number, second.number], [1, 2])
  assert.deepEqual(
    (await listOrigins(files, LEDGER)).folders.map((each) => each.path),
    [first.path, second.path],
  )
  assert.match(first.origin, /^gatehouse\.local\/[0-9A-Za-z]{16}$/)
  assert.notEqual(first.origin, second.origin)
})

test('sortOrigins never takes a log with entries for an unfinished one', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  await ledger.close()
  const { path } = await newestFolder(files)
  files.tamper(`${path}/origin`, undefined)
  await assert.rejects(sortOrigins(files, LEDGER), { code: 'ledger.corrupt' })
  files.tamper(`${path}/000000000000.raw`, utf8('not a segment'))
  await assert.rejects(sortOrigins(files, LEDGER), { code: 'ledger.corrupt' })
})

test('loadVerifiers reads the keys of this log only', async () => {
  const files = await emptyDisk()
  await files.makeDirectory(LEDGER)
  const folder = await createOrigin(files, LEDGER, KEYS, { opening: undefined, at: 0 })
  assert.equal((await loadVerifiers(files, folder))?.[0]?.name, folder.origin)
  const other = originFolder(LEDGER, 2, 'B'.repeat(16))
  await files.makeDirectory(other.path)
  files.tamper(`${other.path}/origin`, files.all().get(`${folder.path}/origin`))
  assert.equal(await loadVerifiers(files, other), undefined)
})

test('loadVerifiers reads the keys of a log that have been rotated a hundred times', async (t) => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-origin-'))
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }))
  const folder = await createOrigin(NODE_FILES, directory, KEYS, { opening: undefined, at: 0 })
  for (let pair = 0; pair < 100; pair++) {
    const key = { ed25519: randomBytes(32), mlDsa44: randomBytes(1_312), hasEnded: false }
    await nameKeys(NODE_FILES, folder, verifiersOf([key], folder.origin))
  }
  assert.equal((await loadVerifiers(NODE_FILES, folder))?.length, 202)
})

test('listSegments and listOrigins know their names: and call all others strange', async () => {
  const files = await emptyDisk()
  const folder = originFolder(LEDGER, 1, 'C'.repeat(16))
  await files.makeDirectory(folder.path)
  for (const name of [
    segmentName(256, 'raw'),
    segmentName(0, 'leaves'),
    segmentName(0, 'sidecar'),
    'x.tmp',
    'origin',
    'checkpoint',
    '1.raw',
    '0000000000001.raw',
    '000000000000.zip',
  ])
    files.tamper(`${folder.path}/${name}`, utf8(''))
  for (const name of ['reserve', 'reserve.tmp', '001-x', '00001-CCCCCCCCCCCCCCCC'])
    files.tamper(`${LEDGER}/${name}`, utf8(''))
  const inside = await listSegments(files, folder)
  assert.deepEqual(
    inside.segments.map(({ first, parts }) => [first, [...parts].sort()]),
    [
      [0, ['leaves', 'sidecar']],
      [256, ['raw']],
    ],
  )
  assert.deepEqual(inside.temporary, ['x.tmp'])
  assert.deepEqual(inside.strange, ['000000000000.zip', '0000000000001.raw', '1.raw'])
  const above = await listOrigins(files, LEDGER)
  assert.deepEqual(
    above.folders.map((each) => each.number),
    [1],
  )
  assert.deepEqual(above.strange, ['00001-CCCCCCCCCCCCCCCC', '001-x'])
})
