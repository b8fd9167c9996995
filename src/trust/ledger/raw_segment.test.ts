import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { concat, utf8 } from '#base/bytes.ts'
import { FRAME_BYTES, FRAME_TYPE, frameAt, putFrame } from './frame.ts'
import { leafHash } from './merkle.ts'
import {
  encodeGroup,
  encodeHead,
  endingEntry,
  firstRawLeaf,
  groupPlace,
  isRoom,
  scanSegment,
} from './raw_segment.ts'

const HEAD = encodeHead('log', 256)
const GROUPS = [
  encodeGroup(256, [utf8('one'), utf8('two')], utf8('sealed a')),
  encodeGroup(258, [utf8('three')], utf8('sealed b')),
  encodeGroup(259, [utf8('four'), utf8('five')], utf8('sealed c')),
]
const WHOLE = concat(HEAD, ...GROUPS)
const [FIRST = WHOLE, SECOND = WHOLE, THIRD = WHOLE] = GROUPS
/** Where the last group starts. */
const LAST = WHOLE.length - THIRD.length

test('scanSegment reads groups, leaves and boxes back', () => {
  const raw = scanSegment(WHOLE)
  assert.equal(raw?.origin, 'log')
  assert.equal(raw.first, 256)
  assert.equal(raw.bytes, WHOLE.length)
  assert.deepEqual(raw.ending, { kind: 'clean' })
  assert.deepEqual(
    raw.groups.map((group) => [group.first, group.leaves.map(text), text(group.sealed)]),
    [
      [256, ['one', 'two'], 'sealed a'],
      [258, ['three'], 'sealed b'],
      [259, ['four', 'five'], 'sealed c'],
    ],
  )
})

test('scanSegment takes zeros at the end for room: as many as there are', () => {
  for (let room = 1; room < 30; room++) {
    const raw = scanSegment(concat(WHOLE, new Uint8Array(room)))
    assert.deepEqual(raw?.ending, { kind: 'clean' })
    assert.deepEqual([raw.groups.length, raw.bytes, raw.written], [3, WHOLE.length, WHOLE.length])
  }
})

test('scanSegment takes a last group that ends with zeros as whole: they are no room', () => {
  const bytes = concat(HEAD, encodeGroup(256, [utf8('one')], new Uint8Array(20)))
  for (const room of [0, 40]) {
    const raw = scanSegment(concat(bytes, new Uint8Array(room)))
    assert.deepEqual(raw?.ending, { kind: 'clean' })
    assert.deepEqual([raw.bytes, raw.written], [bytes.length, bytes.length])
  }
})

for (const room of [0, 60]) {
  test(`scanSegment takes a cut last group as torn: at every length, with ${room} bytes of room`, () => {
    // The first two bytes of its first frame are zeros: as long as only they are there, nothing is.
    for (let end = LAST + 4; end < WHOLE.length; end++) {
      const raw = scanSegment(concat(WHOLE.subarray(0, end), new Uint8Array(room)))
      assert.equal(raw?.ending.kind, 'torn')
      assert.equal(raw.bytes, LAST)
      assert.ok(raw.written > LAST && raw.written <= end, `${raw.written} of ${end}`)
    }
  })

  test(`scanSegment takes a last group with a hole as torn: sectors may reach the disk in any order, with ${room} bytes of room`, () => {
    const holed = Buffer.from(WHOLE).fill(0, LAST, LAST + 10)
    assert.equal(scanSegment(concat(holed, new Uint8Array(room)))?.ending.kind, 'torn')
  })

  test(`scanSegment takes any flipped bit before the last group as damage, and any behind as torn: with ${room} bytes of room`, () => {
    const whole = concat(WHOLE, new Uint8Array(room))
    for (let at = HEAD.length * 8; at < whole.length * 8; at++) {
      const changed = Buffer.from(whole)
      changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
      const ending = scanSegment(changed)?.ending
      assert.equal(ending?.kind, at >> 3 < LAST ? 'damaged' : 'torn', `bit ${at}`)
    }
  })
}

test('scanSegment finds damage: zeros in the place of a group that others follow', () => {
  const holed = Buffer.from(WHOLE).fill(0, HEAD.length + FIRST.length, LAST)
  assert.equal(scanSegment(holed)?.ending.kind, 'damaged')
})

test('scanSegment names the entry that is damaged', () => {
  const changed = Buffer.from(WHOLE)
  const at = HEAD.length + FRAME_BYTES + 3 + FRAME_BYTES
  changed[at] = 0
  assert.deepEqual(scanSegment(changed)?.ending, { kind: 'damaged', at: at - FRAME_BYTES, entry: 257 })
})

test('scanSegment gives nothing: any flipped bit in the head', () => {
  for (let at = 0; at < HEAD.length * 8; at++) {
    const changed = Buffer.from(WHOLE)
    changed[at >> 3] = (changed[at >> 3] ?? 0) ^ (1 << (at & 7))
    assert.equal(scanSegment(changed), undefined)
  }
  assert.equal(scanSegment(new Uint8Array(0)), undefined)
  assert.equal(scanSegment(FIRST), undefined)
})

test('firstRawLeaf gives the first leaf: from the first bytes of the file, if it is in them', () => {
  const end = HEAD.length + FRAME_BYTES + 3
  assert.equal(text(firstRawLeaf(WHOLE.subarray(0, end)) ?? assert.fail()), 'one')
  const held = Buffer.concat([utf8('before'), WHOLE])
  assert.equal(text(firstRawLeaf(held.subarray(6)) ?? assert.fail()), 'one')
  for (const [why, bytes] of [
    ['the leaf is cut', WHOLE.subarray(0, end - 1)],
    ['a head alone', HEAD],
    ['no head', FIRST],
    ['a group without leaves', concat(HEAD, encodeGroup(256, [], utf8('x')))],
    ['nothing', new Uint8Array(0)],
  ] as const)
    assert.equal(firstRawLeaf(bytes), undefined, why)
})

