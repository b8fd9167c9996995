import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { utf8 } from '#base/bytes.ts'
import { newEntryId } from '#base/ids.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import type { EntryDraft } from '#base/recorder.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { verifyDisclosure } from './commitment.ts'
import { findEntries } from './entry_finder.ts'
import { readEntries, readFirstLeaf, tailEntries } from './read.ts'

const OPTIONS = { segmentBytes: 10_000 }
const KEY = { sidecarKey: KEYS.sidecarKey }

/** Two sealed segments and an active one. */
async function longLedger(): Promise<{ files: SimulatedFiles; drafts: EntryDraft[] }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, OPTIONS)
  const drafts: EntryDraft[] = []
  for (let at = 0; at < 300; at++) {
    const before = intent(at)
    drafts.push(before, outcome(before, at))
  }
  for (let at = 0; at < drafts.length; at += 50)
    await Promise.all(drafts.slice(at, at + 50).map((each) => ledger.append(each)))
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  return { files, drafts }
}

const LONG = await longLedger()

/** The same disk, and the names of the files that are read whole from now on. */
function readsOf(disk: SimulatedFiles): {
  readonly files: SimulatedFiles
  readonly names: readonly string[]
} {
  const files = disk.reopen('kept')
  const names: string[] = []
  const read = files.read.bind(files)
  files.read = (path) => {
    names.push(path.slice(path.lastIndexOf('/') + 1))
    return read(path)
  }
  return { files, names }
}

test('readEntries gives every entry in order: from sealed segments and the active one', async () => {
  const entries = await readAll(LONG.files, KEY)
  assert.deepEqual(
    entries.map(({ index }) => index),
    LONG.drafts.map((_, at) => at),
  )
  assert.deepEqual(
    entries.map(({ leaf }) => leaf['id']),
    LONG.drafts.map(({ id }) => id),
  )
  for (const [at, { opened, leaf }] of entries.entries())
    for (const name of ['address', 'content']) {
      const value = LONG.drafts[at]?.fields[name]
      assert.equal(opened?.[name]?.value, value)
      const salt = opened?.[name]?.salt
      if (value !== undefined) assert.ok(salt !== undefined && verifyDisclosure(leaf, name, value, salt))
    }
})

test('readEntries gives no values without the key', async () => {
  for (const { opened } of await readAll(LONG.files)) assert.equal(opened, undefined)
})

test('readEntries gives no values with a wrong key', async () => {
  for (const { opened } of await readAll(LONG.files, { sidecarKey: KEYS.pseudonymKey }))
    assert.equal(opened, undefined)
})

for (const [from, to, count] of [
  [0, 1, 1],
  [255, 257, 2],
  [300, undefined, 300],
  [599, 700, 1],
  [600, undefined, 0],
  [10, 10, 0],
] as const)
  test(`readEntries keeps to its range: ${from} to ${to ?? 'the end'}`, async () => {
    const entries = await readAll(LONG.files, to === undefined ? { from } : { from, to })
    assert.equal(entries.length, count)
    if (count > 0) assert.equal(entries[0]?.index, from)
  })

const SEGMENTS = ['000000000000.leaves', '000000000256.leaves', '000000000512.raw']

for (const [from, to, wanted] of [
  [0, 256, [0]],
  [0, 257, [0, 1]],
  [255, 256, [0]],
  [256, 512, [1]],
  [511, 512, [1]],
  [512, 600, [2]],
  [700, 800, [2]],
] as const)
  test(`readEntries reads only the segments that it must: for ${from} to ${to}`, async () => {
    const reads = readsOf(LONG.files)
    for await (const { index } of readEntries(reads.files, await newestFolder(LONG.files), { from, to }))
      assert.ok(index >= from && index < to)
    const read = SEGMENTS.filter((name) => reads.names.includes(name))
    assert.deepEqual(
      read,
      wanted.map((at) => SEGMENTS[at]),
    )
  })

test('tailEntries reads no more segments than it must', async () => {
  for (const [count, segments] of [
    [0, 0],
    [88, 1],
    [89, 2],
    [344, 2],
    [345, 3],
  ] as const) {
    const reads = readsOf(LONG.files)
    assert.equal((await tailEntries(reads.files, LEDGER, count)).length, count)
    assert.equal(SEGMENTS.filter((name) => reads.names.includes(name)).length, segments, `${count}`)
  }
})

