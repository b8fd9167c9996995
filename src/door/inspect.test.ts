import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deepFreeze, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { isQuick } from '../../test/support/is_quick.ts'
import { fillerOf, plantedSecrets } from '../../test/support/planted_secrets.ts'
import type { Detector, Finding } from './detector.ts'
import { DETECTORS } from './detectors/all.ts'
import { inspect, inspectInPieces, redactText } from './inspect.ts'

const SEED = 20_261_122
const SECRETS = plantedSecrets(SEED)
const [FIRST] = SECRETS
const CHAT: JsonObject = deepFreeze({
  model: 'm',
  messages: [
    { role: 'system', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Hello' },
        { type: 'text', text: 'there' },
      ],
    },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', function: { name: 'f', arguments: '{"a":1}' } }],
    },
  ],
  stop: ['x', 'y'],
  user: 'someone',
  n: 1,
})

/** The same value with the text in the place of each string in it, one copy per place. */
function plantedEverywhere(value: JsonValue, text: string): readonly JsonValue[] {
  if (typeof value === 'string') return [text]
  if (isJsonObject(value)) {
    return Object.entries(value).flatMap(([name, inner]) =>
      plantedEverywhere(inner, text).map((copy) => ({ ...value, [name]: copy })),
    )
  }
  if (!Array.isArray(value)) return []
  const array: readonly JsonValue[] = value
  return array.flatMap((inner, at) => plantedEverywhere(inner, text).map((copy) => array.with(at, copy)))
}

test('there are at least 40 kinds of planted secrets', () => {
  assert.ok(new Set(SECRETS.map(({ kind }) => kind)).size >= 40)
})

test('inspect gives back the very value when nothing is found', () => {
  for (const action of ['pass', 'redact', 'block'] as const) {
    const inspection = inspect(DETECTORS, action, CHAT)
    assert.ok(inspection.kind === 'pass')
    assert.equal(inspection.value, CHAT)
    assert.deepEqual(inspection.findings, [])
  }
})

for (const { kind, rule, text, secret } of SECRETS) {
  test(`inspect redacts and blocks in every field, and leaves the rest as it is: ${kind}`, () => {
    const places = plantedEverywhere(CHAT, text)
    assert.equal(places.length, 15)
    for (const planted of places) {
      const redacted = inspect(DETECTORS, 'redact', planted)
      assert.ok(redacted.kind === 'redact')
      const printed = JSON.stringify(redacted.value)
      assert.ok(!printed.includes(JSON.stringify(secret.trim()).slice(1, -1)))
      assert.ok(printed.includes(`[redacted:${rule}]`))
      assert.ok(redacted.findings.some((finding) => finding.rule === rule))
      assert.ok(Object.isFrozen(redacted.value))
      // Nothing is left of it that a second look would find.
      assert.equal(inspect(DETECTORS, 'redact', redacted.value).kind, 'pass')
      assert.equal(inspect(DETECTORS, 'block', planted).kind, 'block')
    }
  })
}

test('inspect keeps the shape, and shares what it did not change', () => {
  const planted: JsonObject = { ...CHAT, user: FIRST?.text ?? '' }
  const redacted = inspect(DETECTORS, 'redact', planted)
  assert.ok(redacted.kind === 'redact')
  assert.deepEqual(Object.keys(redacted.value), Object.keys(planted))
  assert.equal(redacted.value['messages'], planted['messages'])
})

test('inspect passes what it finds when told to, and says so', () => {
  const planted = { [FIRST?.text ?? '']: FIRST?.text ?? '' }
  const inspection = inspect(DETECTORS, 'pass', planted)
  assert.ok(inspection.kind === 'pass')
  assert.equal(inspection.value, planted)
  assert.equal(inspection.findings.length, 2)
})

test('inspect blocks a secret in the name of a member, because another name would be another shape', () => {
  for (const { text, rule } of SECRETS) {
    const inspection = inspect(DETECTORS, 'redact', { logit_bias: { [text]: 1 } })
    assert.equal(inspection.kind, 'block')
    assert.ok(inspection.findings.some((finding) => finding.rule === rule))
  }
})

