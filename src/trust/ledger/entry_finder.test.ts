import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import { newEntryId } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryDraft } from '#base/recorder.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { EntryFinder } from './entry_finder.ts'
import type { Ledger } from './ledger.ts'
import { shredEntries } from './shred.ts'

const SMALL_SEGMENTS = { segmentBytes: 10_000 }

function finderOn(files: SimulatedFiles): EntryFinder {
  return new EntryFinder({ files, directory: LEDGER, sidecarKey: KEYS.sidecarKey })
}

/** Appends requests, each with its outcome, and gives their intents. */
async function requests(ledger: Ledger, count: number): Promise<readonly EntryDraft[]> {
  const drafts = Array.from({ length: count }, (_, at) => intent(at))
  await Promise.all(
    drafts.map(async (each, at) => {
      await ledger.append(each)
      await ledger.append(outcome(each, at))
    }),
  )
  return drafts
}

async function assertFound(finder: EntryFinder, drafts: readonly EntryDraft[]): Promise<void> {
  for (const { id, fields } of drafts) {
    const found = await finder.find(id)
    assert.deepEqual(
      found.map(({ leaf }) => [leaf['kind'], leaf['id']]),
      [
        ['outcome', id],
        ['intent', id],
      ],
    )
    assert.equal(found[1]?.opened?.['address']?.value, fields['address'])
  }
}

/** Counts the bytes that are read from here on, and forbids reading whole files. */
function countReads(files: SimulatedFiles): { bytes: number } {
  const counted = { bytes: 0 }
  const range = files.readRange.bind(files)
  files.readRange = async (path, from, length) => {
    const bytes = await range(path, from, length)
    counted.bytes += bytes.length
    return bytes
  }
  files.read = async (path) => assert.fail(`${path} was read whole`)
  return counted
}

test('find reads the active segment once, and then only what a search needs', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const drafts: EntryDraft[] = []
  for (let at = 0; at < 30; at++) drafts.push(...(await requests(ledger, 50)))
  const { bytes } =
    (await files.facts(`${(await newestFolder(files)).path}/000000000000.raw`)) ?? assert.fail()
  assert.ok(bytes > 1_024 * 1_024, `${bytes} bytes are more than a window`)
  const finder = finderOn(files)
  const counted = countReads(files)
  await assertFound(finder, drafts.slice(0, 1))
  assert.ok(counted.bytes < bytes * 1.5, `${counted.bytes} bytes for the first search`)
  counted.bytes = 0
  await assertFound(finder, drafts.slice(-20))
  await finder.find(newEntryId())
  assert.ok(counted.bytes < bytes, `${counted.bytes} bytes for 21 more`)
  await ledger.close()
})

test('find stops at the segment that holds the first entry of a request: its intent or its refusal', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, SMALL_SEGMENTS)
  await requests(ledger, 300)
  await ledger.checkpoint()
  await ledger.settled()
  const [asked = assert.fail()] = await requests(ledger, 1)
  const refused = draft('refusal', { code: 'x' })
  await ledger.append(refused)
  await ledger.close()
  let reads = 0
  const readRange = files.readRange.bind(files)
  files.readRange = (path, from, length) => {
    if (path.endsWith('.leaves')) reads += 1
    return readRange(path, from, length)
  }
  for (const [id, count] of [
    [asked.id, 2],
    [refused.id, 1],
  ] as const) {
    const found = await finderOn(files).find(id)
    assert.deepEqual([found.length, reads], [count, 0])
    assert.ok(found.every(({ leaf, index }) => leaf['id'] === id && index >= 512))
  }
  await finderOn(files).find(newEntryId())
  assert.ok(reads > 0, 'for an unknown one it looks into every segment')
})

test('find follows a log that grows, is sealed and goes on', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, SMALL_SEGMENTS)
  const finder = finderOn(files)
  const all: EntryDraft[] = []
  for (let round = 0; round < 8; round++) {
    all.push(...(await requests(ledger, 60)))
    await assertFound(finder, [...all.slice(0, 3), ...all.slice(-3)])
    await ledger.checkpoint()
    await ledger.settled()
    await assertFound(finder, [...all.slice(0, 3), ...all.slice(-3)])
  }
  assert.ok([...files.all().keys()].filter((name) => name.endsWith('.leaves')).length > 2)
  await assertFound(finder, all)
  await ledger.close()
})

