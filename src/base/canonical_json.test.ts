import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson } from './canonical_json.ts'
import type { JsonValue } from './json.ts'

const CASES: readonly (readonly [why: string, input: JsonValue, expected: string])[] = [
  ['members are sorted', { b: 1, a: 2 }, '{"a":2,"b":1}'],
  [
    'sorting is by UTF-16 code units (RFC 8785 section 3.2.3)',
    { '\u{1F600}': 1, '\uFB33': 2 },
    '{"\u{1F600}":1,"\uFB33":2}',
  ],
  ['nested members are sorted too', { z: [{ d: null, c: true }] }, '{"z":[{"c":true,"d":null}]}'],
  ['minus zero is zero', -0, '0'],
  ['numbers have the shortest form', [1e21, 1e-7, 0.1, 100], '[1e+21,1e-7,0.1,100]'],
  ['control characters are escaped in the short form', '\u0007\n"\\', '"\\u0007\\n\\"\\\\"'],
  ['empty containers', [{}, []], '[{},[]]'],
]

for (const [why, input, expected] of CASES) {
  test(`canonicalJson prints: ${why}`, () => assert.equal(canonicalJson(input), expected))
}

test('canonicalJson throws: a number that is not finite has no form', () => {
  assert.throws(() => canonicalJson([Number.NaN]), TypeError)
  assert.throws(() => canonicalJson({ a: Number.POSITIVE_INFINITY }), TypeError)
})

test('canonicalJson round-trips: parsing gives the same value, and the order of members never matters', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), (value) => {
      const text = canonicalJson(value as JsonValue)
      assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)))
      assert.equal(canonicalJson(reversed(JSON.parse(text) as JsonValue)), text)
    }),
    { seed: 20_261_122 },
  )
})

function reversed(value: JsonValue): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return (value as readonly JsonValue[]).map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .toReversed()
      .map(([name, inner]) => [name, reversed(inner)]),
  )
}
