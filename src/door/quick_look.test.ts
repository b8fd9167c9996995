import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonValue } from '#base/json.ts'
import { fillerOf, plantedSecrets } from '../../test/support/planted_secrets.ts'
import type { Detector } from './detector.ts'
import { DETECTORS } from './detectors/all.ts'
import { inspect } from './inspect.ts'
import { QuickLook } from './quick_look.ts'

const SEED = 20_261_122
const fill = fillerOf(SEED)
const look = new QuickLook(DETECTORS)
const SECRETS = plantedSecrets(SEED).map(({ text }) => text)
const [SECRET = ''] = SECRETS

const CLEAN: readonly (readonly [why: string, value: JsonValue])[] = [
  ['a text', 'Nothing hides here.'],
  ['no text', [1, null, true, {}]],
  ['a chat', { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] }],
  ['an id that looks like a token', { id: `chatcmpl-${fill('{base62:29}')}`, n: 1 }],
  ['a long text', 'words '.repeat(10_000)],
]

for (const [why, value] of CLEAN) {
  test(`findsNothing holds for a clean value: ${why}`, () => {
    assert.equal(look.findsNothing(value), true)
    assert.equal(inspect(DETECTORS, 'redact', value).kind, 'pass')
  })
}

const FAILING: Detector = {
  id: 'failing',
  why: 'Fails.',
  find: () => {
    throw new Error('no')
  },
}

test('findsNothing does not hold when a detector fails', () => {
  assert.equal(new QuickLook([...DETECTORS, FAILING]).findsNothing('a'), false)
})

const nested = (levels: number): JsonValue => JSON.parse('['.repeat(levels) + ']'.repeat(levels)) as JsonValue
const BEYOND: readonly (readonly [why: string, value: JsonValue])[] = [
  ['nested too deep', nested(65)],
  ['a text of which the search takes turns', 'words '.repeat(100_000)],
  ['very many values', Array.from({ length: 10_000 }, () => 1)],
  ['very many names', Object.fromEntries(Array.from({ length: 10_000 }, (_, at) => [`n${at}`, 1]))],
  ['many strings that need a search', Array.from({ length: 17 }, (_, at) => `${fill('{base62:30}')} ${at}`)],
]

for (const [why, value] of BEYOND) {
  test(`findsNothing leaves to others: ${why}`, () => {
    assert.equal(look.findsNothing(value), false)
  })
}

test(`findsNothing holds for a value of ordinary size exactly when inspect finds nothing (seed ${SEED})`, () => {
  const text = fc.oneof(
    {
      weight: 12,
      arbitrary: fc.constantFrom('', 'a', 'prompt_tokens', 'Hello, all of you!', 'https://host/path'),
    },
    { weight: 1, arbitrary: fc.constantFrom(...SECRETS) },
    { weight: 1, arbitrary: fc.constantFrom(...SECRETS).map((secret) => encodeURIComponent(secret)) },
  )
  const { value } = fc.letrec<{ value: JsonValue }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3, withCrossShrink: true },
      text,
      fc.constantFrom(1, null, true),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(text, tie('value'), { maxKeys: 3 }),
    ),
  }))
  const counts = { clean: 0, found: 0 }
  fc.assert(
    fc.property(value, (one) => {
      const isClean = inspect(DETECTORS, 'pass', one).findings.length === 0
      counts[isClean ? 'clean' : 'found'] += 1
      assert.equal(look.findsNothing(one), isClean)
    }),
    { seed: SEED, numRuns: 3_000 },
  )
  assert.ok(counts.clean > 500 && counts.found > 500, JSON.stringify(counts))
})

test('findsNothing sees a secret wherever it stands', () => {
  for (const value of [SECRET, [SECRET], { a: [{ b: SECRET }] }, { [SECRET]: 1 }])
    assert.equal(look.findsNothing(value), false)
})

test('findsNothing sees a secret as a name: whatever names it has seen before', () => {
  const names = (from: number): JsonValue =>
    Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`name_${from + at}`, 1]))
  for (let round = 0; round < 6; round++) {
    assert.equal(look.findsNothing(names(round % 2 === 0 ? round * 500 : 0)), true)
    assert.equal(look.findsNothing({ [SECRET]: 1 }), false)
  }
})