test('endingEntry gives the entry behind the last one: from any last bytes that hold a whole group', () => {
  for (const room of [0, 1, 50])
    for (let from = 0; from < WHOLE.length; from++) {
      const tail = concat(WHOLE, new Uint8Array(room)).subarray(from)
      const isIn = from <= WHOLE.length - FRAME_BYTES - 10 - 8
      assert.equal(endingEntry(tail), isIn ? 261 : undefined, `from ${from}, ${room} bytes of room`)
    }
  assert.equal(endingEntry(concat(HEAD, FIRST)), 258)
})

test('endingEntry takes zeros at the end of a group for its own: where they are', () => {
  const group = encodeGroup(256, [utf8('one')], new Uint8Array(20))
  assert.equal(endingEntry(concat(HEAD, group)), 257)
  assert.equal(endingEntry(concat(HEAD, group, new Uint8Array(40))), 257)
})

for (const [why, bytes] of [
  ['a group was cut', WHOLE.subarray(0, -1)],
  ['a leaf stands behind the last group', concat(WHOLE, frame(FRAME_TYPE.leaf, 'six'))],
  ['a byte stands behind the last group', concat(WHOLE, Uint8Array.of(1))],
  ['a head alone', HEAD],
  ['nothing', new Uint8Array(0)],
  ['zeros', new Uint8Array(100)],
] as const)
  test(`endingEntry gives nothing: ${why}`, () => {
    assert.equal(endingEntry(bytes), undefined)
  })

test('isRoom tells where nothing is written yet: a frame of zeros', () => {
  const bytes = Buffer.concat([WHOLE, Buffer.alloc(FRAME_BYTES)])
  assert.ok(isRoom(bytes, WHOLE.length))
  assert.ok(!isRoom(bytes, WHOLE.length + 1), 'too short to tell')
  for (let at = 0; at < WHOLE.length; at++) assert.ok(!isRoom(bytes, at), `at ${at}`)
})

test('groupPlace binds the secrets of a group to its leaves', () => {
  const leaves = [utf8('one'), utf8('two')]
  assert.deepEqual(groupPlace(256, { first: 300, leaves }), {
    segment: 256,
    form: 'group',
    first: 300,
    count: 2,
    hashes: leaves.map(leafHash),
  })
})

const EDITS: readonly [why: string, bytes: Uint8Array][] = [
  ['a group is gone', concat(HEAD, FIRST, THIRD)],
  ['a group is there twice', concat(HEAD, FIRST, FIRST, SECOND)],
  ['groups are swapped', concat(HEAD, SECOND, FIRST)],
  ['a leaf of a group is gone', concat(HEAD, FIRST.subarray(FRAME_BYTES + 3), SECOND)],
  ['a group without leaves', concat(HEAD, encodeGroup(256, [], utf8('x')))],
  [
    'a group with too short a head',
    concat(HEAD, frame(FRAME_TYPE.leaf, 'x'), frame(FRAME_TYPE.group, 'x'), FIRST),
  ],
  ['a second head', concat(HEAD, HEAD, FIRST, SECOND)],
]

for (const [why, bytes] of EDITS)
  test(`scanSegment finds damage: ${why}`, () => {
    assert.equal(scanSegment(bytes)?.ending.kind, 'damaged')
  })

for (const payload of [
  '',
  'gatehouse segment v1\nlog\n01\n',
  'gatehouse segment v2\nlog\n1\n',
  'gatehouse segment v1\n\n1\n',
  'x gatehouse segment v1\nlog\n1\n',
  'gatehouse segment v1\nlog\n1\nmore',
])
  test(`scanSegment refuses a head with ${JSON.stringify(payload)}`, () => {
    assert.equal(scanSegment(frame(FRAME_TYPE.head, payload)), undefined)
  })

test('scanSegment never throws and never reads beyond: any bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), fc.boolean(), (bytes, withHead) => {
      const raw = scanSegment(withHead ? concat(HEAD, bytes) : bytes)
      assert.equal(raw === undefined, !withHead)
    }),
    { seed: 20_265 },
  )
})

test('putFrame sums up length, type and payload: with the CRC-32 of zlib', () => {
  for (const payload of ['', 'x', 'y'.repeat(300), 'z'.repeat(70_000)]) {
    const bytes = Buffer.from(frame(FRAME_TYPE.leaf, payload))
    assert.equal(bytes.readUInt32BE(5), crc32(bytes.subarray(FRAME_BYTES), crc32(bytes.subarray(0, 5))))
  }
})

test('frameAt refuses: lengths that no frame of ours has', () => {
  const bytes = Buffer.from(frame(FRAME_TYPE.leaf, 'x'))
  assert.equal(text(frameAt(bytes, 0)?.payload ?? utf8('')), 'x')
  bytes.writeUInt32BE(0xffffffff, 0)
  assert.equal(frameAt(bytes, 0), undefined)
  assert.equal(frameAt(bytes, 5), undefined)
})

function frame(type: (typeof FRAME_TYPE)[keyof typeof FRAME_TYPE], payload: string): Uint8Array {
  const bytes = Buffer.alloc(FRAME_BYTES + payload.length)
  putFrame(bytes, 0, type, utf8(payload))
  return bytes
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('utf8')
}