const letters = (text: string): readonly string[] => Array.from(text)
const hex = (letter: string, digits: number): string =>
  letter.charCodeAt(0).toString(16).padStart(digits, '0')
const json = (text: string): string => JSON.stringify(text).slice(1, -1)

/** Of the secret alone: some forms are told by what stands around them, so that stays as it is. */
const DISGUISES: readonly (readonly [why: string, disguise: (secret: string) => string])[] = [
  ['zero-width spaces between all letters', (secret) => letters(secret).join('\u200b')],
  ['a soft hyphen near the start', (secret) => `${secret.slice(0, 3)}\u00ad${secret.slice(3)}`],
  ['selectors between all letters', (secret) => letters(secret).join('\u{e0100}')],
  [
    'escapes of JSON',
    (secret) =>
      letters(secret)
        .map((letter) => `\\u${hex(letter, 4)}`)
        .join(''),
  ],
  ['controls of the terminal between all letters', (secret) => letters(secret).join('\u001b')],
  ['format characters far out', (secret) => letters(secret).join('\u{13430}')],
  [
    'escapes in braces',
    (secret) =>
      letters(secret)
        .map((letter) => `\\u{${hex(letter, 2)}}`)
        .join(''),
  ],
  [
    'escapes with eight digits',
    (secret) =>
      letters(secret)
        .map((letter) => `\\U${hex(letter, 8)}`)
        .join(''),
  ],
  [
    'octal escapes',
    (secret) =>
      letters(secret)
        .map((letter) => `\\${letter.charCodeAt(0).toString(8).padStart(3, '0')}`)
        .join(''),
  ],
  [
    'quoted-printable',
    (secret) =>
      letters(secret)
        .map((letter) => `=${hex(letter, 2).toUpperCase()}`)
        .join(''),
  ],
  ['backslashes of Markdown', (secret) => secret.replaceAll(/[-_.]/g, String.raw`\$&`)],
  [
    'percent signs',
    (secret) =>
      letters(secret)
        .map((letter) => `%${hex(letter, 2)}`)
        .join(''),
  ],
]

/** Of the secret with what stands around it. */
const WRAPPINGS: readonly (readonly [why: string, wrap: (text: string) => string])[] = [
  ['base 64', (text) => Buffer.from(text).toString('base64')],
  ['base 64 url', (text) => Buffer.from(text).toString('base64url')],
  ['base 64 behind one letter', (text) => `x${Buffer.from(text).toString('base64')}`],
  ['base 64 behind two letters', (text) => `xy${Buffer.from(text).toString('base64')}`],
  ['base 64 behind three letters', (text) => `xyz${Buffer.from(text).toString('base64')}`],
  ['base 64 of UTF-16, little end first', (text) => Buffer.from(text, 'utf16le').toString('base64')],
  ['base 64 of UTF-16, big end first', (text) => Buffer.from(text, 'utf16le').swap16().toString('base64')],
  ['JSON', (text) => json(text)],
  ['JSON in JSON', (text) => json(json(text))],
]

for (const [why, disguise] of DISGUISES) {
  test(`inspect redacts what is disguised by ${why}`, () => {
    for (const { kind, text, secret } of SECRETS) {
      const hidden = disguise(secret)
      const redacted = inspect(
        DETECTORS,
        'redact',
        text.replace(secret, () => hidden),
      )
      assert.ok(redacted.kind === 'redact', kind)
      assert.ok(!redacted.value.includes(hidden.trimEnd()), kind)
    }
  })
}

for (const [why, wrap] of WRAPPINGS) {
  test(`inspect redacts what is wrapped in ${why}`, () => {
    for (const { kind, text, secret } of SECRETS) {
      const redacted = inspect(DETECTORS, 'redact', `see "${wrap(text)}" ok`)
      assert.ok(redacted.kind === 'redact', kind)
      assert.ok(
        ![secret, wrap(secret.trimEnd()), wrap(text)].some((part) => redacted.value.includes(part)),
        kind,
      )
      assert.match(redacted.value, /^see ".*" ok$/)
    }
  })
}

