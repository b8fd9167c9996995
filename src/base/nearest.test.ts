import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nearest } from './nearest.ts'

const KEYS = ['listen', 'admin_listen', 'metrics_listen', 'models', 'tls', 'ledger']
const CASES: readonly (readonly [why: string, typed: string, expected: string | undefined])[] = [
  ['a letter swapped', 'lisetn', 'listen'],
  ['a letter left out', 'modls', 'models'],
  ['a letter too many', 'tlss', 'tls'],
  ['an underscore forgotten', 'adminlisten', 'admin_listen'],
  ['the same word', 'ledger', 'ledger'],
  ['nothing near', 'providers', undefined],
  ['empty', '', undefined],
  ['far too long', 'l'.repeat(10_000), undefined],
]

test('nearest names what was meant: or nothing, rather than a wild guess', () => {
  for (const [why, typed, expected] of CASES) assert.equal(nearest(typed, KEYS), expected, why)
  assert.equal(nearest('x', []), undefined)
})
