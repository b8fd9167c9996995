import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { checkEmbeddingsRequest, unknownEmbeddingsField } from './embeddings_request.ts'

const BASE = { model: 'm', input: 'hello' }

function sayOf(value: JsonValue): string {
  try {
    checkEmbeddingsRequest(value)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'input.invalid', String(thrown))
    return thrown.say ?? ''
  }
  return 'accepted'
}

const ACCEPTED: readonly (readonly [why: string, value: JsonObject])[] = [
  ['the least', BASE],
  ['texts', { ...BASE, input: ['a', 'b', ''] }],
  ['all fields', { ...BASE, dimensions: 1_536, encoding_format: 'base64', user: 'u' }],
  ['null for what is left out', { ...BASE, dimensions: null, encoding_format: null, user: null }],
  ['fields that we do not know', { ...BASE, input_type: 'query' }],
]

for (const [why, value] of ACCEPTED) {
  test(`checkEmbeddingsRequest accepts: ${why}`, () => {
    assert.equal(sayOf(value), 'accepted')
  })
}

const REFUSED: readonly (readonly [why: string, value: JsonValue, path: string])[] = [
  ['null', null, 'The body '],
  ['no model', { input: 'x' }, 'model '],
  ['no input', { model: 'm' }, 'input '],
  ['an empty list', { ...BASE, input: [] }, 'input '],
  ['an object', { ...BASE, input: { text: 'x' } }, 'input '],
  ['tokens', { ...BASE, input: [0, 17, 100_257] }, 'input must be a text or a list of texts: tokens'],
  [
    'the tokens of several texts',
    { ...BASE, input: [[1, 2], [3]] },
    'input must be a text or a list of texts: tokens',
  ],
  ['texts and tokens mixed', { ...BASE, input: ['a', 1] }, 'input'],
  ['lists of texts', { ...BASE, input: [['a'], ['b']] }, 'input[0]'],
  ['objects', { ...BASE, input: [{ image: 'x' }] }, 'input[0] '],
  ['no dimensions', { ...BASE, dimensions: 0 }, 'dimensions '],
  ['a format that is a list', { ...BASE, encoding_format: ['float'] }, 'encoding_format '],
  ['another form of a known name', { ...BASE, Input: 'y' }, 'input must be written exactly so.'],
  ['another way to choose a model', { ...BASE, fallbacks: [] }, 'fallbacks is not accepted'],
]

for (const [why, value, path] of REFUSED) {
  test(`checkEmbeddingsRequest refuses and names the field: ${why}`, () => {
    const say = sayOf(value)
    assert.ok(say.startsWith(path) && say.endsWith('.'), say)
  })
}

test('checkEmbeddingsRequest stops at the first wrong text: a list of wrong ones costs no more than one', () => {
  const startedAt = performance.now()
  assert.match(sayOf({ ...BASE, input: Array.from({ length: 9_000 }, () => null) }), /^input\[0\] /)
  assert.ok(performance.now() - startedAt < 500)
})

test('checkEmbeddingsRequest repeats no value of the caller', () => {
  for (const value of [
    { ...BASE, input: ['planted', 1] },
    { ...BASE, dimensions: 'planted' },
  ])
    assert.ok(!sayOf(value).includes('planted'))
})

test('unknownEmbeddingsField names the first', () => {
  const value: JsonValue = { ...BASE, input_type: 'query' }
  checkEmbeddingsRequest(value)
  assert.equal(unknownEmbeddingsField(value), 'input_type')
})
