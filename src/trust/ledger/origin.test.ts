import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { concat, toHex, utf8 } from '#base/bytes.ts'
import { randomBytes } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import type { EntryDraft } from '#base/recorder.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
} from '../../../test/support/ledger_fixture.ts'
import { openCheckpoint } from './checkpoint.ts'
import { listOrigins, listSegments, originFolder, segmentName } from './layout.ts'
import { makeLeaf } from './leaf.ts'
import { verifiersOf } from './log_keys.ts'
import { leafHash } from './merkle.ts'
import { printVerifierKey, type NoteVerifier } from './note.ts'
import { createOrigin, isUnfinished, loadVerifiers, nameKeys, sortOrigins, startedLogs } from './origin.ts'
import { tailEntries } from './read.ts'
import { encodeGroup, encodeHead } from './raw_segment.ts'
import { successionFields } from './succession.ts'

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

test('createOrigin removes a link that has the name of a log, and nothing of what it leads to', async () => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-origin-'))
  try {
    const [ledger, elsewhere] = [path.join(home, 'ledger'), path.join(home, 'elsewhere')]
    for (const folder of [ledger, elsewhere]) fs.mkdirSync(folder)
    // A name that is in a log, too: any other one, and it is no log that was not finished.
    fs.writeFileSync(path.join(elsewhere, 'checkpoint'), 'precious')
    fs.symlinkSync(elsewhere, originFolder(ledger, 2, 'A'.repeat(16)).path)
    const made = await createOrigin(NODE_FILES, ledger, KEYS, { opening: undefined, at: 0 })
    assert.deepEqual(fs.readdirSync(ledger), [path.basename(made.path)])
    assert.equal(fs.readFileSync(path.join(elsewhere, 'checkpoint'), 'utf8'), 'precious')
  } finally {
    fs.rmSync(home, { recursive: true })
  }
})

test('sortOrigins takes no folder for an unfinished log that holds something else', async () => {
  const files = await emptyDisk()
  const left = originFolder(LEDGER, 1, 'A'.repeat(16))
  await files.makeDirectory(left.path)
  files.tamper(`${left.path}/id_ed25519`, utf8('precious'))
  await assert.rejects(sortOrigins(files, LEDGER), { code: 'ledger.corrupt' })
})

test('openLedger removes what a crash left of a log, also where it starts none: readers would take it for the newest', async () => {
  const files = await emptyDisk()
  await (await openOn(files)).close()
  const { path: first } = await newestFolder(files)
  const left = originFolder(LEDGER, 2, 'A'.repeat(16))
  await files.makeDirectory(left.path)
  files.tamper(`${left.path}/checkpoint`, utf8('x'))
  await (await openOn(files)).close()
  assert.deepEqual(
    (await listOrigins(files, LEDGER)).folders.map((each) => each.path),
    [first],
  )
})

test('startedLogs leaves out what a start has not finished: it would be taken for the newest log', async () => {
  const files = await emptyDisk()
  await (await openOn(files)).close()
  const { path: first } = await newestFolder(files)
  await files.makeDirectory(originFolder(LEDGER, 2, 'A'.repeat(16)).path)
  assert.deepEqual(
    (await startedLogs(files, LEDGER)).map((each) => each.path),
    [first],
  )
})

