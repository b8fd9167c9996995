import fc from 'fast-check'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { PUBLIC_TYPES } from '#trust/ledger/class_table.ts'

/** Values that stand at the edges of what an entry can hold, and beyond. */
function nested(depth: number): JsonValue {
  return depth === 0 ? 1 : depth % 2 === 0 ? [nested(depth - 1)] : { a: nested(depth - 1) }
}

const COMMITMENT = `${'A'.repeat(42)}E`
const commitments = (count: number): JsonObject =>
  Object.fromEntries(Array.from({ length: count }, (_, at) => [`n${at}`, COMMITMENT]))

const ODD_NUMBERS = [0, -1, 1.5, 1e21, 1e-7, 1e15, 1e16, 5e-324, 2 ** 53 - 1, 2 ** 53, -(2 ** 53), 1.795e12]
const ODD_TEXTS = ['', 'x', 'é', '\u2028', '\u007f', '\u0000', '\ud800', '\ud83d\ude00', '\ufffd', '"', '\\']
const FORMS = [
  'intent',
  'note',
  '__proto__',
  'A'.repeat(16),
  'A'.repeat(15),
  '-'.repeat(16),
  'x'.repeat(70_000),
]
const OTHERS: readonly JsonValue[] = [null, true, false, [], {}, [''], ['\ud800', 1], [[]], [null]]
const CUTS: readonly JsonValue[] = [
  { cut: 'x', length: 5 },
  { cut: 'x', length: -1 },
  { cut: 'x', length: 0 },
  { cut: 1, d: 2, length: 3 },
  { cut: [], length: 2 ** 53 },
  { cut: [], length: 2 ** 53 - 1 },
  { cut: 'x', length: 1.5 },
  { cut: 'x' },
  { length: 1 },
  { 'cut,length': 1 },
  { cut: 'x', length: '5' },
  { cut: nested(40), length: 1 },
]
const COMMITS: readonly JsonValue[] = [
  { '': COMMITMENT },
  { ['x'.repeat(64)]: COMMITMENT },
  { ['x'.repeat(65)]: COMMITMENT },
  { ['é'.repeat(64)]: COMMITMENT },
  { ['\u0001'.repeat(64)]: COMMITMENT },
  { ['\ud83d\ude00'.repeat(33)]: COMMITMENT },
  { '"': COMMITMENT, '\\': COMMITMENT, '\ud800': COMMITMENT },
  { 10: COMMITMENT, 9: COMMITMENT },
  JSON.parse(`{"__proto__":"${COMMITMENT}"}`) as JsonObject,
  { a: `${'A'.repeat(42)}B` },
  { a: null },
  { status: COMMITMENT },
  { at: COMMITMENT, caller: COMMITMENT, commit: COMMITMENT, id: COMMITMENT, kind: COMMITMENT, v: COMMITMENT },
  { a: { b: COMMITMENT } },
  { a: `${COMMITMENT},"b":"${COMMITMENT}` },
]
const NESTED = [1, 30, 31, 32, 33, 60, 3_000].map(nested)
const MANY = [0, 1, 63, 64, 65].map(commitments)
const ODD_VALUES = [ODD_NUMBERS, ODD_TEXTS, FORMS, OTHERS, CUTS, COMMITS, NESTED, MANY].flatMap(
  (each): readonly JsonValue[] => each,
)

const ODD_NAMES: readonly string[] = ['', 'A', 'vow', '__proto__', 'x"after":', 'constructor', '\ud800', '10']
const NAMES = ['v', 'kind', 'id', 'at', 'caller', 'commit', ...PUBLIC_TYPES.keys()]

/** Changes of the members of a leaf, which then is canonical again. */
const members = fc.array(
  fc.record({
    name: fc.oneof(
      { weight: 8, arbitrary: fc.constantFrom(...NAMES) },
      { weight: 1, arbitrary: fc.constantFrom(...ODD_NAMES) },
    ),
    value: fc.option(fc.constantFrom(...ODD_VALUES), { nil: undefined, freq: 8 }),
  }),
  { minLength: 0, maxLength: 2 },
)

/** What stands in the place of something in a text, or beside it. */
const SPACES = [
  '',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\n\n',
  '\ufeff',
  '\u00a0',
  '\u0000',
  '\u007f',
  '\u0085',
  '\u2028',
]
const DIGITS = [
  '0',
  '-0',
  '1e0',
  '1.0',
  '01',
  '+1',
  '-1',
  '1E400',
  '0x1',
  '١',
  '1_000',
  `1${'0'.repeat(400)}`,
]
const BORDERS = [
  '999999999999999',
  '1000000000000000',
  '9007199254740990',
  '9007199254740991',
  '9007199254740992',
]
const BEYOND = ['9007199254740993', '18446744073709551615', '18446744073709551616']
const SIGNS = [
  '"',
  '\\u0061',
  '\\ud800',
  '\\/',
  '{',
  '}',
  '[]',
  ',',
  ':',
  'null',
  '"v":1,',
  '{}',
  '=',
  '==',
  '-',
  '_',
]
const WORDS = ['\u2014 ', '- ', 'extra AA==', 'open {}', 'gatehouse receipt v1', 'A'.repeat(44)]
const TOKENS = [...SPACES, ...DIGITS, ...BORDERS, ...BEYOND, ...SIGNS, ...WORDS]

