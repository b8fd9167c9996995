import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import {
  draft,
  emptyDisk,
  KEYS,
  newestFolder,
  openOn,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import type { OriginFolder } from './layout.ts'
import { encodeGroup, encodeHead, groupPlace } from './raw_segment.ts'
import { sealSegment, type SealParts } from './seal.ts'
import { SidecarBox } from './sidecar.ts'

/** A closed log of `count` entries in one raw file. */
async function rawLog(
  count: number,
  roomBytes = 0,
): Promise<SealParts & { files: SimulatedFiles; folder: OriginFolder }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { roomBytes })
  await Promise.all(
    Array.from({ length: count }, (_, at) => ledger.append(draft('note', { what: 'x', asked: at }))),
  )
  await ledger.close()
  const folder = await newestFolder(files)
  return { files, folder, box: new SidecarBox(KEYS.sidecarKey, folder.origin) }
}

for (const room of [0, 1_000])
  test(`sealSegment keeps every entry and value: and says what it saved, with ${room} bytes of room`, async () => {
    const parts = await rawLog(512, room)
    const { files, folder } = parts
    const before = await readAll(files, { sidecarKey: KEYS.sidecarKey })
    const { bytes } = (await files.facts(`${folder.path}/000000000000.raw`)) ?? assert.fail()
    const sealed = await sealSegment(parts, 0)
    assert.deepEqual([sealed.first, sealed.count, sealed.rawBytes], [0, 512, bytes])
    assert.ok(sealed.sealedBytes < sealed.rawBytes / 2)
    const sealedFiles = ['leaves', 'sidecar'].map((part) =>
      files.all().get(`${folder.path}/000000000000.${part}`),
    )
    assert.equal(
      sealed.sealedBytes,
      sealedFiles.reduce((sum, each) => sum + (each?.length ?? 0), 0),
    )
    assert.equal(sealed.tileBytes, 2 * 8_192)
    assert.deepEqual(
      [...files.all().keys()]
        .filter((name) => name.startsWith(folder.path))
        .map((name) => name.slice(folder.path.length + 1))
        .toSorted(),
      ['000000000000.leaves', '000000000000.sidecar', 'checkpoint', 'origin', 'tile/0/000', 'tile/0/001'],
    )
    // Also after the machine has stopped.
    const left = [...files.reopen('lost').all().keys()]
    assert.ok(!left.includes(`${folder.path}/000000000000.raw`) && left.includes(`${folder.path}/tile/0/001`))
    assert.deepEqual(await readAll(files, { sidecarKey: KEYS.sidecarKey }), before)
  })

const UNSEALABLE: readonly [
  why: string,
  count: number,
  harm: (files: SimulatedFiles, raw: string) => void,
][] = [
  ['not whole bundles', 255, () => undefined],
  ['no entries', 0, () => undefined],
  ['a torn end', 256, (files, raw) => files.tamper(raw, files.all().get(raw)?.subarray(0, -1))],
  ['no head', 256, (files, raw) => files.tamper(raw, utf8('x'))],
]

for (const [why, count, harm] of UNSEALABLE)
  test(`sealSegment throws and leaves the raw file: ${why}`, async () => {
    const parts = await rawLog(count)
    const { files, folder } = parts
    const raw = `${folder.path}/000000000000.raw`
    harm(files, raw)
    await assert.rejects(sealSegment(parts, 0), { code: 'ledger.corrupt' })
    assert.ok(files.all().has(raw))
  })

test('sealSegment throws and leaves the raw file: the sidecar does not open', async () => {
  const parts = await rawLog(256)
  const box = new SidecarBox(KEYS.pseudonymKey, parts.folder.origin)
  await assert.rejects(sealSegment({ ...parts, box }, 0), { code: 'ledger.corrupt' })
})

test('sealSegment throws and leaves the raw file: a leaf that packing cannot give back', async () => {
  const parts = await rawLog(0)
  const { files, folder } = parts
  const box = new SidecarBox(KEYS.sidecarKey, folder.origin)
  // No leaf of ours holds a line break; one that does would come back as two.
  const leaves = Array.from({ length: 256 }, () => utf8('{"at":1,"v":1,\n"x":1}'))
  const sealed = box.close(new Uint8Array(256), groupPlace(0, { first: 0, leaves }))
  const raw = `${folder.path}/000000000000.raw`
  files.tamper(raw, concat(encodeHead(folder.origin, 0), encodeGroup(0, leaves, sealed)))
  await assert.rejects(sealSegment(parts, 0), { code: 'ledger.corrupt' })
  assert.ok(files.all().has(raw))
})
