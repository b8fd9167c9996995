import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draft, emptyDisk, KEYS, newestFolder, openOn } from '../../../test/support/ledger_fixture.ts'
import { OpenedPacks } from './opened_packs.ts'
import { recordsIn, SidecarBox } from './sidecar.ts'

/** A log with two sealed segments, and what is read of it from now on. */
async function sealedLog() {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  const drafts = Array.from({ length: 512 }, (_, at) =>
    draft('note', { what: `${at}`, asked: `secret ${at}` }),
  )
  for (const half of [drafts.slice(0, 256), drafts.slice(256)])
    await Promise.all(half.map(async (each) => await ledger.append(each)))
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  const folder = await newestFolder(files)
  const reads: string[] = []
  const read = files.read.bind(files)
  files.read = (path) => {
    reads.push(path.slice(folder.path.length + 1))
    return read(path)
  }
  const readRange = files.readRange.bind(files)
  files.readRange = (path, from, length) => {
    reads.push(`part of ${path.slice(folder.path.length + 1)}`)
    return readRange(path, from, length)
  }
  const takeReads = (): readonly string[] => reads.splice(0)
  return { files, folder, takeReads, ids: drafts.map(({ id }) => id) }
}

const { files, folder, takeReads, ids } = await sealedLog()
const BOX = new SidecarBox(KEYS.sidecarKey, folder.origin)
const [FIRST = '', SECOND = ''] = [ids[0], ids[300]]

test('OpenedPacks unpacks a segment once for all searches in it', async () => {
  const packs = new OpenedPacks(files)
  takeReads()
  const pack = await packs.holding(folder, 0, { id: FIRST, box: BOX })
  assert.equal(pack?.first, 0)
  assert.ok(pack.text.includes(FIRST))
  assert.equal([...recordsIn(pack.records ?? assert.fail())].length, 256)
  const leaves = '000000000000.leaves'
  const head = [`part of ${leaves}`, `part of ${leaves}`]
  assert.deepEqual(takeReads(), [...head, leaves, '000000000000.sidecar'])
  assert.equal(await packs.holding(folder, 0, { id: ids[7] ?? '', box: BOX }), pack)
  assert.deepEqual(takeReads(), [])
  assert.equal((await packs.holding(folder, 256, { id: SECOND, box: BOX }))?.first, 256)
  assert.equal(takeReads().length, 4)
  assert.equal(await packs.holding(folder, 0, { id: FIRST, box: BOX }), pack)
  assert.deepEqual(takeReads(), [], 'both fit')
})

test('OpenedPacks reads no more than the head of a segment without the id, and that once', async () => {
  const packs = new OpenedPacks(files)
  takeReads()
  // About one in a hundred ids looks as if it was there.
  const others = ids.slice(256, 276)
  let unpacked = 0
  for (const id of others) if ((await packs.holding(folder, 0, { id, box: BOX })) !== undefined) unpacked += 1
  assert.ok(unpacked < 5)
  assert.equal(takeReads().filter((each) => each.startsWith('part')).length, 2)
})

test('OpenedPacks gives leaves without secrets: without the key, or with another', async () => {
  for (const box of [undefined, new SidecarBox(KEYS.pseudonymKey, folder.origin)]) {
    const pack = await new OpenedPacks(files).holding(folder, 0, { id: FIRST, box })
    assert.ok(pack?.text.includes(FIRST))
    assert.equal(pack?.records, undefined)
  }
})

test('OpenedPacks says what cannot be read', async () => {
  const place = `${folder.path}/000000000000.leaves`
  const expected = { code: 'ledger.corrupt', detail: { place, what: 'cannot be read' } }
  const disk = files.reopen('kept')
  const whole = Buffer.from(disk.all().get(place) ?? [])
  disk.tamper(place, Buffer.from(whole).fill(0, whole.length - 300))
  await assert.rejects(new OpenedPacks(disk).holding(folder, 0, { id: FIRST, box: BOX }), expected)
  disk.tamper(place, undefined)
  await assert.rejects(new OpenedPacks(disk).holding(folder, 0, { id: FIRST, box: BOX }), expected)
})