test('readFirstLeaf gives the first entry: of a log in whatever form, and nothing of one without', async () => {
  const files = LONG.files.reopen('kept')
  const folder = await newestFolder(files)
  assert.equal((await readFirstLeaf(files, folder))?.['id'], LONG.drafts[0]?.id)
  files.tamper(`${folder.path}/000000000000.leaves`, undefined)
  assert.equal(await readFirstLeaf(files, folder), undefined)
  const other = await emptyDisk()
  const ledger = await openOn(other)
  assert.equal(await readFirstLeaf(other, await newestFolder(other)), undefined)
  const first = intent(1)
  await ledger.append(first)
  await ledger.append(intent(2))
  await ledger.close()
  assert.equal((await readFirstLeaf(other, await newestFolder(other)))?.['id'], first.id)
})

test('tailEntries gives the last entries: across segments', async () => {
  for (const count of [0, 1, 100, 400, 10_000]) {
    const entries = await tailEntries(LONG.files, LEDGER, count)
    assert.equal(entries.length, Math.min(count, 600))
    if (count > 0) assert.equal(entries.at(-1)?.index, 599)
  }
})

test('findEntries gives the entries of a request, newest first: wherever they are', async () => {
  for (const at of [0, 1, 254, 255, 256, 300, 511, 512, 599]) {
    const id = LONG.drafts[at]?.id ?? ''
    const found = await findEntries(LONG.files, LEDGER, id, KEY)
    assert.deepEqual(
      found.map(({ leaf }) => [leaf['kind'], leaf['id']]),
      [
        ['outcome', id],
        ['intent', id],
      ],
    )
    assert.ok(found[0]?.opened?.['content'] !== undefined)
  }
})

test('findEntries gives nothing: an unknown id, or what is no id', async () => {
  for (const id of [newEntryId(), '', 'x', '"id":"0000000000', '*'.repeat(16)])
    assert.deepEqual(await findEntries(LONG.files, LEDGER, id), [])
})

test('findEntries looks through all logs: also the ones before a restore', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const before = intent(1)
  await ledger.append(before)
  await ledger.close()
  const old = files.reopen('kept')
  const later = await openOn(files)
  await later.append(intent(2))
  const knownHead = await later.checkpoint()
  await later.close()
  const next = await openOn(old, { knownHeads: [knownHead] })
  const note = draft('note', { what: 'x' })
  await next.append(note)
  await next.close()
  assert.equal((await findEntries(old, LEDGER, before.id)).length, 1)
  assert.equal((await findEntries(old, LEDGER, note.id)).length, 1)
  assert.equal((await tailEntries(old, LEDGER, 10)).length, 3)
})

test('readEntries throws with the place: a segment that cannot be read or is gone', async () => {
  const { path } = await newestFolder(LONG.files)
  for (const name of ['000000000000.leaves', '000000000512.raw']) {
    const files = LONG.files.reopen('kept')
    files.tamper(`${path}/${name}`, utf8('x'))
    await assert.rejects(readAll(files), {
      code: 'ledger.corrupt',
      detail: { place: `${path}/${name}`, what: 'cannot be read' },
    })
  }
  const files = LONG.files.reopen('kept')
  files.tamper(`${path}/000000000000.leaves`, undefined)
  await assert.rejects(readAll(files), { code: 'ledger.corrupt' })
  const unsearchable = LONG.files.reopen('kept')
  unsearchable.tamper(`${path}/000000000000.leaves`, utf8('x'))
  await assert.rejects(findEntries(unsearchable, LEDGER, newEntryId()), { code: 'ledger.corrupt' })
})

test('findEntries goes on: other errors of the disk are not taken for a missing file', async () => {
  const files = LONG.files.reopen('kept')
  files.readRange = () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }))
  await assert.rejects(findEntries(files, LEDGER, newEntryId()), { code: 'EIO' })
  files.read = () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }))
  await assert.rejects(readAll(files), { code: 'EIO' })
})

test('readers work beside a process that appends and seals', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, OPTIONS)
  const first = intent(0)
  await ledger.append(first)
  const progress = { isDone: false }
  const work = (async () => {
    for (let at = 0; at < 12; at++) {
      await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(each))))
      await ledger.checkpoint()
    }
    progress.isDone = true
  })()
  while (!progress.isDone) {
    // The simulated disk answers at once, and who appends needs turns of the event loop.
    await nextTurn()
    const folder = await newestFolder(files)
    let next = 0
    for await (const entry of readEntries(files, folder, KEY)) {
      assert.equal(entry.index, next++)
      assert.ok(entry.opened !== undefined)
    }
    assert.equal((await findEntries(files, LEDGER, first.id)).length, 1)
    assert.ok((await tailEntries(files, LEDGER, 5)).length > 0)
  }
  await work
  await ledger.close()
})
