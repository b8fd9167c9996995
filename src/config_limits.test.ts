import assert from 'node:assert/strict'
import test from 'node:test'
import { Fault } from '#base/fault.ts'
import { loadConfig } from './config.ts'

const ECHO = 'models: { echo: { provider: echo, max_output_tokens: 100, max_input_tokens: 1000 } }\n'

function problemsOf(text: string): readonly string[] {
  try {
    loadConfig(text, 'test')
    return []
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    const problems = thrown.detail['problems'] as unknown as { path: string; message: string }[]
    return problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test('limits and prices are taken as they are meant', () => {
  const config = loadConfig(
    `${ECHO}
prices:
  echo:
    - { from: 2026-01-01, input: 2.5, output: 10, cached_input: 0.25, cache_write: 3.125 }
    - { from: 2026-06-01, input: 2, output: 8 }
limits:
  budgets:
    - { who: { group: eng }, each: caller, model: "gpt-*", requests_per_minute: 60, dollars_per_month: 99.5 }
    - { concurrent: 5 }
`,
    'test',
  )
  assert.equal(config.prices['echo']?.length, 2)
  assert.deepEqual(config.limits.budgets[0]?.who, { group: 'eng' })
  assert.deepEqual(config.limits.budgets[1], { concurrent: 5 })
})

const WRONG: readonly (readonly [why: string, text: string, path: string])[] = [
  [
    'two at once',
    'limits: { budgets: [{ who: { group: a, key: b }, concurrent: 1 }] }',
    'limits.budgets.0.who',
  ],
  ['nobody', 'limits: { budgets: [{ who: {}, concurrent: 1 }] }', 'limits.budgets.0.who'],
  ['nothing is limited', 'limits: { budgets: [{ who: { group: a } }] }', 'limits.budgets.0'],
  ['zero', 'limits: { budgets: [{ concurrent: 0 }] }', 'limits.budgets.0.concurrent'],
  ['half a request', 'limits: { budgets: [{ requests_per_day: 1.5 }] }', 'limits.budgets.0.requests_per_day'],
  [
    'finer than can be counted',
    'limits: { budgets: [{ dollars_per_day: 0.0000001 }] }',
    'limits.budgets.0.dollars_per_day',
  ],
  [
    'an unknown limit',
    'limits: { budgets: [{ requests_per_hour: 5, concurrent: 1 }] }',
    'limits.budgets.0.requests_per_hour',
  ],
  [
    'a name with a space',
    'limits: { budgets: [{ who: { group: "a b" }, concurrent: 1 }] }',
    'limits.budgets.0.who.group',
  ],
  [
    'a model with a slash',
    'limits: { budgets: [{ model: "a/b", concurrent: 1 }] }',
    'limits.budgets.0.model',
  ],
  [
    'a day that is none',
    'prices: { echo: [{ from: 2026-02-30, input: 1, output: 1 }] }',
    'prices.echo.0.from',
  ],
  [
    'two prices of one day',
    'prices: { echo: [{ from: 2026-02-01, input: 1, output: 1 }, { from: 2026-02-01, input: 2, output: 1 }] }',
    'prices.echo',
  ],
  ['no price of output', 'prices: { echo: [{ from: 2026-02-01, input: 1 }] }', 'prices.echo.0.output'],
  [
    'less than nothing',
    'prices: { echo: [{ from: 2026-02-01, input: -1, output: 1 }] }',
    'prices.echo.0.input',
  ],
]

for (const [why, text, path] of WRONG)
  test(`a wrong limit or price is refused with its place: ${why}`, () => {
    const found = problemsOf(`${ECHO}${text}\n`)
    assert.equal(found.length, 1, found.join('\n'))
    assert.ok((found[0] ?? '').startsWith(`${path}: `), found.join('\n'))
  })
