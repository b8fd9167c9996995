import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import { loadConfig, resolveSecret, showConfig } from './config.ts'
import { DEFAULT_CONFIG_TEXT } from './config_default.ts'
import type { Problem } from './config_yaml.ts'

const OPENAI = 'provider: openai, base_url: "http://127.0.0.1:8000/v1", model: m'

/** The problems of a text, `line:column path: message` each. */
function problemsOf(text: string): readonly string[] {
  try {
    loadConfig(text, 'gatehouse.yaml')
    return []
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, inspect(thrown))
    assert.equal(thrown.code, 'config.invalid')
    assert.equal(thrown.detail['origin'], 'gatehouse.yaml')
    const problems = thrown.detail['problems'] as unknown as readonly Problem[]
    return problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`)
  }
}

test('loadConfig gives every default for an empty file: the defaults live in the schema only', () => {
  for (const text of ['', '# nothing\n', '{}', '---\n']) {
    const config = loadConfig(text, 'x')
    assert.deepEqual(config.listen, { host: '127.0.0.1', port: 4400 })
    assert.deepEqual(config.admin_listen, { host: '127.0.0.1', port: 4401 })
    assert.deepEqual(config.metrics_listen, { host: '127.0.0.1', port: 4402 })
    assert.deepEqual(config.models, {})
    const redact = { request: 'redact', response: 'redact' }
    assert.deepEqual(config.inspection, {
      credentials: redact,
      hidden: redact,
      personal: redact,
      long_encoded_runs: 'pass',
      routes: {},
    })
    assert.deepEqual(config.limits, {
      body_bytes: 10_485_760,
      in_flight: 512,
      held_bytes: 268_435_456,
      budgets: [],
    })
    assert.equal(config.ledger.max_bytes, 10_737_418_240)
    assert.equal(config.ledger.reserve_bytes, 16_777_216)
    assert.equal(config.policies.watch, false)
    assert.equal(config.tls, undefined)
  }
})

test('loadConfig reads the file of the first start: an echo model, and a provider that waits for its key', () => {
  const { models } = loadConfig(DEFAULT_CONFIG_TEXT, 'x')
  assert.deepEqual(Object.keys(models), ['echo', 'house-model'])
  assert.equal(models['echo']?.provider, 'echo')
  const house = models['house-model']
  assert.ok(house?.provider === 'openai')
  assert.deepEqual(house.key, { from_env: 'OPENAI_API_KEY' })
  assert.equal(house.region, 'us')
})

test('loadConfig reads the file of the first start: its commented examples are right too', () => {
  const uncommented = DEFAULT_CONFIG_TEXT.split('\n')
    .map((line) =>
      line.replace(
        /^( *)# (?=( *)(local-model|provider|base_url|model|tls|listen|\w+_listen|inspection|credentials|hidden|personal|long_encoded_runs|ledger|max_bytes|anchors)\b.*:)/,
        '$1',
      ),
    )
    .join('\n')
  assert.notEqual(uncommented, DEFAULT_CONFIG_TEXT)
  const config = loadConfig(uncommented, 'x')
  assert.deepEqual(Object.keys(config.models), ['echo', 'house-model', 'local-model'])
  assert.equal(config.ledger.anchors.length, 1)
})

test('loadConfig freezes all of it: a part cannot change what another reads', () => {
  const config = loadConfig(DEFAULT_CONFIG_TEXT, 'x')
  for (const value of [
    config,
    config.models,
    config.models['house-model'],
    config.ledger.anchors,
    config.listen,
  ])
    assert.ok(Object.isFrozen(value))
})

const BAD: readonly (readonly [why: string, text: string, problems: readonly string[]])[] = [
  ['an unknown key', 'lisetn: a', ['1:1 lisetn: is not a known key; did you mean listen?']],
  [
    'an unknown key of a provider',
    `models: { a: { ${OPENAI}, timeuot_ms: 5 } }`,
    ['1:82 models.a.timeuot_ms: is not a known key; did you mean timeout_ms?'],
  ],
  [
    'a key of another provider',
    'models: { a: { provider: echo, base_url: http://x } }',
    [
      '1:32 models.a.base_url: is not a known key; known here: provider, says, piece_characters, piece_ms, max_output_tokens, max_input_tokens, region, extensions, timeout_ms, max_answer_bytes',
    ],
  ],
  ['a wrong type', 'admin_listen: 5', ['1:15 admin_listen: must be a text']],
  ['an empty group', 'limits:', ['1:8 limits: is empty; it must be a group of keys']],
  ['a missing key', 'tls: { cert: a }', ['1:1 tls.key: is missing']],
  [
    'a number that YAML made',
    'tls: { cert: a, key: b, minimum: 1.3 }',
    ['1:34 tls.minimum: must be one of 1.2, 1.3, in quotes'],
  ],
  [
    'an address without a port',
    'listen: 127.0.0.1',
    ['1:9 listen: must be ADDRESS:PORT, as in 127.0.0.1:4400 or [::1]:4400'],
  ],
  [
    'the same address twice',
    'admin_listen: "[::1]:1"\nlisten: "[::1]:1"',
    ['1:1 admin_listen: is the same address as listen'],
  ],
  [
    'an unknown provider',
    'models: { a: { provider: opnai } }',
    ['1:26 models.a.provider: must be one of openai, anthropic, echo, pool'],
  ],
  ['no provider', 'models:\n  a: {}', ['2:3 models.a.provider: is missing']],
  [
    'a model name',
    'models: { "a b": { provider: echo } }',
    ['1:18 models.a b: is not a name for a model: use letters, digits and . _ : @ - (at most 128)'],
  ],
  [
    'a URL with a fragment',
    'models: { a: { provider: openai, model: m, base_url: "http://x/v1#a" } }',
    [
      '1:54 models.a.base_url: must be an http(s) URL without user, password or "#", as in https://api.example.com/v1',
    ],
  ],
  [
    'a bound',
    'limits: { body_bytes: 1.5, in_flight: 0 }',
    ['1:23 limits.body_bytes: must be a whole number', '1:39 limits.in_flight: must be at least 1'],
  ],
  [
    'less memory than two bodies take',
    'limits:\n  body_bytes: 200000000',
    ['1:1 limits.held_bytes: must be at least twice body_bytes'],
  ],
  [
    'a bound above',
    'models: { a: { provider: echo, timeout_ms: 600001 } }',
    ['1:44 models.a.timeout_ms: must be at most 600000'],
  ],
  [
    'a reserve that is nearly all',
    'ledger: { max_bytes: 100000, reserve_bytes: 90000 }',
    ['1:45 ledger.reserve_bytes: must be at most half of max_bytes'],
  ],
  ['a relative anchor', 'ledger: { anchors: [/a, b] }', ['1:25 ledger.anchors.1: must be an absolute path']],
  [
    'both references',
    'metrics_token: { from_env: A, from_file: b }',
    ['1:16 metrics_token: must be a reference: { from_env: NAME } or { from_file: PATH }, one of the two'],
  ],
  [
    'the whole world as a proxy',
    'trusted_proxies: [::/0, 10.0.0.0/8, 10.0.0.0/33]',
    [
      '1:19 trusted_proxies.0: must not be every address there is',
      '1:37 trusted_proxies.2: must be a range such as 10.0.0.0/8',
    ],
  ],
  [
    'an exception without proxies',
    'insecure_plaintext_listener: { reason: "ends in the mesh", expires: 2027-01-31 }',
    ['1:1 insecure_plaintext_listener: needs trusted_proxies: only connections from them are accepted'],
  ],
  [
    'an exception that is not one',
    [
      'trusted_proxies: [10.0.0.0/8]',
      'tls: { cert: a, key: b }',
      'insecure_plaintext_listener: { reason: short, expires: 2027-02-30 }',
    ].join('\n'),
    [
      '3:1 insecure_plaintext_listener: has no meaning together with tls; remove one of them',
      '3:40 insecure_plaintext_listener.reason: must be at least 10 characters long',
      '3:56 insecure_plaintext_listener.expires: must be a date that exists',
    ],
  ],
  ['not a map', '- a', ['1:1 : must be a group of keys']],
  ['a text', 'models', ['1:1 : must be a group of keys']],
]

test('loadConfig names each problem with its place: path, line, column, and the nearest key', () => {
  for (const [why, text, problems] of BAD) assert.deepEqual(problemsOf(text), problems, why)
})

test('loadConfig reports all problems at once: one round to put them right', () => {
  const together = BAD.filter(([, text]) => /^(lisetn|limits: \{|ledger: \{ anchors)/.test(text))
  const problems = problemsOf(together.map(([, text]) => text).join('\n'))
  assert.equal(problems.length, together.flatMap(([, , expected]) => expected).length)
})

const TRAPS: readonly (readonly [why: string, text: string, problem: RegExp])[] = [
  ['a duplicate key', 'limits: {}\nlimits: {}', /^2:1 : has this key twice/],
  ['an alias', 'tls: &a {}\nlimits: *a', /^1:9 tls: has an anchor/m],
  ['an alias without an anchor', 'limits: *a', /is an alias/],
  ['a merge key', '<<: { listen: "127.0.0.1:1" }', /has a merge key/],
  ['a tab', 'limits:\n\tin_flight: 1', /indented with a tab/],
  ['a number as a key', '1: a', /a key that is not text/],
  ['a list as a key', '? [a]\n: b', /a key that is not text/],
  ['true as a key', 'true: a', /a key that is not text/],
  ['a prototype', '__proto__: { listen: x }', /may not be used/],
  ['two documents', 'limits: {}\n---\nlimits: {}', /more than one document/],
  ['a directive', '%YAML 1.1\n---\nlimits: {}', /%YAML directive/],
  ['a tag', 'listen: !!binary aGk=', /has a tag/],
  ['a tag of a program', 'listen: !ruby/object:Gem {}', /has a tag/],
  ['infinity', 'limits: { in_flight: .inf }', /finite number/],
  ['an open bracket', 'limits: {', /not indented|lacks/],
  ['an open quote', 'listen: "a', /lacks a character/],
  ['two keys on a line', 'a: b: c', /two keys on one line/],
  ['a reserved character', 'listen: @a', /reserved character/],
  ['nested 10,000 deep, flow', '['.repeat(10_000), /nested|lacks/],
  ['nested 10,000 deep, closed', '['.repeat(10_000) + ']'.repeat(10_000), /nested/],
  [
    'nested 10,000 deep, block',
    Array.from({ length: 500 }, (_, at) => `${' '.repeat(at)}a:`).join('\n'),
    /nested/,
  ],
  ['huge', `listen: ${'a'.repeat(2_000_000)}`, /longer than/],
  ['NUL', '\u{0}', /group of keys/],
]

test('loadConfig refuses what makes YAML surprising: a problem with its place, never a crash', () => {
  for (const [why, text, problem] of TRAPS) assert.match(problemsOf(text).join('\n'), problem, why)
})

test('loadConfig stops an alias bomb: nothing is ever expanded', () => {
  const lines = Array.from({ length: 30 }, (_, at) => `a${at}: &a${at} [${`*a${at - 1},`.repeat(9)}]`)
  const problems = problemsOf(['x: &a-1 [lol]', ...lines].join('\n'))
  assert.equal(problems.length, 100, 'the list is bounded')
})

/** Planted where a reference, a name, a path, a number or nothing belongs. */
const PLACES: readonly string[] = [
  'metrics_token: CANARY',
  'metrics_token: { from_env: CANARY }',
  'metrics_token: { from_file: CANARY }',
  'metrics_token: { from_vault: CANARY }',
  'listen: CANARY',
  'CANARY: 1',
  'CANARY: CANARY',
  'models: { CANARY: { provider: echo } }',
  'models: { a: { provider: CANARY } }',
  `models: { a: { ${OPENAI}, key: CANARY } }`,
  `models: { a: { ${OPENAI}, key: { from_env: CANARY } } }`,
  `models: { a: { ${OPENAI}, api_key: CANARY } }`,
  `models: { a: { ${OPENAI}, key: [CANARY] } }`,
  'models: { a: { provider: openai, model: m, base_url: "https://x:CANARY@y/v1" } }',
  'models: { a: { provider: openai, model: CANARY, base_url: "https://y/v1" } }',
  'tls: { cert: a, key: CANARY }',
  'limits: { in_flight: CANARY }',
  'trusted_proxies: [CANARY]',
  'trusted_proxies: CANARY',
  'insecure_plaintext_listener: { reason: CANARY }',
  'listen: "CANARY',
  'listen: !CANARY a',
  'listen: *CANARY',
  'listen: &CANARY a\nadmin_listen: &CANARY b',
  '[CANARY',
]
const CANARIES = ['sk-proj-Zx81CanaryCanary90Yw', 'AKIAIOSFODNN7EXAMPLE', 'q7Wm2Zr9Tk4Vb8Nc1Xp6Hd3Js5Lf0Gy']

test('loadConfig refuses literal secrets and never repeats them: not in problems, message, stack or cause', () => {
  for (const place of PLACES)
    for (const canary of CANARIES) {
      const text = place.replaceAll('CANARY', canary)
      assert.throws(
        () => loadConfig(text, 'x'),
        (thrown: unknown) => {
          assert.ok(thrown instanceof Fault)
          assert.equal(thrown.code, 'config.invalid')
          const shown = `${inspect(thrown, { depth: 20 })}${JSON.stringify(thrown.detail)}${thrown.message}${thrown.stack}`
          assert.ok(!shown.includes(canary), place)
          return true
        },
        text,
      )
    }
})

test('loadConfig names the field of a literal secret: the path, and what to write in its place', () => {
  const [problem = ''] = problemsOf(`models: { a: { ${OPENAI}, key: sk-abcdefghijklmnop } }`)
  assert.match(problem, /^1:\d+ models\.a\.key: looks like a literal secret.*from_env/)
  assert.match(
    problemsOf('metrics_token: hunter2')[0] ?? '',
    /metrics_token: must be a reference, not the secret itself/,
  )
})

test('loadConfig never throws anything but config.invalid: for any text', () => {
  const words = [
    'models',
    'tls',
    'listen',
    'a',
    ':',
    '-',
    '{',
    '}',
    '[',
    ']',
    '\n',
    '  ',
    '\t',
    '"',
    '&a',
    '*a',
    '!!x',
    '%YAML',
    '---',
    '#',
    '|',
    '>',
    '1',
    ' ',
    ',',
    '?',
    '<<',
  ]
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...words), fc.string()), { maxLength: 30 }), (parts) => {
      problemsOf(parts.join(''))
    }),
    { numRuns: 1_000, seed: 20_261_122 },
  )
})

test('showConfig prints it all: references where secrets are meant, and it loads again to the same', () => {
  const text = [
    'listen: "[::1]:0"',
    'metrics_token: { from_file: /run/token }',
    `models: { a: { ${OPENAI}, key: { from_env: UPSTREAM_KEY } } }`,
  ].join('\n')
  const shown = showConfig(loadConfig(text, 'x'))
  assert.equal(shown['listen'], '[::1]:0')
  assert.deepEqual(shown['metrics_token'], { from_file: '/run/token' })
  assert.deepEqual(showConfig(loadConfig(JSON.stringify(shown), 'x')), shown)
})

test('resolveSecret opens the reference: sealed, without white space around it, undefined when there is none', () => {
  const env = { SET: 'secret-1\n', BLANK: ' \n', UNSET: undefined }
  const read = (path: string): string | undefined => (path === '/run/key' ? '  secret-2\r\n' : undefined)
  const open = (reference: Parameters<typeof resolveSecret>[0]): string | undefined =>
    resolveSecret(reference, env, read)?.open((value) => value)
  assert.equal(open({ from_env: 'SET' }), 'secret-1')
  assert.equal(open({ from_file: '/run/key' }), 'secret-2')
  for (const none of [
    { from_env: 'BLANK' },
    { from_env: 'UNSET' },
    { from_env: 'NONE' },
    { from_file: '/run/none' },
  ])
    assert.equal(open(none), undefined)
  assert.equal(inspect(resolveSecret({ from_env: 'SET' }, env, read)), '[sealed]')
})
