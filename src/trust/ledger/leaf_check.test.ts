import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { draft, intent, KEYS, outcome } from '../../../test/support/ledger_fixture.ts'
import { verifier } from '../../../test/support/verifier.ts'
import { classOf, PUBLIC_TYPES } from './class_table.ts'
import { makeLeaf } from './leaf.ts'
import { checkLeaf } from './leaf_check.ts'
import { pseudonymOf } from './pseudonym.ts'

const SEED = Buffer.alloc(32, 9)
const PSEUDONYM = (value: string): string => pseudonymOf(KEYS.pseudonymKey, value)
const HASH = 'A'.repeat(43)
const LEAST: JsonObject = { at: 1, id: '0123456789abcdef', kind: 'note', v: 1 }

/** What both programs say; they share no code. */
function bothSay(bytes: Uint8Array): string | undefined {
  const { wrong } = checkLeaf(bytes)
  const parse = (): object => verifier.parseLeaf(Buffer.from(bytes))
  if (wrong === undefined) assert.doesNotThrow(parse, Buffer.from(bytes).toString('utf8'))
  else assert.throws(parse, `${wrong}: ${Buffer.from(bytes.subarray(0, 200)).toString('utf8')}`)
  return wrong
}

function leafWith(more: JsonObject): Uint8Array {
  return utf8(canonicalJson({ ...LEAST, ...more }))
}

/** Nobody looks at the value of this field but for its form. */
function unordered(): Uint8Array {
  return utf8(
    canonicalJson({ ...LEAST, after: 1 }).replace('"after":1', '"after":[{"a":1,"b":2},{"b":1,"a":2}]'),
  )
}

test('checkLeaf finds nothing wrong in what makeLeaf makes: and gives what it says', () => {
  const first = intent(1)
  const many = Array.from({ length: 64 }, (_, at) => `${at}${'x'.repeat(1_100)}`)
  for (const entry of [
    first,
    outcome(first, 1),
    draft('note', { what: 'x' }),
    draft('change', { before: null, after: [{ a: 1 }], count: 2, asked: { a: 'ü' } }),
    draft('refusal', { policies: many, errors: many, reason: 'x'.repeat(2_000), status: 'unknown' }),
    draft('note', {
      what: 'a lone \ud800 surrogate, \u2028, ümlaut, 😀, \u0001 and "quotes"',
      ms: 1e-7,
      count: 1e21,
    }),
    draft('note', { after: { '10': 1, '9': 2, ß: 3, a: { '1': 1, ö: [{}] } } }),
  ]) {
    const { bytes } = makeLeaf(entry, SEED, PSEUDONYM)
    assert.equal(bothSay(bytes), undefined)
    assert.deepEqual(checkLeaf(bytes).leaf(), JSON.parse(Buffer.from(bytes).toString('utf8')))
  }
})

const ANY = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.jsonValue(),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)

test('checkLeaf takes any public value of the right type, and commitments of any name', () => {
  const fields = fc.record(
    {
      after: ANY,
      what: fc.string({ unit: 'binary', maxLength: 1_200 }),
      ms: fc.double({ noNaN: true, noDefaultInfinity: true }),
      errors: fc.array(ANY),
      status: fc.oneof(fc.integer(), fc.string()),
      'ümlaut "quoted"': ANY,
      __proto__: ANY,
    },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fields, (some) => {
      const plain: JsonObject = JSON.parse(JSON.stringify(some))
      assert.equal(bothSay(makeLeaf(draft('refusal', plain), SEED, PSEUDONYM).bytes), undefined)
    }),
    { seed: 20_311, numRuns: 300 },
  )
})

test('checkLeaf takes bytes in their one form only: whatever else reads as the same value', () => {
  const made = { ...LEAST, after: { a: [1, { b: '\n' }], b: 'x' }, what: 'ü/' }
  const text = canonicalJson(made)
  assert.equal(bothSay(utf8(text)), undefined)
  const others = [
    text.replace('{', '{ '),
    `${text}\n`,
    ` ${text}`,
    `\ufeff${text}`,
    text.replace('"at":1', '"at":1.0'),
    text.replace('"at":1', '"at":1e0'),
    text.replace('"v":1', '"v":01'),
    text.replace('/', String.raw`\/`),
    text.replace('ü', String.raw`\u00fc`),
    text.replace(String.raw`\n`, String.raw`\u000a`),
    text.replace('"id"', String.raw`"\u0069d"`),
    text.replace('"kind":"note"', '"kind":"note","kind":"note"'),
    text.replace('"b":"x"', '"b":"y","b":"x"'),
    text.replace('"a":[1,{"b":"\\n"}],"b":"x"', '"b":"x","a":[1,{"b":"\\n"}]'),
    text.replace(/"at":1,(.*),"kind":"note"/, '"kind":"note",$1,"at":1'),
  ]
  for (const other of others) {
    assert.notEqual(other, text)
    assert.match(bothSay(utf8(other)) ?? '', /^not (canonical JSON|a JSON object)/, other)
  }
  assert.equal(
    bothSay(utf8(text.replace('"at":1', '"at": 1'))),
    'not canonical JSON (RFC 8785) from byte 43 on',
  )
  assert.match(bothSay(utf8(text.replace('"at":1', '"at":-0'))) ?? '', /canonical/)
  assert.match(
    bothSay(utf8(text.replace('"at":1', '"at":1e999'))) ?? '',
    /^nested deeper or with larger numbers/,
  )
})

