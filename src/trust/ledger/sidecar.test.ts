import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, utf8 } from '#base/bytes.ts'
import { sha256, sha256Hex } from '#base/crypto.ts'
import type { JsonValue } from '#base/json.ts'
import { KEYS } from '../../../test/support/ledger_fixture.ts'
import { closeSegmentSidecar, isWholeSidecar, openSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { decodeRecords, encodeRecord, SidecarBox, type SecretRecord } from './sidecar.ts'

const SEED = Buffer.alloc(32, 3)

test('decodeRecords gives back what encodeRecord took: whatever the fields hold', () => {
  const value = fc.jsonValue().map((each): JsonValue => JSON.parse(JSON.stringify(each)))
  const field = fc.tuple(fc.string({ maxLength: 70 }), fc.oneof(value, fc.constant(sha256Hex('x'))))
  const record = fc.oneof(
    fc.constant<SecretRecord>(undefined),
    fc
      .array(field, { maxLength: 64 })
      .map((fields): SecretRecord => ({ seed: fields.length === 0 ? new Uint8Array(0) : SEED, fields })),
  )
  fc.assert(
    fc.property(fc.array(record, { maxLength: 5 }), (records) => {
      const bytes = concat(...records.map(encodeRecord))
      assert.deepEqual(plain(decodeRecords(bytes, records.length)), plain(records))
      assert.equal(decodeRecords(concat(bytes, Uint8Array.of(0)), records.length), undefined)
    }),
    { seed: 20_264 },
  )
})

test('encodeRecord keeps a SHA-256 as its 32 bytes', () => {
  const fields = [['content', sha256Hex('x')]] as const
  assert.equal(encodeRecord({ seed: SEED, fields }).length, 1 + 32 + 1 + 7 + 1 + 32)
})

const BROKEN: readonly [why: string, bytes: Uint8Array][] = [
  ['ends early', encodeRecord({ seed: SEED, fields: [['a', 'b']] }).subarray(0, -1)],
  ['an unknown type', concat(Uint8Array.of(1), SEED, Uint8Array.of(1, 0x61, 9))],
  ['a length without an end', concat(Uint8Array.of(1), SEED, Uint8Array.of(0x80, 0x80, 0x80, 0x80, 0x80))],
  ['a value that is not JSON', concat(Uint8Array.of(1), SEED, Uint8Array.of(1, 0x61, 0, 1, 0x7b))],
  ['empty', new Uint8Array(0)],
]

for (const [why, bytes] of BROKEN)
  test(`decodeRecords gives nothing: ${why}`, () => {
    assert.equal(decodeRecords(bytes, 1), undefined)
  })

const PLACE = { segment: 0, form: 'group', first: 5, count: 2, hashes: [sha256('a'), sha256('b')] } as const
const BOX = new SidecarBox(KEYS.sidecarKey, 'log')

const OTHER_PLACES: readonly [why: string, box: SidecarBox, place: Parameters<SidecarBox['open']>[1]][] = [
  ['another key', new SidecarBox(KEYS.pseudonymKey, 'log'), PLACE],
  ['another log', new SidecarBox(KEYS.sidecarKey, 'other'), PLACE],
  ['another segment', BOX, { ...PLACE, segment: 256 }],
  ['another form', BOX, { ...PLACE, form: 'segment' }],
  ['another first entry', BOX, { ...PLACE, first: 6 }],
  ['another count', BOX, { ...PLACE, count: 3 }],
  ['another leaf', BOX, { ...PLACE, hashes: [sha256('a'), sha256('c')] }],
]

for (const [why, box, place] of OTHER_PLACES)
  test(`SidecarBox opens only for what it was closed for: ${why}`, () => {
    const sealed = BOX.close(utf8('secret'), PLACE)
    assert.deepEqual(Buffer.from(BOX.open(sealed, PLACE) ?? []), Buffer.from('secret'))
    assert.equal(box.open(sealed, place), undefined)
  })

test('SidecarBox forgets derived keys: it still opens what it closed', () => {
  const sealed = BOX.close(utf8('secret'), PLACE)
  for (let segment = 1; segment < 40; segment++) BOX.close(utf8('x'), { ...PLACE, segment })
  assert.ok(BOX.open(sealed, PLACE) !== undefined)
})

test('openSegmentSidecar opens the file of a segment: and none with a flipped byte or for other entries', async () => {
  const records: SecretRecord[] = [{ seed: SEED, fields: [['a', 'b']] }, undefined]
  const place = segmentPlace(256, 2, [sha256('tile')])
  const bytes = await closeSegmentSidecar(BOX, place, concat(...records.map(encodeRecord)))
  assert.ok(isWholeSidecar(bytes, 256, 2))
  assert.deepEqual(plain(await openSegmentSidecar(BOX, place, bytes)), plain(records))
  assert.equal(await openSegmentSidecar(BOX, segmentPlace(512, 2, place.hashes), bytes), undefined)
  assert.equal(await openSegmentSidecar(BOX, segmentPlace(256, 2, [sha256('x')]), bytes), undefined)
  for (let at = 0; at < bytes.length; at++) {
    const changed = Uint8Array.from(bytes)
    changed[at] = (changed[at] ?? 0) ^ 1
    assert.ok(!isWholeSidecar(changed, 256, 2))
    assert.equal(await openSegmentSidecar(BOX, place, changed), undefined)
  }
})

function plain(records: readonly SecretRecord[] | undefined): unknown {
  return records?.map(
    (record) => record && { seed: [...record.seed], fields: record.fields.map((each) => [...each]) },
  )
}
