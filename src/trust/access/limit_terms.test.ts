import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { toLimitTerms } from './limit_terms.ts'

test('toLimitTerms gives frozen limits, and none where none is asked for', () => {
  const terms = toLimitTerms({ requests_per_day: 10, dollars_per_month: 2.5 })
  assert.deepEqual(terms, { requests_per_day: 10, dollars_per_month: 2.5 })
  assert.ok(Object.isFrozen(terms))
  assert.equal(toLimitTerms(undefined), undefined)
  assert.equal(toLimitTerms({}), undefined)
})

test('toLimitTerms refuses what is no limit, and names the field', () => {
  const cases: readonly (readonly [why: string, asked: JsonObject, field: string])[] = [
    ['an unknown name', { requests_per_year: 1 }, 'limits'],
    ['a text', { requests_per_day: '10' }, 'requests_per_day'],
    ['a fraction of a request', { requests_per_day: 0.5 }, 'requests_per_day'],
    ['nothing at all', { tokens_per_day: 0 }, 'tokens_per_day'],
    ['less than nothing', { concurrent: -1 }, 'concurrent'],
    ['more than any', { tokens_per_month: 1e13 }, 'tokens_per_month'],
    ['no dollars', { dollars_per_day: 0 }, 'dollars_per_day'],
    ['finer than can be counted', { dollars_per_day: 0.0000001 }, 'dollars_per_day'],
    ['more dollars than can be counted', { dollars_per_month: 9_000_001 }, 'dollars_per_month'],
  ]
  for (const [why, asked, field] of cases)
    assert.throws(() => toLimitTerms(asked), { code: 'input.invalid', detail: { field } }, why)
})
