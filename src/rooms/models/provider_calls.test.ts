import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { Metrics } from '#base/metrics.ts'
import type { CalledModel, CallSpan } from '#door/route.ts'
import { ENDLESS, StillClock } from '../../../test/support/door_parts.ts'
import { readPage } from '../../../test/support/metrics_page.ts'
import { CallMetrics } from './call_metrics.ts'
import type { StreamSource } from './formats/stream_format.ts'
import type { ModelSettings } from './provider.ts'
import { ProviderCalls, type ProviderCall } from './provider_calls.ts'

const SETTINGS: ModelSettings = {
  name: 'house',
  provider: 'openai',
  baseUrl: 'https://models.example/v1',
  model: 'gpt-x',
  key: { kind: 'none' },
  auth: 'bearer',
  region: undefined,
  extensions: 'pass',
  timeoutMs: 1_000,
  maxAnswerBytes: 1_000,
}

interface Rig {
  readonly clock: StillClock
  readonly begin: (api: string, state?: string) => ProviderCall
  readonly called: CalledModel[]
  readonly ends: string[]
  readonly durations: () => Record<string, number>
}

function rig(): Rig {
  const clock = new StillClock()
  const metrics = new Metrics()
  const called: CalledModel[] = []
  const ends: string[] = []
  const redact = (text: string): string => text.replace('secret', '[redacted]')
  const calls = new ProviderCalls(SETTINGS, 'https://models.example', {
    clock,
    redact,
    calls: new CallMetrics(metrics),
  })
  const span = (state: string): CallSpan => ({
    traceparent: 'parent',
    state,
    end: (error) => ends.push(error),
  })
  const context = { id: 'id', memory: ENDLESS, onAbort: () => undefined }
  return {
    clock,
    called,
    ends,
    begin: (api, state) => {
      if (state === undefined) return calls.begin(api, context)
      const begin = (one: CalledModel): CallSpan => (called.push(one), span(state))
      return calls.begin(api, { ...context, trace: { begin } })
    },
    durations: () => {
      const counts = [...readPage(metrics.expose())].filter(([series]) => /_(?:count|sum)\{/.test(series))
      return Object.fromEntries(
        counts.map(([series, value]) => [
          series.replace('gatehouse_upstream_call_duration_seconds_', ''),
          value,
        ]),
      )
    },
  }
}

const PATHS: readonly (readonly [api: string, operation: string])[] = [
  ['chat/completions', 'chat'],
  ['responses', 'chat'],
  ['messages', 'chat'],
  ['messages/count_tokens', 'count_tokens'],
  ['embeddings', 'embeddings'],
]

for (const [api, operation] of PATHS)
  test(`begin names the operation as the conventions do: ${api}`, () => {
    const { begin, called } = rig()
    begin(api, '')
    const expected = { operation, provider: 'openai', model: 'gpt-x', origin: 'https://models.example' }
    assert.deepEqual(called, [expected])
  })

const STATES: readonly (readonly [why: string, state: string | undefined, headers: readonly string[]])[] = [
  ['no trace, no header', undefined, []],
  ['a trace without a state', '', ['traceparent', 'parent']],
  ['a state that nobody objects to', 'a=1', ['traceparent', 'parent', 'tracestate', 'a=1']],
  ['a state in which inspection finds something', 'a=secret', ['traceparent', 'parent']],
]

for (const [why, state, headers] of STATES)
  test(`a call has the headers of its trace: ${why}`, () =>
    assert.deepEqual(rig().begin('chat', state).headers, headers))

test('a call tells its end once: how long it took, and the code when it failed', () => {
  const { begin, clock, durations, ends } = rig()
  const good = begin('chat/completions', '')
  clock.advance(20)
  good.answered()
  good.answered()
  const bad = begin('chat/completions', '')
  clock.advance(40)
  const fault = new Fault('upstream.slow')
  assert.equal(bad.failed(fault), fault)
  bad.answered()
  const labels = 'operation="chat",provider="openai",model="gpt-x"'
  assert.deepEqual(durations(), {
    [`sum{${labels},error=""}`]: 0.02,
    [`count{${labels},error=""}`]: 1,
    [`sum{${labels},error="upstream.slow"}`]: 0.04,
    [`count{${labels},error="upstream.slow"}`]: 1,
  })
  assert.deepEqual(ends, ['', 'upstream.slow'])
})

const source = (told: string[]): StreamSource => ({
  pieces: {
    [Symbol.asyncIterator]: () => ({ next: async () => Promise.resolve({ done: true, value: undefined }) }),
  },
  cancel: () => told.push('cancel'),
  release: () => told.push('release'),
})

test('a streamed call ends when all was read, and as cut when it is cancelled before', () => {
  const { begin, ends } = rig()
  const told: string[] = []
  const whole = begin('chat/completions', '').ofStream(source(told))
  whole.release?.()
  whole.cancel()
  const cut = begin('chat/completions', '').ofStream(source(told))
  cut.cancel()
  assert.deepEqual(ends, ['', 'stream.cut'])
  assert.deepEqual(told, ['release', 'cancel', 'cancel'])
})