test('a file in the place of the folder of a log is damage with its place: for who starts, reads and lists', async () => {
  const files = await emptyDisk()
  await (await openOn(files)).close()
  const { path: place } = originFolder(LEDGER, 2, 'A'.repeat(16))
  files.tamper(place, utf8('x'))
  const fault = { code: 'ledger.corrupt', detail: { place, what: 'not a folder of a ledger' } }
  await assert.rejects(sortOrigins(files, LEDGER), fault)
  await assert.rejects(startedLogs(files, LEDGER), fault)
  await assert.rejects(tailEntries(files, LEDGER, 1), fault)
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

/** The bytes of a segment of which each group holds these entries. */
function rawWith(origin: string, ...groups: readonly (readonly EntryDraft[])[]): Buffer {
  let first = 0
  const frames = groups.map((drafts) => {
    const leaves = drafts.map((each) => makeLeaf(each, Buffer.alloc(32), String).bytes)
    const group = encodeGroup(first, leaves, utf8('sealed'))
    first += leaves.length
    return group
  })
  return Buffer.from(concat(encodeHead(origin, 0), ...frames))
}

const FOLDER = originFolder(LEDGER, 1, 'D'.repeat(16))
const OPENING = draft('note', successionFields({ before: undefined, after: [], isAccepted: false }))
const PLAIN = draft('note', { what: 'x' })
const LOST = rawWith(FOLDER.origin, [OPENING])

const LEFT: readonly [why: string, isUnfinished: boolean, left: Readonly<Record<string, Uint8Array>>][] = [
  ['an empty folder', true, {}],
  ['only a checkpoint', true, { checkpoint: utf8('x') }],
  ['a segment without entries', true, { '000000000000.raw': rawWith(FOLDER.origin) }],
  ['a segment with its opening entry', true, { '000000000000.raw': LOST }],
  ['all of a log', false, { '000000000000.raw': LOST, origin: utf8('x') }],
  ['an entry of somebody', false, { '000000000000.raw': rawWith(FOLDER.origin, [PLAIN]) }],
  ['an entry behind the opening', false, { '000000000000.raw': rawWith(FOLDER.origin, [OPENING], [PLAIN]) }],
  ['two openings', false, { '000000000000.raw': rawWith(FOLDER.origin, [OPENING, OPENING]) }],
  ['a torn entry', false, { '000000000000.raw': rawWith(FOLDER.origin, [OPENING]).subarray(0, -1) }],
  ['no segment', false, { '000000000000.raw': utf8('x') }],
  ['a sealed segment', false, { '000000000000.leaves': utf8('x') }],
  ['two segments', false, { '000000000000.raw': LOST, '000000000256.raw': LOST }],
]

for (const [why, expected, left] of LEFT)
  test(`isUnfinished ${expected ? 'lets go of' : 'keeps'} a folder: ${why}`, async () => {
    const files = await emptyDisk()
    await files.makeDirectory(FOLDER.path)
    for (const [name, bytes] of Object.entries(left)) files.tamper(`${FOLDER.path}/${name}`, bytes)
    assert.equal(await isUnfinished(files, FOLDER), expected)
  })

test('nameKeys puts what signs now before what has signed, and writes only what is new', async () => {
  const files = await emptyDisk()
  await files.makeDirectory(FOLDER.path)
  const [one, two, three] = [1, 2, 3].map(() =>
    verifiersOf([{ ed25519: randomBytes(32), mlDsa44: randomBytes(1_312), hasEnded: false }], FOLDER.origin),
  )
  if (one === undefined || two === undefined || three === undefined) assert.fail()
  const named = async (): Promise<unknown> => (await loadVerifiers(files, FOLDER))?.map(printVerifierKey)
  const steps = async (signers: readonly NoteVerifier[]): Promise<number> => {
    files.steps.length = 0
    await nameKeys(files, FOLDER, signers)
    return files.steps.length
  }
  assert.ok((await steps(one)) > 0)
  assert.deepEqual(await named(), one.map(printVerifierKey))
  assert.equal(await steps(one), 0)
  assert.ok((await steps([...two, ...one])) > 0)
  assert.deepEqual(await named(), [...two, ...one].map(printVerifierKey))
  assert.equal(await steps(two), 0, 'the older ones have ended, and stay named')
  await nameKeys(files, FOLDER, [...three, ...two])
  assert.deepEqual(await named(), [...three, ...two, ...one].map(printVerifierKey))
})

for (const [why, change] of [
  ['no line break at the end', (text: string) => text.slice(0, -1)],
  ['one line is no key', (text: string) => `${text}x\n`],
  [
    'one key is of another log',
    (text: string) => text + text.replaceAll('gatehouse.local/', 'gatehouse.local/x'),
  ],
  ['nothing', () => ''],
] as const)
  test(`loadVerifiers gives nothing: ${why}`, async () => {
    const files = await emptyDisk()
    await files.makeDirectory(LEDGER)
    const folder = await createOrigin(files, LEDGER, KEYS, { opening: undefined, at: 0 })
    const place = `${folder.path}/origin`
    files.tamper(place, utf8(change(Buffer.from(files.all().get(place) ?? []).toString('utf8'))))
    assert.equal(await loadVerifiers(files, folder), undefined)
  })

test('sortOrigins says which file is missing or damaged', async () => {
  const files = await emptyDisk()
  await files.makeDirectory(FOLDER.path)
  files.tamper(`${FOLDER.path}/origin`, utf8('x'))
  const detail = { place: `${FOLDER.path}/origin`, what: 'missing or damaged' }
  await assert.rejects(sortOrigins(files, LEDGER), { code: 'ledger.corrupt', detail })
})

test('createOrigin signs its opening entry: the checkpoint covers it', async () => {
  const files = await emptyDisk()
  await files.makeDirectory(LEDGER)
  const opening = makeLeaf(OPENING, Buffer.alloc(32), String)
  const folder = await createOrigin(files, LEDGER, KEYS, { opening, at: 0 })
  const note = Buffer.from(files.all().get(`${folder.path}/checkpoint`) ?? []).toString('utf8')
  const head = openCheckpoint(note, (await loadVerifiers(files, folder)) ?? [])
  assert.deepEqual([head?.size, toHex(head?.root ?? utf8(''))], [1, toHex(leafHash(opening.bytes))])
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
