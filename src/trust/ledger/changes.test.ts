import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft } from '#base/recorder.ts'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { changesSince } from './changes.ts'
import { listOrigins } from './layout.ts'
import type { Ledger } from './ledger.ts'
import { shredEntries } from './shred.ts'

const OPTIONS = { segmentBytes: 10_000 }

function change(name: string): EntryDraft {
  const fields = { what: 'caller:disable', name }
  return { kind: 'change', id: newEntryId(), at: 5, fields, reserved: true }
}

async function changes(files: SimulatedFiles, since?: string): Promise<readonly unknown[]> {
  const found = await changesSince({ files, directory: LEDGER, sidecarKey: KEYS.sidecarKey, since })
  return found.map(({ values, outcome }) => [values?.['name'], outcome?.['status']])
}

async function fill(ledger: Ledger, count: number): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, at) => ledger.append(intent(at))))
}

/** Changes in a sealed segment, in the active one, and in the log behind it; with a checkpoint before each. */
async function scene(): Promise<{ files: SimulatedFiles; heads: string[]; sealed: string }> {
  const files = await emptyDisk()
  const heads: string[] = []
  const first = await openOn(files, OPTIONS)
  const record = async (ledger: Ledger, name: string, status: number | undefined): Promise<void> => {
    heads.push(await ledger.checkpoint())
    const asked = change(name)
    await ledger.append(asked)
    if (status !== undefined)
      await ledger.append({ ...asked, kind: 'outcome', fields: { status, content: 'x' } })
  }
  await record(first, 'sealed', 200)
  await fill(first, 270)
  await record(first, 'active', undefined)
  await first.checkpoint()
  await first.settled()
  await first.close()
  const folder = await newestFolder(files)
  // A checkpoint of more entries makes the next start open a new log.
  const ahead = files.reopen('kept')
  const later = await openOn(ahead, OPTIONS)
  await fill(later, 1)
  const head = await later.checkpoint()
  await later.close()
  const second = await openOn(files, { ...OPTIONS, knownHeads: [head] })
  await record(second, 'second log', 404)
  await second.close()
  return { files, heads, sealed: `${folder.path}/000000000000` }
}

test('changesSince gives the changes behind a checkpoint, with their values and outcomes', async () => {
  const { files, heads } = await scene()
  const all = [
    ['sealed', 200],
    ['active', undefined],
    ['second log', 404],
  ]
  assert.deepEqual(await changes(files, heads[0]), all)
  assert.deepEqual(await changes(files, heads[1]), all.slice(1))
  assert.deepEqual(await changes(files, heads[2]), all.slice(2))
})

test('changesSince gives all changes: without a checkpoint, or with one that is not of this ledger', async () => {
  const { files } = await scene()
  const other = await emptyDisk()
  const ledger = await openOn(other)
  const stranger = await ledger.checkpoint()
  await ledger.close()
  for (const since of [undefined, stranger, 'no checkpoint'])
    assert.equal((await changes(files, since)).length, 3)
})

test('changesSince says where each stands', async () => {
  const { files } = await scene()
  const found = await changesSince({
    files,
    directory: LEDGER,
    sidecarKey: KEYS.sidecarKey,
    since: undefined,
  })
  const { folders } = await listOrigins(files, LEDGER)
  assert.deepEqual(
    found.map(({ place }) => place),
    [`${folders[0]?.path} entry 0`, `${folders[0]?.path} entry 272`, `${folders[1]?.path} entry 1`],
  )
})

test('changesSince proves the older logs: the newest is proven when it is opened', async () => {
  const { files } = await scene()
  const [older, newer] = (await listOrigins(files, LEDGER)).folders
  for (const [folder, isRefused] of [
    [newer, false],
    [older, true],
  ] as const) {
    const disk = files.reopen('kept')
    disk.tamper(`${folder?.path}/checkpoint`, undefined)
    const place = `${folder?.path}/checkpoint`
    if (!isRefused) assert.equal((await changes(disk)).length, 3)
    else
      await assert.rejects(
        changes(disk),
        (thrown) => thrown instanceof Fault && thrown.detail['place'] === place,
      )
  }
})

test('changesSince reads only the segments behind its checkpoint', async () => {
  const { files, heads } = await scene()
  const reads: string[] = []
  const read = files.read.bind(files)
  files.read = (path) => {
    if (/\.(raw|leaves)$/.test(path)) reads.push(path.slice(-16))
    return read(path)
  }
  assert.equal((await changes(files, heads[2])).length, 1)
  assert.deepEqual(reads, ['000000000000.raw'])
})

test('changesSince says which segment it cannot read', async () => {
  const { files, sealed } = await scene()
  for (const [place, bytes] of [
    [`${sealed}.leaves`, Buffer.from('x')],
    [`${(await newestFolder(files)).path}/000000000000.raw`, Buffer.from('x')],
  ] as const) {
    const disk = files.reopen('kept')
    disk.tamper(place, bytes)
    await assert.rejects(
      changes(disk),
      (thrown) => thrown instanceof Fault && thrown.detail['place'] === place,
    )
  }
})

const HARMS: readonly [why: string, part: string, edit: (bytes: Uint8Array) => Uint8Array][] = [
  ['a bundle hash was changed', '.leaves', (bytes) => flip(bytes, 50)],
  ['the leaves were changed', '.leaves', (bytes) => flip(bytes, bytes.length - 40)],
  ['a commitment was changed', '.leaves', (bytes) => flip(bytes, 40 + 32 + 256 * 12 + 9)],
]

for (const [why, part, edit] of HARMS)
  test(`changesSince refuses what it cannot prove: ${why}`, async () => {
    const { files, heads, sealed } = await scene()
    const bytes = files.all().get(sealed + part) ?? assert.fail()
    files.tamper(sealed + part, edit(bytes))
    await assert.rejects(changes(files, heads[0]), { code: 'ledger.corrupt' })
  })

test('changesSince leaves out values that are gone: a damaged sidecar, shredded entries', async () => {
  const { files, heads, sealed } = await scene()
  const bytes = files.all().get(`${sealed}.sidecar`) ?? assert.fail()
  files.tamper(`${sealed}.sidecar`, flip(bytes, 60))
  assert.deepEqual((await changes(files, heads[0]))[0], [undefined, 200])
  const folder = await newestFolder(files)
  await shredEntries(files, folder, KEYS.sidecarKey, { from: 0, to: 10 })
  assert.deepEqual((await changes(files, heads[2]))[0], [undefined, 404])
})

function flip(bytes: Uint8Array, at: number): Uint8Array {
  const copy = Uint8Array.from(bytes)
  copy[at] = (copy[at] ?? 0) ^ 1
  return copy
}