/** Every row of docs/explanation/inspection-limits.md under "What passes": a row that is found one day must leave that page. */
const GAPS: readonly (readonly [why: string, hide: (secret: string) => JsonValue])[] = [
  ['two layers of base 64', (s) => Buffer.from(Buffer.from(s).toString('base64')).toString('base64')],
  [
    'base 64 broken into lines',
    (s) =>
      (
        Buffer.from(s)
          .toString('base64')
          .match(/.{1,20}/g) ?? []
      ).join('\n'),
  ],
  [
    'base 64 with escapes in it',
    (s) => Buffer.from(s).toString('base64').replaceAll('a', '%61').replaceAll('c', '%63'),
  ],
  ['hexadecimal', (s) => Buffer.from(s).toString('hex')],
  ['percent signs twice', (s) => s.replaceAll(/./g, (letter) => `%25${hex(letter, 2)}`)],
  ['HTML entities', (s) => s.replaceAll(/./g, (letter) => `&#${String(letter.charCodeAt(0))};`)],
  ['octal escapes of two digits', (s) => s.replaceAll('-', String.raw`\55`)],
  ['spaces between letters', (s) => letters(s).join(' ')],
  ['line ends in the middle', (s) => `${s.slice(0, 12)}\n${s.slice(12, 24)}\n${s.slice(24)}`],
  ['look-alike letters', (s) => s.replace('s', '\u0455')],
  ['marks over letters', (s) => letters(s).join('\u0301')],
  ['the reverse', (s) => letters(s).toReversed().join('')],
  ['several strings', (s) => [s.slice(0, 12), s.slice(12)]],
  ['a short prefix right behind a letter', (s) => `x${s}`],
  ['a short prefix in a run of more than a thousand letters', (s) => `x-${s}${'a'.repeat(1_024)}`],
]

for (const [why, hide] of GAPS) {
  test(`inspect does not see yet: ${why}`, () => {
    assert.equal(inspect(DETECTORS, 'redact', hide(fillerOf(SEED)('sk-{base62:48}'))).kind, 'pass')
  })
}

test('inspect redacts all of a run of base 64 in which a secret stands behind megabytes', () => {
  const { text } = FIRST ?? { text: '' }
  const run = Buffer.concat([Buffer.alloc(1_200_000, 0xe9), Buffer.from(text)]).toString('base64')
  const redacted = inspect(DETECTORS, 'redact', `see "${run}" ok`)
  assert.ok(redacted.kind === 'redact')
  assert.equal(redacted.value, 'see "[redacted:credential.gatehouse]" ok')
})

test('inspect keeps JSON inside a string readable', () => {
  const fill = fillerOf(SEED)
  const secret = fill('sk-{base62:48}')
  const planted = JSON.stringify({ command: 'login', key: secret, nested: JSON.stringify({ key: secret }) })
  const redacted = inspect(DETECTORS, 'redact', planted)
  assert.ok(redacted.kind === 'redact')
  assert.deepEqual(JSON.parse(redacted.value), {
    command: 'login',
    key: '[redacted:credential.openai]',
    nested: '{"key":"[redacted:credential.openai]"}',
  })
})

const FAILING: Detector = {
  id: 'failing',
  why: 'Fails.',
  find: () => {
    throw new Error('no')
  },
}

test('inspect blocks when a detector throws, whatever the action', () => {
  for (const action of ['pass', 'redact', 'block'] as const) {
    for (const text of ['b', 'long '.repeat(LIMITS.inspectedAtOnce)]) {
      const inspection = inspect([...DETECTORS, FAILING], action, { a: [text, 'c'] })
      assert.equal(inspection.kind, 'block')
      assert.deepEqual(
        inspection.findings.map(({ rule }) => rule),
        ['detector.failed'],
      )
    }
  }
})