test('checkLeaf takes UTF-8 only: a wrong byte reads as a character that may be there rightly', () => {
  assert.equal(bothSay(leafWith({ what: '\ufffd' })), undefined)
  const bytes = Buffer.from(leafWith({ what: 'z' }))
  bytes[bytes.lastIndexOf('z')] = 0xff
  assert.match(bothSay(bytes) ?? '', /^not canonical JSON/)
})

test('checkLeaf finds any changed byte that changes what is read, and never throws', () => {
  const { bytes } = makeLeaf(intent(1), SEED, PSEUDONYM)
  for (let at = 0; at < bytes.length; at++)
    for (const bit of [1, 2, 0x20, 0x80]) {
      const changed = Buffer.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ bit
      bothSay(changed)
    }
})

const WRONG: readonly [why: string, bytes: Uint8Array, wrong: RegExp][] = [
  ['nothing', utf8(''), /^not a JSON object$/],
  ['no JSON', utf8('{'), /^not a JSON object$/],
  ['a list', utf8('[]'), /^not a JSON object$/],
  ['nothing at all', utf8('null'), /^not a JSON object$/],
  ['another version', leafWith({ v: 2 }), /^"v" is not 1$/],
  ['another kind', leafWith({ kind: 'thought' }), /^"kind" is not a kind of entry$/],
  ['a kind that is no text', leafWith({ kind: ['note'] }), /^"kind" is not/],
  ['another id', leafWith({ id: '0123456789abcde-' }), /^"id" is not/],
  ['a time that is a text', leafWith({ at: '1' }), /^"at" is not a time$/],
  ['a time between', leafWith({ at: 1.5 }), /^"at" is not a time$/],
  ['a time before all', leafWith({ at: -1 }), /^"at" is not a time$/],
  ['no id', utf8('{"at":1,"kind":"note","v":1}'), /^"id" is missing$/],
  ['no version', utf8('{"at":1,"id":"0123456789abcdef","kind":"note"}'), /^"v" is missing$/],
  ['an unknown field', leafWith({ zeal: 1 }), /^unknown field "zeal"$/],
  ['a sensitive field in the clear', leafWith({ content: 'x' }), /^unknown field "content"$/],
  ['a name that draws on the screen', leafWith({ 'a\u001b[2J"\u202e': 1 }), /^unknown field "a\?\[2J\?\?"$/],
  [
    'a name of the engine',
    utf8(canonicalJson({ ...LEAST }).replace('{', '{"__proto__":1,')),
    /^unknown field "__proto__"/,
  ],
  ['a pseudonym of another form', leafWith({ caller: 'Service::"one"' }), /^"caller" is not a pseudonym$/],
  ['a number for a text', leafWith({ what: 1 }), /^"what" is not a text$/],
  ['a text for a number', leafWith({ ms: '1' }), /^"ms" is not a number$/],
  ['a list for a status', leafWith({ status: [] }), /^"status" is not a number or text$/],
  ['a text for a list', leafWith({ errors: 'x' }), /^"errors" is not a list$/],
  ['what looks cut and is not', leafWith({ what: { cut: 'x', length: 'y' } }), /^"what" is not a text$/],
  ['a time and no kind', utf8('{"at":1,"id":"0123456789abcdef","v":1}'), /^"kind" is missing$/],
  ['an id that is a number', leafWith({ id: 1_234_567_890_123_456 }), /^"id" is not the id of an entry$/],
  ['a pseudonym that is a number', leafWith({ caller: 1_234_567_890_123_456 }), /^"caller" is not/],
  ['a pseudonym in a list', leafWith({ caller: ['A'.repeat(16)] }), /^"caller" is not/],
  ['a pseudonym with more before it', leafWith({ caller: 'A'.repeat(17) }), /^"caller" is not/],
  ['a pseudonym with more behind it', leafWith({ caller: `${'A'.repeat(16)} x` }), /^"caller" is not/],
  ['a commitment in a list', leafWith({ commit: { a: [HASH] } }), /^"commit"/],
  ['a commitment that is long', leafWith({ commit: { a: `${HASH}A` } }), /^"commit"/],
  ['a commitment with more behind it', leafWith({ commit: { a: `${HASH} x` } }), /^"commit"/],
  ['what is cut and does not say how', leafWith({ what: { length: 7 } }), /^"what" is not a text$/],
  [
    'what is cut and says more',
    leafWith({ what: { cut: '', length: 7, more: 1 } }),
    /^"what" is not a text$/,
  ],
  ['a long unknown name', leafWith({ ['z'.repeat(100)]: 1 }), /^unknown field "z{64}"$/],
  ['an object out of order behind one in order', unordered(), /^not canonical JSON/],
  ['white space before it', utf8(` ${canonicalJson(LEAST)}`), / from byte 0 on$/],
  [
    'a field in the clear that is committed to as well',
    leafWith({ status: 200, commit: { status: HASH } }),
    /^"status" stands in the clear and in "commit"$/,
  ],
  [
    'a caller that is committed to as well',
    leafWith({ caller: 'A'.repeat(16), commit: { caller: HASH } }),
    /^"caller" stands/,
  ],
  ['no commitments', leafWith({ commit: {} }), /^"commit" is not commitments$/],
  ['commitments that are a list', leafWith({ commit: [HASH] }), /^"commit" is not commitments$/],
  ['a commitment that is short', leafWith({ commit: { a: HASH.slice(1) } }), /^"commit"/],
  ['a commitment with more bits', leafWith({ commit: { a: `${HASH.slice(1)}B` } }), /^"commit"/],
  ['a commitment that is none', leafWith({ commit: { a: HASH, b: null } }), /^"commit"/],
]

