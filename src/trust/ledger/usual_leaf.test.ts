import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { draft, intent, KEYS, outcome } from '../../../test/support/ledger_fixture.ts'
import { verifier } from '../../../test/support/verifier.ts'
import { PUBLIC_TYPES } from './class_table.ts'
import { makeLeaf } from './leaf.ts'
import { checkAnyLeaf, checkLeaf } from './leaf_check.ts'
import { pseudonymOf } from './pseudonym.ts'
import { isUsualLeaf } from './usual_leaf.ts'

const SEED = Buffer.alloc(32, 9)
const HASH = 'A'.repeat(43)
const LEAST: JsonObject = { at: 1, id: '0123456789abcdef', kind: 'note', v: 1 }

function textWith(more: JsonObject): string {
  return canonicalJson({ ...LEAST, ...more })
}

function textOf(entry: Parameters<typeof makeLeaf>[0]): string {
  const { bytes } = makeLeaf(entry, SEED, (value) => pseudonymOf(KEYS.pseudonymKey, value))
  return Buffer.from(bytes).toString('utf8')
}

/** All that is said of a leaf must be the same with the quick look at it and without; gives whether it is a usual one. */
function isUsualAndRight(text: string): boolean {
  const bytes = utf8(text)
  const [quick, plain] = [checkLeaf(bytes), checkAnyLeaf(text, bytes)]
  assert.equal(quick.wrong, plain.wrong, text)
  assert.deepEqual(quick.leaf(), plain.leaf())
  const isUsual = isUsualLeaf(text)
  if (isUsual) assert.doesNotThrow(() => verifier.parseLeaf(Buffer.from(bytes)), text)
  assert.equal(quick.usual, isUsual ? text : undefined)
  return isUsual
}

const USUAL: readonly [why: string, text: string][] = [
  ['an intent', textOf(intent(1))],
  ['an outcome', textOf(outcome(intent(1), 1))],
  ['the least that a leaf has', textWith({})],
  ['a list of texts', textOf(draft('refusal', { policies: ['a', 'b"c', ''], errors: [] }))],
  ['quotes and backslashes', textWith({ what: String.raw`"\" \\ ",\"`, resource: 'Model::"a"' })],
  [
    'what looks like members, in a value',
    textOf(draft('note', { what: '{"commit":{"b":1},"v":2', asked: 1 })),
  ],
  ['many commitments', textWith({ commit: Object.fromEntries(namesUpTo(64).map((name) => [name, HASH])) })],
  ['a commitment of a long name', textWith({ commit: { ['n'.repeat(64)]: HASH } })],
  ['the largest and least numbers', textWith({ ms: 999_999_999_999_999, count: -1, tries: 0 })],
  ['a value of any kind', textWith({ after: 'x', before: 7 })],
  ['every public name', textWith(Object.fromEntries([...PUBLIC_TYPES.keys()].map((name) => [name, null])))],
]

for (const [why, text] of USUAL)
  test(`isUsualLeaf says yes, and so does all else: ${why}`, () => {
    assert.ok(isUsualAndRight(text))
  })

const UNUSUAL: readonly [why: string, isRight: boolean, text: string][] = [
  ['a character that is not ASCII', true, textWith({ what: 'ü' })],
  ['a line break in a value', true, textWith({ what: '\n' })],
  ['a character that draws nothing', true, textWith({ what: '\u007f' })],
  ['a broken number', true, textWith({ ms: 1.5 })],
  ['a large number', true, textWith({ ms: 1e15 })],
  ['a value in a value', true, textWith({ after: { a: 1 } })],
  ['what was cut', true, textWith({ what: { cut: 'x', length: 2_000 } })],
  ['a commitment with a name of other characters', true, textWith({ commit: { A: HASH } })],
  ['nothing', false, ''],
  ['no members', false, '{}'],
  ['white space behind', false, `${textWith({})} `],
  ['white space before', false, ` ${textWith({})}`],
  ['a line behind', false, `${textWith({})}\n`],
  ['another leaf behind', false, textWith({}).repeat(2)],
  ['a comma too many', false, textWith({}).replace('}', ',}')],
  ['a zero before a number', false, textWith({}).replace('"at":1', '"at":01')],
  ['less than nothing', false, textWith({ ms: 1 }).replace('"ms":1', '"ms":-0')],
  ['a time before all', false, textWith({ at: -1 })],
  ['a slash behind a backslash', false, textWith({ what: 'x' }).replace('x', String.raw`\/`)],
  ['an unfinished backslash', false, textWith({ what: 'x' }).replace('x', '\\')],
  ['a quote by itself', false, textWith({ what: 'x' }).replace('x', 'x"x')],
  [
    'commitments out of order',
    false,
    textWith({}).replace('"id"', `"commit":{"b":"${HASH}","a":"${HASH}"},"id"`),
  ],
  ['a commitment twice', false, textWith({}).replace('"id"', `"commit":{"a":"${HASH}","a":"${HASH}"},"id"`)],
  [
    'the last commitments out of order',
    false,
    textWith({}).replace('"id"', `"commit":{"a":"${HASH}","c":"${HASH}","b":"${HASH}"},"id"`),
  ],
  ['no commitments', false, textWith({ commit: {} })],
  [
    'too many commitments',
    false,
    textWith({ commit: Object.fromEntries(namesUpTo(65).map((name) => [name, HASH])) }),
  ],
  ['a commitment of too long a name', false, textWith({ commit: { ['n'.repeat(65)]: HASH } })],
  ['a commitment with more bits', false, textWith({ commit: { a: `${HASH.slice(1)}B` } })],
  ['a pseudonym that is long', false, textWith({ caller: 'A'.repeat(17) })],
  ['another version', false, textWith({ v: 2 })],
  ['another kind', false, textWith({ kind: 'thought' })],
  ['an id that is long', false, textWith({ id: '0123456789abcdefg' })],
  ['a sensitive field in the clear', false, textWith({ content: 'x' })],
  ['a name twice', false, textWith({ what: 'x' }).replace('"what":"x"', '"what":"x","what":"x"')],
  ['names out of order', false, textWith({}).replace('"at":1,"id"', '"id"').replace(',"v"', ',"at":1,"v"')],
  ['a list with a number', true, textWith({ errors: [1] })],
  ['a text for a list', false, textWith({ errors: 'x' })],
  ['a list for a text', false, textWith({ what: [] })],
  ['a text for a number', false, textWith({ ms: '1' })],
  ['true', false, textWith({ ms: true })],
]

