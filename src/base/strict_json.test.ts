import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { isQuick } from '../../test/support/is_quick.ts'
import { utf8 } from './bytes.ts'
import { Fault } from './fault.ts'
import type { JsonValue } from './json.ts'
import { LIMITS } from './limits.ts'
import { parseStrictJson } from './strict_json.ts'

const SEED = 20_261_122
const parse = (text: string): JsonValue => parseStrictJson(utf8(text), LIMITS)

function reasonOf(run: () => unknown): string {
  try {
    run()
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, String(thrown))
    assert.equal(thrown.code, 'input.invalid')
    return JSON.stringify(thrown.detail['reason']).slice(1, -1)
  }
  return 'accepted'
}

const ACCEPTED: readonly (readonly [why: string, text: string])[] = [
  ['an object', '{"a":[1,2,{"b":null}],"c":true,"d":false}'],
  ['white space of all four kinds', ' \t\r\n{ "a" :\t[ 1 , 2 ]\n, "b" : { } , "c" : [ ] } '],
  ['a bare string', '"text"'],
  ['a bare number', '-0.5e-3'],
  ['minus zero', '-0'],
  ['the greatest safe integer', '9007199254740991'],
  ['the least safe integer', '-9007199254740991'],
  ['a great double that says so', '1e22'],
  ['a number that underflows', '1e-999'],
  ['every escape', String.raw`"\"\\\/\b\f\n\r\tA\u00e9"`],
  ['an escaped pair of surrogates', String.raw`"\ud83d\ude00"`],
  ['text outside Latin-1', '"鍵 🔑 é"'],
  ['names that every object inherits', '{"constructor":1,"toString":2,"hasOwnProperty":3}'],
  ['an empty name', '{"":1}'],
  ['names like indexes', '{"1":1,"0":2}'],
]

for (const [why, text] of ACCEPTED) {
  test(`parseStrictJson reads as JSON.parse does: ${why}`, () => {
    assert.deepEqual(parse(text), JSON.parse(text))
  })
}

const REFUSED: readonly (readonly [why: string, text: string, reason: string])[] = [
  ['an empty body', '', 'json.empty'],
  ['white space alone', ' \n', 'json.empty'],
  ['a byte order mark', '\ufeff{}', 'json.unexpected'],
  ['a second value', '{} {}', 'json.trailing'],
  ['a comment', '{} // no', 'json.trailing'],
  ['a bare word', 'yes', 'json.unexpected'],
  ['a word cut short', 'tru', 'json.unexpected'],
  ['NaN', 'NaN', 'json.unexpected'],
  ['an object that does not end', '{"a":1', 'json.ended'],
  ['an array that does not end', '[1,', 'json.ended'],
  ['a name that does not end', '{"a', 'json.ended'],
  ['an escaped string that does not end', String.raw`"\n`, 'json.ended'],
  ['a trailing comma in an object', '{"a":1,}', 'json.unexpected'],
  ['a trailing comma in an array', '[1,]', 'json.unexpected'],
  ['a missing colon', '{"a" 1}', 'json.unexpected'],
  ['a missing comma', '[1 2]', 'json.unexpected'],
  ['a name without quotes', '{a:1}', 'json.unexpected'],
  ['single quotes', "'a'", 'json.unexpected'],
  ['a leading zero', '01', 'json.trailing'],
  ['a leading plus', '+1', 'json.unexpected'],
  ['a point without digits', '1.', 'json.ended'],
  ['an exponent without digits', '[1e]', 'json.unexpected'],
  ['a minus alone', '-', 'json.ended'],
  ['a raw line feed in a string', '"a\nb"', 'json.control'],
  ['a raw line feed after an escape', '"\\t\n"', 'json.control'],
  ['an unknown escape', String.raw`"\x41"`, 'json.escape'],
  ['a short unicode escape', String.raw`"\u12"`, 'json.escape'],
  ['a lone high surrogate', String.raw`"\ud83d"`, 'json.surrogate'],
  ['a lone low surrogate', String.raw`"\ude00x"`, 'json.surrogate'],
  ['a lone surrogate in a name', String.raw`{"\ud83d":1}`, 'json.surrogate'],
  ['a member twice', '{"model":"a","model":"b"}', 'json.duplicate'],
  ['a member twice, once escaped', String.raw`{"model":"a","mod\u0065l":"b"}`, 'json.duplicate'],
  ['a member twice, deep inside', '[{"a":{"b":1,"b":1}}]', 'json.duplicate'],
  ['__proto__', '{"__proto__":{}}', 'json.prototype'],
  ['__proto__, escaped', String.raw`{"__pr\u006fto__":{}}`, 'json.prototype'],
  ['an integer of 2^53', '9007199254740992', 'json.integer'],
  ['an integer of -2^53', '-9007199254740992', 'json.integer'],
  ['an integer of 400 digits', '9'.repeat(400), 'json.integer'],
  ['a number that becomes infinite', '1e999', 'json.infinite'],
  ['one level more than the limit', '['.repeat(65) + ']'.repeat(65), 'json.deep'],
  ['10,000 arrays inside each other', '['.repeat(10_000) + ']'.repeat(10_000), 'json.deep'],
  ['10,000 objects inside each other', '{"a":'.repeat(10_000) + '1' + '}'.repeat(10_000), 'json.deep'],
]