for (const [why, bytes, wrong] of WRONG)
  test(`checkLeaf says what is wrong: ${why}`, () => {
    assert.match(bothSay(bytes) ?? '', wrong)
  })

test('checkLeaf refuses what no leaf can be: too long, too deep, too many names', () => {
  assert.match(checkLeaf(leafWith({ what: 'x'.repeat(LIMITS.leafBytes) })).wrong ?? '', /^longer than/)
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`
  const bytes = utf8(canonicalJson(LEAST).replace('{', `{"after":${deep},`))
  assert.match(bothSay(bytes) ?? '', /^nested deeper/)
  const deepObject = `${'{"a":'.repeat(9_000)}1${'}'.repeat(9_000)}`
  assert.match(
    checkLeaf(utf8(canonicalJson(LEAST).replace('{', `{"after":${deepObject},`))).wrong ?? '',
    /^nested deeper/,
  )
  const names = Array.from({ length: 65 }, (_, at) => [`n${at}`, HASH])
  assert.match(checkLeaf(leafWith({ commit: Object.fromEntries(names) })).wrong ?? '', /^"commit"/)
  assert.match(checkLeaf(leafWith({ commit: { ['n'.repeat(65)]: HASH } })).wrong ?? '', /^"commit"/)
})

test('checkLeaf takes a leaf of just the limits: its length, its commitments, their names, the first time', () => {
  const rest = LIMITS.leafBytes - leafWith({ what: '' }).length
  assert.equal(checkLeaf(leafWith({ what: 'x'.repeat(rest) })).wrong, undefined)
  assert.match(checkLeaf(leafWith({ what: 'x'.repeat(rest + 1) })).wrong ?? '', /^longer than/)
  const names = Array.from({ length: 64 }, (_, at) => [`${at}`.padStart(64, 'n'), HASH])
  assert.equal(checkLeaf(leafWith({ commit: Object.fromEntries(names) })).wrong, undefined)
  assert.equal(bothSay(leafWith({ at: 0 })), undefined)
  for (const kind of ['intent', 'outcome', 'refusal', 'digest', 'change', 'note'])
    assert.equal(bothSay(leafWith({ kind })), undefined, kind)
})

test('checkLeaf takes null and a cut value for every public field, and a name that was sensitive once', () => {
  for (const [name, type] of PUBLIC_TYPES) {
    for (const value of [null, { cut: 'x', length: 2_000 }, { cut: [], length: 70 }])
      assert.equal(bothSay(leafWith({ [name]: value })), undefined, name)
    const wrong = bothSay(leafWith({ [name]: { other: 1 } }))
    assert.equal(wrong, type === 'value' ? undefined : `"${name}" is not a ${type}`)
    assert.equal(bothSay(leafWith({ commit: { [name]: HASH } })), undefined, name)
  }
})

test('the table of classes knows no name that every entry has', () => {
  for (const name of ['v', 'kind', 'id', 'at', 'commit']) assert.equal(classOf(name), 'sensitive', name)
  assert.ok(isJsonObject(LEAST))
})