for (const [why, isRight, text] of UNUSUAL)
  test(`isUsualLeaf says nothing, and the other check ${isRight ? 'takes it' : 'finds what is wrong'}: ${why}`, () => {
    assert.ok(!isUsualAndRight(text))
    assert.equal(checkLeaf(utf8(text)).wrong === undefined, isRight)
  })

for (const name of ['v', 'kind', 'id', 'at'])
  test(`isUsualLeaf says nothing of a leaf without what every leaf has: ${name}`, () => {
    const { [name]: _, ...rest } = LEAST
    assert.ok(!isUsualAndRight(canonicalJson({ ...rest, commit: { a: HASH }, what: 'x' })))
  })

const NEAR = fc.oneof(
  fc.constantFrom<JsonValue>(
    null,
    true,
    0,
    -1,
    1.5,
    1e15,
    1e21,
    '',
    '"',
    '\\',
    'a"b\\',
    [],
    ['', 'x"'],
    [1],
    {},
    { a: 1 },
  ),
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string({ maxLength: 12 }),
  fc.integer(),
  fc.array(fc.string({ maxLength: 3 }), { maxLength: 3 }),
)
const NAMES = [...PUBLIC_TYPES.keys(), 'caller', 'commit', 'v', 'kind', 'id', 'at', 'content', '__proto__']
const COMMITMENTS = fc
  .uniqueArray(fc.constantFrom('address', 'asked', 'content', 'kind', 'commit', 'id', 'A', 'ü'), {
    maxLength: 4,
  })
  .map((names) => Object.fromEntries(names.map((name) => [name, HASH])))

test('isUsualLeaf says yes only of what the other check, too, finds right: members of any kind and order', () => {
  let usual = 0
  fc.assert(
    fc.property(
      fc.dictionary(fc.constantFrom(...NAMES), NEAR, { maxKeys: 4 }),
      fc.option(COMMITMENTS, { nil: undefined }),
      fc.boolean(),
      (some, commit, isCanonical) => {
        const leaf = { ...LEAST, ...some, ...(commit && { commit }) }
        if (isUsualAndRight(isCanonical ? canonicalJson(leaf) : JSON.stringify(leaf))) usual += 1
      },
    ),
    { seed: 20_411, numRuns: 2_000 },
  )
  assert.ok(usual > 100, `${usual} usual ones only`)
})

const PIECES = [
  '"',
  '\\',
  ',',
  ':',
  '{',
  '}',
  '[',
  ']',
  ' ',
  '0',
  '-',
  '\n',
  'é',
  '"v":1',
  ',"what":"x"',
  'null',
  '',
]

test('isUsualLeaf says yes only of what the other check, too, finds right: any piece put in or left out', () => {
  const [first, second] = [textOf(intent(1)), USUAL[4]?.[1] ?? assert.fail()]
  fc.assert(
    fc.property(
      fc.constantFrom(first, second),
      fc.nat(),
      fc.nat({ max: 3 }),
      fc.constantFrom(...PIECES),
      (text, place, gone, piece) => {
        const at = place % (text.length + 1)
        isUsualAndRight(text.slice(0, at) + piece + text.slice(at + gone))
      },
    ),
    { seed: 20_412, numRuns: 3_000 },
  )
})

test('isUsualLeaf takes no long time and does not throw: leaves as long as can be that end wrongly', () => {
  for (const long of ['"'.repeat(14_000), 'x'.repeat(50_000), '\\'.repeat(14_000)]) {
    const text = textWith({ what: long })
    assert.ok(isUsualAndRight(text))
    assert.ok(!isUsualAndRight(`${text.slice(0, -1)},}`))
  }
  const list = textWith({ errors: Array.from({ length: 12_000 }, () => 'x'), policies: ['y'] })
  assert.ok(list.length < LIMITS.leafBytes)
  assert.ok(isUsualAndRight(list))
  assert.ok(!isUsualAndRight(list.replace('"y"', '"y"x')))
})

function namesUpTo(count: number): readonly string[] {
  return Array.from({ length: count }, (_, at) =>
    String.fromCharCode(97 + Math.floor(at / 26), 97 + (at % 26)),
  )
}