test('find reads a file anew that was cut or written over', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const finder = finderOn(files)
  const [first, second] = [(await requests(ledger, 3))[0], (await requests(ledger, 3))[0]]
  assert.ok(first !== undefined && second !== undefined)
  await ledger.close()
  await assertFound(finder, [first, second])
  const folder = await newestFolder(files)
  await shredEntries(files, folder, KEYS.sidecarKey, { from: 0, to: 4 })
  assert.equal((await finder.find(first.id))[1]?.opened, undefined)
  await assertFound(finder, [second])
  const raw = `${folder.path}/000000000000.raw`
  files.tamper(raw, (await files.read(raw)).subarray(0, 200))
  assert.deepEqual(await finder.find(second.id), [])
})

test('find passes over a group that is being written, and finds it once it is whole', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { roomBytes: 0 })
  await requests(ledger, 2)
  const late = intent(9)
  const raw = `${(await newestFolder(files)).path}/000000000000.raw`
  await ledger.append(late)
  await ledger.close()
  const whole = await files.read(raw)
  const finder = finderOn(files)
  for (const room of [0, 5_000]) {
    files.tamper(raw, Buffer.concat([whole.subarray(0, -10), Buffer.alloc(room)]))
    assert.deepEqual(await finder.find(late.id), [])
  }
  files.tamper(raw, whole)
  assert.equal((await finder.find(late.id)).length, 1)
})

test('find reads a group that is longer than a window', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const long = { policies: Array.from({ length: 50 }, (_, at) => `${at}${'x'.repeat(1_000)}`) }
  const drafts = Array.from({ length: 60 }, () => draft('refusal', long))
  await Promise.all(drafts.map(async (each) => await ledger.append(each)))
  const finder = finderOn(files)
  for (const { id } of drafts) assert.equal((await finder.find(id)).length, 1)
  await ledger.close()
})

test('find runs one search at a time, and refuses when too many wait', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const [first] = await requests(ledger, 1)
  assert.ok(first !== undefined)
  let running = 0
  let most = 0
  const list = files.list.bind(files)
  files.list = async (path) => {
    if (path !== LEDGER) return await list(path)
    running += 1
    most = Math.max(most, running)
    const names = await list(path)
    running -= 1
    return names
  }
  const finder = finderOn(files)
  const searches = Array.from({ length: LIMITS.entrySearches + 5 }, async () => await finder.find(first.id))
  const results = await Promise.allSettled(searches)
  const refused = results.filter((each) => each.status === 'rejected').map((each) => each.reason.code)
  assert.deepEqual(
    refused,
    Array.from({ length: 5 }, () => 'load.exceeded'),
  )
  assert.equal(most, 1)
  await assertFound(finder, [first])
  await ledger.close()
})

test('find goes on after a search that failed', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const drafts = await requests(ledger, 1)
  const finder = finderOn(files)
  const { facts } = files
  files.facts = () => Promise.reject(Object.assign(new Error('no'), { code: 'EIO' }))
  await assert.rejects(finder.find(drafts[0]?.id ?? ''), { code: 'EIO' })
  files.facts = facts
  await assertFound(finder, drafts)
  await ledger.close()
})

test('find says where a segment cannot be read: its head is damaged', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await requests(ledger, 1)
  await ledger.close()
  const raw = `${(await newestFolder(files)).path}/000000000000.raw`
  const content = await files.read(raw)
  for (const bytes of [utf8('x'), concat(content.subarray(1)), utf8('y'.repeat(content.length))]) {
    files.tamper(raw, bytes)
    await assert.rejects(finderOn(files).find(newEntryId()), { code: 'ledger.corrupt' })
  }
})

test('find shows a sealed entry without its values: no key, no sidecar; and refuses damaged leaves', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, SMALL_SEGMENTS)
  const [first] = await requests(ledger, 130)
  assert.ok(first !== undefined)
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  const sealed = `${(await newestFolder(files)).path}/000000000000`
  const keyless = await new EntryFinder({ files, directory: LEDGER }).find(first.id)
  assert.deepEqual(
    keyless.map(({ opened }) => opened),
    [undefined, undefined],
  )
  await assertFound(finderOn(files), [first])
  const sidecar = await files.read(`${sealed}.sidecar`)
  for (const bytes of [undefined, sidecar.subarray(1)]) {
    files.tamper(`${sealed}.sidecar`, bytes)
    assert.equal((await finderOn(files).find(first.id))[1]?.opened, undefined)
  }
  const leaves = await files.read(`${sealed}.leaves`)
  files.tamper(`${sealed}.leaves`, leaves.subarray(0, -1))
  await assert.rejects(finderOn(files).find(first.id), { code: 'ledger.corrupt' })
  const range = files.readRange.bind(files)
  files.readRange = async (path, from, length) => {
    const bytes = await range(path, from, length)
    if (from > 0) files.tamper(`${sealed}.leaves`, undefined)
    return bytes
  }
  await assert.rejects(finderOn(files).find(first.id), { code: 'ledger.corrupt' })
})
