import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Fault } from '#base/fault.ts'
import { loadConfig } from './config.ts'
import type { Problem } from './config_yaml.ts'

const MODELS = `models:
  a: { provider: openai, base_url: "https://a.example/v1", model: m, region: eu }
  b: { provider: anthropic, model: m, region: us }
  e: { provider: echo }
`

/** The problems of a pool after three other models, `line:column path: message` each. */
function problemsOf(pool: string): readonly string[] {
  try {
    loadConfig(`${MODELS}  main: { provider: pool, ${pool} }\n`, 'x')
    return []
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, inspect(thrown))
    assert.equal(thrown.code, 'config.invalid')
    const problems = thrown.detail['problems'] as unknown as readonly Problem[]
    return problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
  }
}

const GOOD: readonly string[] = [
  'members: [{ model: a }]',
  'members: [{ model: a, weight: 3 }, { model: b }], choose: weight',
  'members: [{ model: a, probe: { every_ms: 5000, path: "/health?x=1" } }, { model: e }], choose: latency, tries: 1',
  'members: [{ model: a }], region: eu, timeout_ms: 5000',
  'members: [{ model: a }], breaker: { failures: 2, open_ms: 500 }',
]

for (const pool of GOOD)
  test(`loadConfig takes a pool: ${pool}`, () => {
    assert.deepEqual(problemsOf(pool), [])
  })

const BAD: readonly (readonly [why: string, pool: string, problems: readonly string[]])[] = [
  ['no members', 'members: []', ['5:36 models.main.members: must be at least 1 entries']],
  [
    'a member that there is not',
    'members: [{ model: c }]',
    ['5:46 models.main.members.0.model: is not a model of this configuration'],
  ],
  [
    'a member whose name all objects have',
    'members: [{ model: constructor }]',
    ['5:46 models.main.members.0.model: is not a model of this configuration'],
  ],
  [
    'a pool of itself',
    'members: [{ model: main }]',
    ['5:46 models.main.members.0.model: is a pool itself; name its members'],
  ],
  [
    'a member twice',
    'members: [{ model: a }, { model: a }]',
    ['5:60 models.main.members.1.model: is a member twice'],
  ],
  [
    'a member in another region',
    'members: [{ model: a }, { model: b }], region: eu',
    ['5:60 models.main.members.1.model: is not in the region of the pool'],
  ],
  [
    'a member without a region',
    'members: [{ model: e }], region: eu',
    ['5:46 models.main.members.0.model: is not in the region of the pool'],
  ],
  [
    'a probe of what is built in',
    'members: [{ model: e, probe: { every_ms: 5000, path: /x } }]',
    ['5:56 models.main.members.0.probe: has no meaning for a built-in model'],
  ],
  [
    'a probe of another host',
    'members: [{ model: a, probe: { every_ms: 5000, path: "http://x/" } }]',
    ['5:80 models.main.members.0.probe.path: must be a path such as /health'],
  ],
  [
    'a misspelt key of a member',
    'members: [{ model: a, wieght: 3 }]',
    ['5:49 models.main.members.0.wieght: is not a known key; did you mean weight?'],
  ],
  [
    'a key of its members',
    'members: [{ model: a }], key: { from_env: X }',
    [
      '5:52 models.main.key: is not a known key; known here: provider, members, choose, tries, max_output_tokens, region, timeout_ms, breaker',
    ],
  ],
]

for (const [why, pool, problems] of BAD)
  test(`loadConfig refuses a pool: ${why}`, () => {
    assert.deepEqual(problemsOf(pool), problems)
  })

test('loadConfig refuses a pool of pools', () => {
  const two = `${MODELS}  one: { provider: pool, members: [{ model: a }] }\n  two: { provider: pool, members: [{ model: one }] }\n`
  assert.throws(() => loadConfig(two, 'x'), { code: 'config.invalid' })
})

test('loadConfig has models of the network reach public addresses only, by default', () => {
  const { models } = loadConfig(MODELS, 'x')
  for (const name of ['a', 'b']) {
    const model = models[name]
    assert.ok(model !== undefined && 'network' in model)
    assert.deepEqual(
      [model.network, model.connect_ms, model.first_byte_ms, model.idle_ms],
      ['public', 10_000, undefined, undefined],
    )
  }
})
