import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { draft, intent, outcome } from '../../../test/support/ledger_fixture.ts'
import { keptOf, OpenIntents, readIntents, unknownOutcome } from './open_intents.ts'

const [ONE, TWO, THREE] = [intent(1), intent(2), intent(3)] as const
const idsOf = (intents: readonly { readonly id: string }[]): readonly string[] => intents.map(({ id }) => id)

test('OpenIntents holds what has no outcome yet: in whatever generation', () => {
  const intents = new OpenIntents()
  intents.leave([{ id: THREE.id, fields: {} }])
  intents.recorded(ONE)
  assert.deepEqual(idsOf(intents.takeOld()), [THREE.id])
  intents.recorded(TWO)
  assert.equal(intents.count, 3)
  assert.deepEqual(
    intents.print().map(({ id }) => id),
    [THREE.id, ONE.id, TWO.id],
  )
  intents.recorded({ ...draft('note', {}), id: TWO.id })
  assert.equal(intents.count, 3, 'another entry of that id is no outcome')
  for (const [each, left] of [
    [ONE, 2],
    [TWO, 1],
    [THREE, 0],
  ] as const) {
    intents.recorded(outcome(each, 1))
    assert.equal(intents.count, left)
  }
})

test('takeOld gives what was there at the call before: with what is left of earlier processes', () => {
  const intents = new OpenIntents()
  intents.recorded(ONE)
  assert.deepEqual(idsOf(intents.takeOld()), [])
  intents.recorded(TWO)
  assert.deepEqual(idsOf(intents.takeOld()), [ONE.id])
  assert.deepEqual(idsOf(intents.left), [ONE.id])
  assert.deepEqual(idsOf(intents.takeOld()), [ONE.id, TWO.id])
})

test('readIntents reads what print gives: of the fields those that an outcome needs', () => {
  const intents = new OpenIntents()
  const fields = {
    route: 'r',
    resource: 'Model::"m"',
    reserved_at: 0,
    tokens_reserved: 5,
    cost_reserved: 0.5,
  }
  intents.recorded({ ...ONE, fields: { ...ONE.fields, ...fields } })
  assert.deepEqual(readIntents([...intents.print()]), [{ id: ONE.id, fields }])
  assert.deepEqual(keptOf({ action: 'x', route: 'r' }), { route: 'r' })
  assert.deepEqual(readIntents([]), [])
})

const GOOD: JsonObject = { id: ONE.id, fields: {} }
const BAD: readonly [why: string, value: JsonValue | undefined][] = [
  ['nothing', undefined],
  ['no list', { 0: GOOD }],
  ['no object among them', [GOOD, 'x']],
  ['no id', [{ fields: {} }, GOOD]],
  ['an id that is no text', [GOOD, { id: 1, fields: {} }]],
  ['no fields', [GOOD, { id: ONE.id }]],
  ['fields that are a list', [{ id: ONE.id, fields: [] }]],
]

for (const [why, value] of BAD)
  test(`readIntents gives nothing: ${why}`, () => {
    assert.equal(readIntents(value), undefined)
  })

const UNKNOWN = { status: 'unknown', code: 'outcome.unknown' }
const OUTCOMES: readonly [why: string, fields: JsonObject, expected: JsonObject, model: string][] = [
  ['nothing was reserved', {}, UNKNOWN, ''],
  [
    'tokens and cost were reserved',
    { reserved_at: 7, tokens_reserved: 5, cost_reserved: 0.5, resource: 'Model::"m"' },
    { ...UNKNOWN, settled: 'unknown', tokens_charged: 5, cost: 0.5 },
    'm',
  ],
  [
    'a request was reserved, and no tokens',
    { reserved_at: 0 },
    { ...UNKNOWN, settled: 'unknown', tokens_charged: 0 },
    '',
  ],
  ['cost alone was reserved', { cost_reserved: 0 }, { ...UNKNOWN, settled: 'unknown', cost: 0 }, ''],
  [
    'what was reserved is no number',
    { reserved_at: 1, tokens_reserved: 'x', cost_reserved: 'y' },
    { ...UNKNOWN, settled: 'unknown', tokens_charged: 0 },
    '',
  ],
  ['a model with a line break', { resource: 'Model::"a\nb"' }, UNKNOWN, 'a\nb'],
  ['no model but something like it', { resource: 'My::Model::"a"' }, UNKNOWN, ''],
  ['a model with something behind it', { resource: 'Model::"a" x' }, UNKNOWN, ''],
  ['a resource that is no text', { resource: ['Model::"a"'] }, UNKNOWN, ''],
]

for (const [why, fields, expected, model] of OUTCOMES)
  test(`unknownOutcome says that nobody knows, and charges what was reserved: ${why}`, () => {
    const made = unknownOutcome({ id: ONE.id, fields: { ...fields, route: 'r' } }, 9)
    assert.deepEqual(made, {
      kind: 'outcome',
      id: ONE.id,
      at: 9,
      fields: expected,
      reserved: true,
      countedAs: { route: 'r', model },
    })
    assert.equal(unknownOutcome({ id: ONE.id, fields }, 9).countedAs?.route, '')
  })
