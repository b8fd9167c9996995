import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { ReadEntry } from '#trust/ledger/read.ts'
import { SpendBook, totalOf, type SpendColumn, type SpendParts } from './spend.ts'
import { spendCsv } from './spend_csv.ts'

const DAY = Date.UTC(2026, 10, 20)
const DAY_MS = 86_400_000

function entry(leaf: JsonObject, opened: Readonly<Record<string, JsonValue>> = {}): ReadEntry {
  const values = Object.entries(opened).map(
    ([name, value]) => [name, { value, salt: new Uint8Array(32) }] as const,
  )
  return { origin: 'o', index: 0, leaf, bytes: new Uint8Array(0), opened: Object.fromEntries(values) }
}

const intent = (id: string, more: JsonObject = {}, space = 'lab'): ReadEntry =>
  entry(
    {
      kind: 'intent',
      id,
      at: DAY,
      action: 'model:infer',
      resource: 'Model::"good"',
      caller: 'pseudo',
      kid: 'k1',
      cost_reserved: 100,
      ...more,
    },
    { space },
  )

const outcome = (id: string, more: JsonObject = {}): ReadEntry =>
  entry({ kind: 'outcome', id, at: DAY, settled: 'usage', cost: 7, tokens_in: 3, tokens_out: 2, ...more })

function bookOf(
  entries: readonly ReadEntry[],
  by: readonly SpendColumn[],
  more: Partial<SpendParts> = {},
): SpendBook {
  const book = new SpendBook({ from: DAY, to: DAY + DAY_MS, by, pseudonymOf: undefined, ...more })
  for (const one of entries) book.add(one)
  return book
}

test('SpendBook adds up by the columns that are asked for, in their order', () => {
  const entries = [
    intent('a'),
    outcome('a'),
    intent('b', { resource: 'Model::"pool"' }),
    outcome('b', { model: 'cheap', cost: 1 }),
    intent('c', {}, 'other'),
    outcome('c'),
  ]
  const rows = bookOf(entries, ['space', 'model']).rows()
  assert.deepEqual(
    rows.map(({ of, requests, cost }) => [...of, requests, cost]),
    [
      ['lab', 'cheap', 1, 1n],
      ['lab', 'good', 1, 7n],
      ['other', 'good', 1, 7n],
    ],
  )
  assert.equal(totalOf(rows).cost, 15n)
})

test('SpendBook counts what nobody told with what was reserved, and says so', () => {
  const cases: readonly (readonly [
    why: string,
    entries: readonly ReadEntry[],
    cost: bigint,
    unknown: bigint,
    unpriced: number,
  ])[] = [
    ['told', [intent('a'), outcome('a')], 7n, 0n, 0],
    ['not told', [intent('a'), outcome('a', { settled: 'unknown', cost: 100 })], 100n, 100n, 0],
    ['not taken', [intent('a'), outcome('a', { settled: 'none', cost: 0 })], 0n, 0n, 0],
    ['without an outcome', [intent('a')], 100n, 100n, 0],

    ['no price', [intent('a', { cost_reserved: null }), outcome('a', { cost: null })], 0n, 0n, 1],
  ]
  for (const [why, entries, cost, unknown, unpriced] of cases) {
    const total = totalOf(bookOf(entries, ['day']).rows())
    assert.deepEqual(
      [total.cost, total.unknown, total.unpriced, total.requests],
      [cost, unknown, unpriced, 1],
      why,
    )
  }
})

test('SpendBook takes requests to models that began within its time, whenever they ended', () => {
  const entries = [
    intent('early', { at: DAY - 1 }),
    outcome('early'),
    intent('first', { at: DAY }),
    outcome('first', { at: DAY + 5 * DAY_MS }),
    intent('late', { at: DAY + DAY_MS }),
    intent('list', { action: 'model:list', resource: 'Endpoint::"models"' }),
    intent('asked', { resource: null }),
    outcome('unheard'),
  ]
  assert.deepEqual(
    bookOf(entries, ['day', 'key'])
      .rows()
      .map(({ of }) => of),
    [['2026-11-20', 'k1']],
  )
})

test('SpendBook names callers that changes of the ledger speak of', () => {
  const entries = [
    entry({ kind: 'change', id: 'x', what: 'key:create' }, { name: 'reports' }),
    intent('a', { caller: 'p:Service::"reports"' }),
    intent('b', { caller: 'p:unknown' }),
  ]
  const pseudonymOf = (caller: string): string => `p:${caller}`
  assert.deepEqual(
    bookOf(entries, ['caller'], { pseudonymOf })
      .rows()
      .map(({ of }) => of[0]),
    ['p:unknown', 'reports'],
  )
  assert.deepEqual(
    bookOf(entries, ['caller'])
      .rows()
      .map(({ of }) => of[0]),
    ['p:Service::"reports"', 'p:unknown'],
  )
})

test('spendCsv quotes names, takes formulas for names, and prints every digit', () => {
  const rows = bookOf([intent('a', {}, '=cmd("x")'), outcome('a')], ['space']).rows()
  assert.equal(
    spendCsv(['space'], rows),
    'space,requests,tokens_in,tokens_out,cost_usd,unknown_usd,unpriced_requests\r\n"\'=cmd(""x"")",1,3,2,0.000000007,0.000000000,0',
  )
})
