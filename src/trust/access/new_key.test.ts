import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { DAY_MS } from './key_record.ts'
import { MAX_LIFETIME_MS, toTerms, type NewKey } from './new_key.ts'

const NOW = Date.UTC(2026, 0, 10, 12)
const ASKED: NewKey = { name: 'demo', createdBy: 'System::"operator"' }

function many(count: number, make: (index: number) => string): string[] {
  return Array.from({ length: count }, (_, index) => make(index))
}

suite('toTerms', () => {
  test('toTerms fills in what was left out', () => {
    const { ranges, ...terms } = toTerms(ASKED, NOW)
    assert.deepEqual(terms, {
      name: 'demo',
      kind: 'Service',
      space: undefined,
      limits: undefined,
      environment: 'live',
      scope: { models: undefined, actions: undefined },
      notBefore: NOW,
      notAfter: NOW + 90 * DAY_MS,
      addresses: [],
      createdBy: 'System::"operator"',
    })
    assert.equal(ranges.admits('203.0.113.9'), true)
    const later = toTerms({ ...ASKED, notBefore: NOW + DAY_MS }, NOW)
    assert.equal(later.notAfter, NOW + DAY_MS + MAX_LIFETIME_MS, 'counted from when it begins')
  })

  test('toTerms keeps each name of a scope once, and an empty list apart from none', () => {
    const { scope } = toTerms({ ...ASKED, models: ['echo', 'echo', 'other'], actions: [] }, NOW)
    assert.deepEqual(scope, { models: ['echo', 'other'], actions: [] })
    assert.ok(Object.isFrozen(scope) && Object.isFrozen(scope.models))
  })

  test('toTerms takes what lies on a limit', () => {
    const rows: readonly (readonly [why: string, asked: Partial<NewKey>])[] = [
      ['63 characters', { name: 'a'.repeat(63) }],
      ['one character', { name: '0' }],
      ['the most ranges', { addresses: many(LIMITS.keyAddressRanges, (index) => `10.0.0.${index}`) }],
      ['the most models', { models: many(LIMITS.keyScopeNames, (index) => `m${index}`) }],
      ['the longest model', { models: ['m'.repeat(128)] }],
      ['the whole of 90 days', { notAfter: NOW + MAX_LIFETIME_MS }],
      ['a start that is past', { notBefore: NOW - DAY_MS, notAfter: NOW + 1 }],
    ]
    for (const [why, asked] of rows) assert.doesNotThrow(() => toTerms({ ...ASKED, ...asked }, NOW), why)
  })

  test('toTerms names the field that lies outside a limit', () => {
    const rows: readonly (readonly [why: string, asked: Partial<NewKey>, field: string])[] = [
      ['64 characters', { name: 'a'.repeat(64) }, 'name'],
      ['a start that is no time', { notBefore: Number.POSITIVE_INFINITY }, 'not_before'],
      ['an end that is no time', { notAfter: Number.NaN }, 'not_after'],
      ['an end in the past', { notBefore: NOW - DAY_MS, notAfter: NOW }, 'not_after'],
      ['an end before the start', { notBefore: NOW + 9, notAfter: NOW + 9 }, 'not_after'],
      ['over 90 days', { notAfter: NOW + MAX_LIFETIME_MS + 1 }, 'not_after'],
      ['too many ranges', { addresses: many(LIMITS.keyAddressRanges + 1, () => '10.0.0.0/8') }, 'addresses'],
      ['no range', { addresses: ['localhost'] }, 'addresses'],
      ['too many models', { models: many(LIMITS.keyScopeNames + 1, (index) => `m${index}`) }, 'models'],
      ['a model without a name', { models: [''] }, 'models'],
      ['a model too long', { models: ['m'.repeat(129)] }, 'models'],
      ['a space in an action', { actions: ['model infer'] }, 'actions'],
      ['a line end in an action', { actions: ['model:infer\n'] }, 'actions'],
    ]
    for (const [why, asked, field] of rows) {
      const wanted = { code: 'input.invalid', detail: { field }, say: new RegExp(`^"${field}" \\S`) }
      assert.throws(() => toTerms({ ...ASKED, ...asked }, NOW), wanted, why)
    }
  })
})