for (const [why, text, reason] of REFUSED) {
  test(`parseStrictJson refuses: ${why}`, () => {
    assert.equal(
      reasonOf(() => parse(text)),
      reason,
    )
  })
}

test('parseStrictJson refuses: bytes that are not UTF-8', () => {
  assert.equal(
    reasonOf(() => parseStrictJson(Uint8Array.of(0x22, 0xff, 0x22), LIMITS)),
    'json.not_utf8',
  )
})

test('parseStrictJson reads: exactly the depth of the limit', () => {
  assert.equal(
    reasonOf(() => parse('['.repeat(64) + ']'.repeat(64))),
    'accepted',
  )
})

test('parseStrictJson refuses: more values than the limit', () => {
  const limits = { jsonDepth: 4, jsonNodes: 5 }
  assert.deepEqual(parseStrictJson(utf8('[1,2,3,4]'), limits), [1, 2, 3, 4])
  assert.equal(
    reasonOf(() => parseStrictJson(utf8('[1,2,3,4,5]'), limits)),
    'json.large',
  )
})

test('parseStrictJson reads as many members as the door lets through within a short turn', () => {
  const members = (count: number): string =>
    `{${Array.from({ length: count }, (_, at) => `"member${at}":1`).join(',')}}`
  const most = members(LIMITS.jsonNodes - 1)
  assert.ok(isQuick(150, () => parse(most)))
  assert.equal(
    reasonOf(() => parse(members(LIMITS.jsonNodes))),
    'json.large',
  )
})

test('parseStrictJson freezes: every object and array', () => {
  const value = parse('{"a":[{"b":[]}],"c":{}}')
  const visit = (inner: JsonValue): void => {
    if (typeof inner !== 'object' || inner === null) return
    assert.ok(Object.isFrozen(inner))
    Object.values(inner).forEach(visit)
  }
  visit(value)
})

test('parseStrictJson names the byte, not the character, and repeats nothing', () => {
  const planted = 'planted-value'
  assert.throws(
    () => parse(`{"é":1,"${planted}":2,"${planted}":3}`),
    (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.match(thrown.say ?? '', /byte 26\b/)
      return !JSON.stringify([thrown.message, thrown.say, thrown.detail]).includes(planted)
    },
  )
})

test('parseStrictJson reads or refuses in the same way wherever in a string it stands', () => {
  for (let before = 0; before < 60; before++) {
    const letters = 'x'.repeat(before)
    for (const behind of ['', 'é', '\\n', `\\u00e9${letters}`, `${letters}\\\\`]) {
      const text = `{"${letters}${behind}":["${letters}${behind}${letters}"]}`
      assert.deepEqual(parse(text), JSON.parse(text))
    }
    for (const [part, reason] of [
      ['\n', 'json.control'],
      ['\\q', 'json.escape'],
      ['\\ud83d', 'json.surrogate'],
    ] as const)
      assert.equal(
        reasonOf(() => parse(`"${letters}${part}${letters}"`)),
        reason,
      )
    assert.equal(
      reasonOf(() => parse(`"${letters}`)),
      'json.ended',
    )
  }
})

test('parseStrictJson gives back what JSON.stringify was given', () => {
  const value = fc.jsonValue({ maxDepth: 6, noUnicodeString: false })
  fc.assert(
    fc.property(value, (given) => {
      const text = JSON.stringify(given)
      const strict = reasonOf(() => parse(text))
      if (strict === 'accepted') assert.deepEqual(parse(text), JSON.parse(text))
      else assert.ok(isExtraRefusal(strict), `${strict}: ${text}`)
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})

test('parseStrictJson and JSON.parse agree on broken texts, apart from what only we refuse', () => {
  const fragments =
    '{ } [ ] , : " \\ \\u d83d \\ude00 0 1 - . e E + true false null a "a" "b": "a":1 {} [] é /'.split(' ')
  const fragment = fc.constantFrom(...fragments, ' ', '\n', '\t', '\u0000')
  const soup = fc.array(fragment, { maxLength: 14 }).map((parts) => parts.join(''))
  const mutated = fc
    .tuple(fc.jsonValue({ maxDepth: 3 }), fc.nat(), fragment, fc.boolean())
    .map(([given, place, extra, replaces]) => {
      const text = JSON.stringify(given)
      const at = place % (text.length + 1)
      return text.slice(0, at) + extra + text.slice(replaces ? at + 1 : at)
    })
  fc.assert(
    fc.property(fc.oneof(soup, mutated), (text) => {
      if (!text.isWellFormed()) return
      const strict = reasonOf(() => parse(text))
      let native: { readonly value: unknown } | undefined
      try {
        native = { value: JSON.parse(text) }
      } catch {
        native = undefined
      }
      if (strict === 'accepted') assert.deepEqual({ value: parse(text) }, native)
      else assert.ok(native === undefined || isExtraRefusal(strict), `${strict}: ${text}`)
    }),
    { seed: SEED, numRuns: 20_000 },
  )
})

function isExtraRefusal(reason: string): boolean {
  return ['surrogate', 'duplicate', 'prototype', 'integer', 'infinite', 'deep'].some(
    (name) => reason === `json.${name}`,
  )
}