test('inspect blocks what is nested too deep to be looked at', () => {
  const nest = (levels: number): JsonValue => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as JsonValue
  assert.equal(inspect(DETECTORS, 'pass', nest(64)).kind, 'pass')
  assert.equal(inspect(DETECTORS, 'pass', nest(65)).kind, 'block')
  assert.equal(inspect(DETECTORS, 'redact', nest(100_000)).kind, 'block')
})

test('inspect redacts beside a member named __proto__ without touching any prototype', () => {
  const planted = JSON.parse(`{"__proto__":{"a":1},"b":${JSON.stringify(FIRST?.text)}}`) as JsonObject
  const redacted = inspect(DETECTORS, 'redact', planted)
  assert.ok(redacted.kind === 'redact')
  assert.deepEqual(Object.keys(redacted.value), ['__proto__', 'b'])
  assert.equal(Object.getPrototypeOf(redacted.value), Object.prototype)
})

test('inspect joins findings of several detectors that overlap', () => {
  const finder = (id: string, start: number, end: number): Detector => ({
    id,
    why: 'Finds a stretch.',
    find: () => [{ rule: `test.${id}`, start, end }],
  })
  const detectors = [finder('late', 4, 8), finder('early', 2, 5), finder('far', 9, 10), finder('inner', 2, 3)]
  const redacted = inspect(detectors, 'redact', '0123456789')
  assert.ok(redacted.kind === 'redact')
  assert.equal(redacted.value, '01[redacted:test.early]8[redacted:test.far]')
})

/** Counts what the detectors are asked. */
function counting(): Detector & { readonly asked: { texts: number; characters: number } } {
  const asked = { texts: 0, characters: 0 }
  const find = (text: string): readonly Finding[] => {
    asked.texts += 1
    asked.characters += text.length
    return []
  }
  return { id: 'counting', why: 'Counts.', find, asked }
}

const MANY = 3_000_000
const FORMS: readonly (readonly [form: string, part: string, mostPerCharacter: number])[] = [
  ['prose', 'Nothing hides here. ', 1.2],
  ['escapes', '\\n', 1.8],
  ['percent signs', '%41', 1.6],
  ['letters and what shows nothing', 'a\u200b', 1.8],
  ['base 64 of text', Buffer.from('it says so '.repeat(3)).toString('base64'), 4.3],
  ['base 64 of bytes', Buffer.from('\u00e9'.repeat(30)).toString('base64'), 1.2],
  ['backslashes', '\\', 1.2],
]

for (const [form, part, most] of FORMS) {
  test(`inspect reads each character of a long text a few times only, in pieces: ${form}`, () => {
    const text = part.repeat(MANY / part.length)
    const detector = counting()
    const pieces = inspectInPieces([detector], 'redact', { a: text })
    let count = 0
    let last = 0
    for (let piece = pieces.next(); piece.done !== true; piece = pieces.next()) {
      count += 1
      assert.ok(detector.asked.characters - last <= 5 * (LIMITS.inspectedAtOnce + 2 * LIMITS.inspectedAhead))
      last = detector.asked.characters
    }
    assert.ok(count >= Math.floor(text.length / LIMITS.inspectedAtOnce) - 1, String(count))
    assert.ok(
      detector.asked.characters <= most * text.length,
      String(detector.asked.characters / text.length),
    )
  })
}

/** An escape somewhere makes a view of the whole slice, which is looked at too. */
const OF_URLS = ['a://b:c@', 'https://user:pass@host/'].flatMap((part) => {
  const slice = part.repeat(LIMITS.inspectedAtOnce / part.length)
  return [
    [part, slice],
    [`${part} and an escape`, `${slice}%41 `],
  ] as const
})

for (const [why, text] of OF_URLS) {
  test(`inspect holds up nobody for long over one slice of ${why}`, () => {
    assert.ok(isQuick(100, () => inspect(DETECTORS, 'pass', text)))
  })
}

