import assert from 'node:assert/strict'
import { test } from 'node:test'
import { concat, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { randomBytes } from '#base/crypto.ts'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import type { OriginFolder } from './layout.ts'
import { makeLeaf } from './leaf.ts'
import { pseudonymOf } from './pseudonym.ts'
import { encodeGroup, groupPlace } from './raw_segment.ts'
import { encodeRecord, SidecarBox, type SecretRecord } from './sidecar.ts'
import { verifyLedger } from './verify.ts'

interface Scene {
  readonly files: SimulatedFiles
  readonly folder: OriginFolder
  readonly raw: string
  readonly content: Uint8Array
}

const SIGNED = 3

/** A closed log of three signed entries. */
async function signedLog(): Promise<Scene> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { roomBytes: 0 })
  for (let at = 0; at < SIGNED; at++) await ledger.append(intent(at))
  await ledger.close()
  const folder = await newestFolder(files)
  const raw = `${folder.path}/000000000000.raw`
  return { files, folder, raw, content: await files.read(raw) }
}

/** What the next group is made of: a leaf, the record beside it, and the box that closes it. */
interface Forgery {
  readonly leaf: Uint8Array
  readonly record: SecretRecord
  readonly box: SidecarBox | undefined
}

function append({ files, raw, content }: Scene, { leaf, record, box }: Forgery): void {
  const place = groupPlace(0, { first: SIGNED, leaves: [leaf] })
  const sealed = box?.close(encodeRecord(record), place) ?? randomBytes(80)
  files.tamper(raw, concat(content, encodeGroup(SIGNED, [leaf], sealed)))
}

const made = makeLeaf(intent(9), randomBytes(32), (caller) => pseudonymOf(KEYS.pseudonymKey, caller))
const leafOf = (more: object): Uint8Array => utf8(canonicalJson({ v: 1, kind: 'note', at: 1, ...more }))
const NO_SECRETS = { seed: new Uint8Array(0), fields: [] }

const FORGERIES: readonly [why: string, forge: (folder: OriginFolder) => Forgery][] = [
  ['a junk sidecar', () => ({ leaf: made.bytes, record: undefined, box: undefined })],
  [
    'a sidecar under another key',
    ({ origin }) => ({
      leaf: made.bytes,
      record: made.secrets,
      box: new SidecarBox(KEYS.pseudonymKey, origin),
    }),
  ],
  [
    'a sidecar of another log',
    () => ({
      leaf: made.bytes,
      record: made.secrets,
      box: new SidecarBox(KEYS.sidecarKey, 'gatehouse.local/another'),
    }),
  ],
  [
    'values that the leaf does not commit to',
    ({ origin }) => ({
      leaf: made.bytes,
      record: { ...made.secrets, fields: made.secrets.fields.map(([name]) => [name, 'other'] as const) },
      box: new SidecarBox(KEYS.sidecarKey, origin),
    }),
  ],
  [
    'fewer values than commitments',
    ({ origin }) => ({
      leaf: made.bytes,
      record: NO_SECRETS,
      box: new SidecarBox(KEYS.sidecarKey, origin),
    }),
  ],
  [
    'an id that is none',
    ({ origin }) => ({
      leaf: leafOf({ id: 'short' }),
      record: NO_SECRETS,
      box: new SidecarBox(KEYS.sidecarKey, origin),
    }),
  ],
  [
    'no leaf',
    ({ origin }) => ({
      leaf: utf8('{}'),
      record: NO_SECRETS,
      box: new SidecarBox(KEYS.sidecarKey, origin),
    }),
  ],
]

for (const [why, forge] of FORGERIES)
  test(`openLedger refuses a group behind the checkpoint that is not ours: ${why}`, async () => {
    const scene = await signedLog()
    append(scene, forge(scene.folder))
    const thrown: unknown = await openOn(scene.files).catch((each: unknown) => each)
    assert.ok(thrown instanceof Error && 'code' in thrown && 'detail' in thrown, 'it was adopted')
    assert.equal(thrown.code, 'ledger.corrupt')
    assert.match(JSON.stringify(thrown.detail), /000000000000\.raw entr(y 3|ies 3 to 3)"/)
  })

test('openLedger takes a group behind the checkpoint that is ours: with its values, or shredded', async () => {
  for (const record of [made.secrets, undefined]) {
    const scene = await signedLog()
    const box = new SidecarBox(KEYS.sidecarKey, scene.folder.origin)
    append(scene, { leaf: made.bytes, record, box })
    const ledger = await openOn(scene.files)
    assert.equal(ledger.size, SIGNED + 1)
    await ledger.close()
    assert.equal((await verifyLedger({ files: scene.files, directory: LEDGER, keys: KEYS })).ok, true)
  }
})

test('openLedger refuses a sealed segment that the checkpoint does not cover: an older checkpoint was put back', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  await ledger.append(intent(0))
  await ledger.checkpoint()
  const path = `${(await newestFolder(files)).path}/checkpoint`
  const older = await files.read(path)
  await Promise.all(Array.from({ length: 300 }, (_, at) => ledger.append(intent(at))))
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  files.tamper(path, older)
  await assert.rejects(openOn(files, { segmentBytes: 10_000 }), { code: 'ledger.corrupt' })
})
