import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deepFreeze, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { fillerOf, plantedSecrets } from '../../test/support/planted_secrets.ts'
import type { Detector } from './detector.ts'
import { DETECTORS } from './detectors/all.ts'
import { inspect, redactText } from './inspect.ts'

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
    const inspection = inspect([...DETECTORS, FAILING], action, { a: ['b', 'c'] })
    assert.equal(inspection.kind, 'block')
    assert.deepEqual(
      inspection.findings.map(({ rule }) => rule),
      ['detector.failed'],
    )
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

test('redactText takes secrets out of a text, and gives nothing when a detector fails', () => {
  assert.equal(redactText(DETECTORS, 'plain'), 'plain')
  assert.equal(redactText(DETECTORS, fillerOf(1)('key sk-{base62:48}!')), 'key [redacted:credential.openai]!')
  assert.equal(redactText([FAILING], 'plain'), '')
})
