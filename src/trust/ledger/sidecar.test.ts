import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concat, utf8 } from '#base/bytes.ts'
import { sha256, sha256Hex } from '#base/crypto.ts'
import type { JsonValue } from '#base/json.ts'
import { KEYS } from '../../../test/support/ledger_fixture.ts'
import { closeSegmentSidecar, isWholeSidecar, openSegmentSidecar, segmentPlace } from './sealed_sidecar.ts'
import { decodeRecords, decodeRecordsAt, encodeRecord, SidecarBox, type SecretRecord } from './sidecar.ts'

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

test('encodeRecord keeps its form: records that were written stay readable', () => {
  const fields = [
    ['a', 'b'],
    ['content', sha256Hex('x')],
  ] as const
  const text = [1, 0x61, 0, 3, ...utf8('"b"')]
  const hash = [7, ...utf8('content'), 1, ...sha256('x')]
  assert.deepEqual([...encodeRecord({ seed: SEED, fields })], [2, ...SEED, ...text, ...hash])
  assert.deepEqual([...encodeRecord(undefined)], [0xff])
  assert.deepEqual([...encodeRecord({ seed: SEED, fields: [] })], [0])
})

const HEX = sha256Hex('x')
const TEXTS: readonly (readonly [why: string, text: string])[] = [
  ['a hash in capitals', HEX.toUpperCase()],
  ['as long as a hash', `${HEX.slice(1)}g`],
  ['longer than a hash', `${HEX}0`],
  ['a hash behind something', `x${HEX}`],
  ['a hash and a line break', `${HEX.slice(1)}\n`],
  ...[125, 126, 16_381, 16_382].map((length) => [`${length} characters`, 'y'.repeat(length)] as const),
  ['characters of several bytes', 'ü😀'.repeat(60)],
]

for (const [why, text] of TEXTS)
  test(`decodeRecords gives back a text: ${why}`, () => {
    const record = { seed: SEED, fields: [['a', text]] } as const
    assert.deepEqual(plain(decodeRecords(encodeRecord(record), 1)), plain([record]))
  })

const MIXED: readonly SecretRecord[] = [
  {
    seed: SEED,
    fields: [
      ['a', 'b'],
      ['content', HEX],
    ],
  },
  undefined,
  { seed: new Uint8Array(0), fields: [] },
  { seed: SEED, fields: [['long', 'y'.repeat(300)]] },
  { seed: SEED, fields: [['n', 7]] },
]
const MIXED_BYTES = concat(...MIXED.map(encodeRecord))

test('decodeRecordsAt reads some places as decodeRecords reads all: whichever they are', () => {
  for (let bits = 0; bits < 2 ** (MIXED.length + 1); bits++) {
    const places = new Set([0, 1, 2, 3, 4, 5].filter((at) => (bits & (1 << at)) !== 0))
    const found = decodeRecordsAt(MIXED_BYTES, places)
    const expected = [...places].filter((at) => at < MIXED.length)
    assert.deepEqual([...found.keys()], expected)
    assert.deepEqual(plain([...found.values()]), plain(expected.map((at) => MIXED[at])))
  }
})

test('decodeRecords and decodeRecordsAt give nothing: the bytes end early, wherever', () => {
  for (let end = 0; end < MIXED_BYTES.length; end++) {
    const cut = MIXED_BYTES.subarray(0, end)
    assert.equal(decodeRecords(cut, MIXED.length), undefined, `${end} bytes`)
    const last = decodeRecordsAt(cut, new Set([4]))
    assert.deepEqual([...last], [], `${end} bytes`)
  }
  const spoilt = Buffer.from(MIXED_BYTES)
  spoilt[1 + 32 + 2] = 9
  assert.deepEqual([...decodeRecordsAt(spoilt, new Set([0]))], [])
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
  assert.ok(!isWholeSidecar(bytes, 512, 2) && !isWholeSidecar(bytes, 256, 3))
  const head = Buffer.from(bytes.subarray(0, 18))
  assert.equal(head.toString('latin1', 0, 8), 'GHSIDE1\n')
  assert.deepEqual([head.readUIntBE(8, 6), head.readUInt32BE(14)], [256, 2])
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