test('inspect finds the same in slices as at once, wherever the secret stands', () => {
  const cut = LIMITS.inspectedAtOnce
  const kinds = new Map(SECRETS.map((secret) => [secret.rule, secret]))
  for (const { kind, text, secret } of kinds.values()) {
    for (const shift of [-secret.length, -7, 0, 1]) {
      const planted = `${'lorem ipsum '.repeat(cut / 10).slice(0, cut + shift - 1)} ${text} ${'dolor sit '.repeat(10_000)}`
      const inspection = inspect(DETECTORS, 'redact', planted)
      assert.ok(inspection.kind === 'redact', `${kind} ${String(shift)}`)
      const alone = inspect(DETECTORS, 'redact', ` ${text} `)
      assert.ok(alone.kind === 'redact')
      assert.ok(inspection.value.includes(alone.value), `${kind} ${String(shift)}`)
    }
  }
})

test('inspect does not take the second half of a word for the beginning of a token, where a slice is cut', () => {
  const word = fillerOf(SEED)('task-{base62:30}')
  for (let shift = -6; shift <= 6; shift++) {
    const at = LIMITS.inspectedAtOnce - LIMITS.inspectedBehind + shift
    const text = `${'x '.repeat(at).slice(0, at)}${word} ${'y '.repeat(LIMITS.inspectedAtOnce)}`
    assert.equal(inspect(DETECTORS, 'redact', text).kind, 'pass')
  }
})

test('inspect looks at one string of a value once, however often it stands there', () => {
  const detector = counting()
  inspect([detector], 'redact', { a: Array.from({ length: 5_000 }, () => 'the same again and again') })
  assert.equal(detector.asked.texts, 2)
})

test('inspect redacts a string each time it stands there', () => {
  const text = fillerOf(SEED)('sk-{base62:48}')
  const redacted = inspect(DETECTORS, 'redact', ['a', text, { b: text }, 'a', [text]])
  assert.ok(redacted.kind === 'redact')
  const clean = '[redacted:credential.openai]'
  assert.deepEqual(redacted.value, ['a', clean, { b: clean }, 'a', [clean]])
  assert.equal(redacted.findings.length, 3)
})

const SECRET = fillerOf(SEED)('sk-{base62:20}')
/** More than a call can have arguments. */
const VERY_MANY = 200_000
const TOO_MANY: readonly (readonly [why: string, planted: JsonValue])[] = [
  ['in one string', `${SECRET} `.repeat(VERY_MANY)],
  ['in many strings', Array.from({ length: VERY_MANY }, () => SECRET)],
  [
    'in names',
    Object.fromEntries(
      Array.from({ length: 2 * LIMITS.findings }, (_, at) => [`${SECRET} ${String(at)}`, 1]),
    ),
  ],
]

for (const [why, planted] of TOO_MANY) {
  test(`inspect blocks more findings than it may keep, whatever the action: ${why}`, () => {
    for (const action of ['pass', 'redact', 'block'] as const) {
      const inspection = inspect(DETECTORS, action, planted)
      assert.equal(inspection.kind, 'block')
      assert.equal(inspection.findings.at(-1)?.rule, 'inspection.too_many')
      assert.ok(inspection.findings.length <= LIMITS.findings + 1)
    }
  })
}

test('inspect keeps as many findings as it may', () => {
  const fill = fillerOf(SEED)
  const secrets = Array.from({ length: LIMITS.findings }, () => fill('sk-{base62:20}'))
  for (const planted of [secrets, [secrets.join(' ')]]) {
    const redacted = inspect(DETECTORS, 'redact', planted)
    assert.ok(redacted.kind === 'redact')
    assert.equal(redacted.findings.length, LIMITS.findings)
  }
})

test('redactText takes secrets out of a text, and gives nothing when a detector fails', () => {
  assert.equal(redactText(DETECTORS, 'plain'), 'plain')
  assert.equal(redactText(DETECTORS, fillerOf(1)('key sk-{base62:48}!')), 'key [redacted:credential.openai]!')
  assert.equal(redactText([FAILING], 'plain'), '')
})

test('inspect leaves text alone that would hide something only with its escapes undone', () => {
  for (const text of [
    'port=1433; x=10;',
    'width=10 height=1F',
    '%10 off',
    'id=00012',
    '"\\x1b[31m"',
    '\\u200b',
  ])
    assert.equal(redactText(DETECTORS, text), text)
})
