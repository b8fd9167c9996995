import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toBase64 } from '#base/bytes.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { Head } from './checkpoint.ts'
import { headFromJson, headToJson, lostEntries, successionFields, successionOf } from './succession.ts'

const ROOT = Buffer.alloc(32, 7)
const OLD: Head = { origin: 'example.test/old', size: 300, root: ROOT }
const OTHER: Head = { origin: 'example.test/other', size: 20, root: Buffer.alloc(32, 8) }
const MORE: Head = { ...OLD, size: 310 }

test('successionOf reads what successionFields says: whatever came before', () => {
  for (const before of [undefined, OLD])
    for (const after of [[], [MORE, OTHER]])
      for (const [isAccepted, isRestored] of [
        [false, false],
        [true, false],
        [false, true],
      ] as const) {
        const fields = successionFields({ before, after, isAccepted, isRestored })
        assert.deepEqual(successionOf(fields), { before, after, isAccepted, isRestored })
        const isPlain = !isAccepted && !isRestored
        assert.deepEqual(Object.keys(fields), ['what', 'before', 'after', ...(isPlain ? [] : ['reason'])])
      }
})

test('successionFields keeps its words: they stand in ledgers', () => {
  const reason = (more: object): JsonValue | undefined =>
    successionFields({ before: undefined, after: [], isAccepted: false, ...more })['reason']
  assert.equal(reason({}), undefined)
  assert.equal(reason({ isAccepted: true }), 'loss.accepted')
  assert.equal(reason({ isRestored: true }), 'home.restored')
  const { what, before, after } = successionFields({ before: OLD, after: [OTHER], isAccepted: false })
  assert.equal(what, 'ledger.succeeded')
  assert.deepEqual(before, { origin: 'example.test/old', size: 300, root: toBase64(ROOT) })
  assert.deepEqual(after, [headToJson(OTHER)])
})

test('successionOf gives nothing: the entry says something else', () => {
  for (const opening of [{}, { what: 'ledger.swept' }, { what: null }] satisfies JsonObject[])
    assert.equal(successionOf(opening), undefined)
})

test('successionOf leaves out heads that cannot be read: they count for nothing', () => {
  const after = [headToJson(MORE), 'no head', { origin: 'x' }]
  const succession = successionOf({ what: 'ledger.succeeded', before: 7, after })
  assert.deepEqual(succession, { before: undefined, after: [MORE], isAccepted: false, isRestored: false })
  assert.deepEqual(successionOf({ what: 'ledger.succeeded', after: 'none' })?.after, [])
})

const LOST: readonly [why: string, before: Head | undefined, after: readonly Head[], lost: number][] = [
  ['nothing was known from elsewhere', OLD, [], 0],
  ['the same log was known to be longer', OLD, [MORE], 10],
  ['of several the furthest counts', OLD, [{ ...OLD, size: 305 }, MORE, OLD], 10],
  ['another log counts whole', OLD, [OTHER], 20],
  ['nothing was found', undefined, [MORE, OTHER], 310],
  ['less than was found is no loss', OLD, [{ ...OLD, size: 200 }], 0],
]

for (const [why, before, after, lost] of LOST)
  test(`lostEntries counts what is known to have followed: ${why}`, () => {
    assert.equal(lostEntries({ before, after, isAccepted: false }), lost)
  })

const HEADS: readonly [why: string, value: JsonValue | undefined][] = [
  ['nothing', undefined],
  ['no object', 'example.test/old'],
  ['null', null],
  ['no origin', { size: 1, root: toBase64(ROOT) }],
  ['an origin that is no text', { origin: 1, size: 1, root: toBase64(ROOT) }],
  ['a size that is no number', { origin: 'o', size: '1', root: toBase64(ROOT) }],
  ['no size', { origin: 'o', root: toBase64(ROOT) }],
  ['a root that is no text', { origin: 'o', size: 1, root: 7 }],
  ['a root that is not base64', { origin: 'o', size: 1, root: '!' }],
]

for (const [why, value] of HEADS)
  test(`headFromJson gives nothing: ${why}`, () => {
    assert.equal(headFromJson(value), undefined)
  })
