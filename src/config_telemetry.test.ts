import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { Fault } from '#base/fault.ts'
import { loadConfig } from './config.ts'
import type { Problem } from './config_yaml.ts'

/** The paths and messages of the problems of `telemetry`. */
function problemsOf(telemetry: string): readonly string[] {
  try {
    loadConfig(`telemetry: ${telemetry}\n`, 'x')
    return []
  } catch (thrown) {
    assert.ok(thrown instanceof Fault, inspect(thrown))
    const problems = thrown.detail['problems'] as unknown as readonly Problem[]
    return problems.map(({ path, message }) => `${path}: ${message}`)
  }
}

test('loadConfig exports nothing and keeps traces of callers: where nothing is said', () => {
  assert.deepEqual(loadConfig('', 'x').telemetry, { trace_callers: 'accept' })
})

test('loadConfig gives an export its defaults: every request, once a minute, to public addresses', () => {
  const { otlp } = loadConfig('telemetry: { otlp: { endpoint: "https://otel.example" } }', 'x').telemetry
  assert.deepEqual(otlp, {
    endpoint: 'https://otel.example',
    headers: {},
    network: 'public',
    sample_ratio: 1,
    interval_ms: 60_000,
    timeout_ms: 10_000,
  })
})

const BAD: readonly (readonly [telemetry: string, problem: RegExp])[] = [
  ['{ trace_callers: trust }', /^telemetry\.trace_callers: must be one of accept, ignore$/],
  ['{ otlp: {} }', /^telemetry\.otlp\.endpoint: is missing$/],
  ['{ otlp: { endpoint: otel.example } }', /^telemetry\.otlp\.endpoint: must be an http\(s\) URL/],
  ['{ otlp: { endpoint: "ftp://otel.example" } }', /^telemetry\.otlp\.endpoint: must be/],
  ['{ otlp: { endpoint: "https://me:x@otel.example" } }', /^telemetry\.otlp\.endpoint: /],
  ['{ otlp: { endpoint: "https://otel.example/?key=x" } }', /^telemetry\.otlp\.endpoint: must be/],
  ['{ otlp: { endpoint: "https://otel.example", sample_ratio: 2 } }', /sample_ratio: must be at most 1$/],
  ['{ otlp: { endpoint: "https://otel.example", interval_ms: 1 } }', /interval_ms: must be at least 1000$/],
  ['{ otlp: { endpoint: "https://otel.example", headers: { Host: { from_env: A } } } }', /headers\.Host: /],
  ['{ otlp: { endpoint: "https://otel.example", headers: { host: { from_env: A } } } }', /headers\.host: /],
  ['{ otlp: { endpoint: "https://otel.example", headers: { "a b": { from_env: A } } } }', /headers\.a b: /],
  ['{ otlp: { endpoint: "https://otel.example", headers: { key: planted-value } } }', /headers\.key: /],
]

for (const [telemetry, problem] of BAD)
  test(`loadConfig refuses an export that cannot be: ${telemetry}`, () => {
    const problems = problemsOf(telemetry)
    assert.equal(problems.length, 1, String(problems))
    assert.match(problems[0] ?? '', problem)
    assert.ok(!problems[0]?.includes('planted-value'))
  })