export interface TextEdit {
  readonly kind: 'flip' | 'cut' | 'end' | 'insert' | 'number' | 'double' | 'drop' | 'swap' | 'base64' | 'crlf'
  readonly at: number
  readonly with: string
}

/** Edits of a text by places that are parts of its length. */
export const textEdits = fc.array(
  fc.record({
    kind: fc.constantFrom<TextEdit['kind']>(
      'flip',
      'cut',
      'end',
      'insert',
      'number',
      'double',
      'drop',
      'swap',
      'base64',
      'crlf',
    ),
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    with: fc.constantFrom(...TOKENS),
  }),
  { minLength: 0, maxLength: 2 },
)

export function edited(text: string, edits: readonly TextEdit[]): string {
  return edits.reduce(editOnce, text)
}

function editOnce(text: string, { kind, at, with: token }: TextEdit): string {
  const place = Math.floor(at * text.length)
  const lines = text.split('\n')
  const line = Math.floor(at * lines.length)
  switch (kind) {
    case 'flip':
      return `${text.slice(0, place)}${String.fromCharCode(text.charCodeAt(place) ^ 1)}${text.slice(place + 1)}`
    case 'cut':
      return text.slice(0, place)
    case 'end':
      return text + token
    case 'insert':
      return text.slice(0, place) + token + text.slice(place)
    case 'number':
      return replaceNth(text, /-?\d[\d.eE+-]*/g, at, () => token)
    case 'double':
      return lines.toSpliced(line, 0, lines[line] ?? '').join('\n')
    case 'drop':
      return lines.toSpliced(line, 1).join('\n')
    case 'swap':
      return lines.toSpliced(line, 2, lines[line + 1] ?? '', lines[line] ?? '').join('\n')
    case 'base64':
      return replaceNth(text, /[\w+/-]{43}=?/g, at, otherBase64)
    case 'crlf':
      return replaceNth(text, /\n/g, at, () => '\r\n')
  }
}

function replaceNth(text: string, what: RegExp, at: number, by: (found: string) => string): string {
  const all = [...text.matchAll(what)]
  const found = all[Math.floor(at * all.length)]
  if (found === undefined) return text
  const [whole] = found
  return text.slice(0, found.index) + by(whole) + text.slice(found.index + whole.length)
}

/** The same bytes in a form that is not the canonical one. */
function otherBase64(text: string): string {
  if (!text.endsWith('=')) return text.replace(/.$/, (last) => String.fromCharCode(last.charCodeAt(0) + 1))
  return text.includes('/') ? text.replaceAll('/', '_') : text.slice(0, -1)
}

/** A leaf with other members, canonical, and edited as a text now and then. */
export function oddLeaf(base: JsonObject): fc.Arbitrary<Uint8Array> {
  const edits = fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: textEdits })
  return fc.tuple(members, edits).map(([changes, more]) => {
    const leaf = new Map(Object.entries(base))
    for (const { name, value } of changes)
      if (value === undefined) leaf.delete(name)
      else leaf.set(name, value)
    return utf8(edited(canonicalJson(Object.fromEntries(leaf)), more))
  })
}

/** Sizes and indexes as they may stand in a text. */
const SMALL = ['0', '1', '2', '3', '5', '7', '8', '255', '256', '4294967297']
export const oddNumber = fc.constantFrom(...SMALL, ...SMALL, ...BORDERS, ...BEYOND, ...DIGITS, ' 1', '1 ', '')

/** Changes of what is disclosed: in it, beside it, and in its place. */
export const OPENINGS: readonly ((opened: JsonObject) => JsonValue | undefined)[] = [
  (opened) => opened,
  (opened) => opened,
  () => undefined,
  () => ({}),
  (opened) => Object.fromEntries(Object.entries(opened).slice(1)),
  (opened) => ({ ...opened, constructor: { salt: 'A'.repeat(43), value: 1 } }),
  (opened) => JSON.parse(`{"__proto__":{"salt":"${'A'.repeat(43)}","value":1}${rest(opened)}`) as JsonValue,
  (opened) => mapped(opened, (each) => ({ ...each, value: 'other' })),
  (opened) => mapped(opened, (each) => ({ ...each, more: 1 })),
  (opened) => mapped(opened, ({ salt = null }) => ({ salt })),
  (opened) => mapped(opened, ({ value = null }) => ({ value })),
  (opened) => mapped(opened, ({ salt = null }) => [salt]),
  (opened) => mapped(opened, ({ salt = null }) => salt),
  (opened) => mapped(opened, () => null),
  (opened) => mapped(opened, (each) => ({ ...each, value: deep(40) })),
  (opened) => mapped(opened, (each) => ({ ...each, value: deep(3_000) })),
]

function rest(opened: JsonObject): string {
  return Object.keys(opened).length === 0 ? '}' : `,${canonicalJson(opened).slice(1)}`
}

function deep(depth: number): JsonValue {
  return depth === 0 ? 1 : [deep(depth - 1)]
}

function mapped(opened: JsonObject, by: (each: JsonObject) => JsonValue): JsonValue {
  return Object.fromEntries(Object.entries(opened).map(([name, each]) => [name, by(each as JsonObject)]))
}
