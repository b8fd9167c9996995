import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RequestEnd } from '#door/tracing.ts'
import { wrongWith } from '../../../test/fakes/otlp_shape.ts'
import { StillClock } from '../../../test/support/door_parts.ts'
import { OBSERVATION, tracedRequest } from '../../../test/support/traced_request.ts'
import { spansOf, traceRequest } from './otlp_spans.ts'
import { nanosOf, type KeyValue } from './otlp_value.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const pseudonymOf = (caller: string): string => `pseudonym of ${caller.length}`

function values(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as unknown]))
}

test('spansOf makes the span of a request and those of its calls, in the words of the conventions', () => {
  const clock = new StillClock()
  const request = tracedRequest({}, { parent: `00-${TRACE}-${SPAN}-00`, clock })
  const [server, client] = spansOf(request, pseudonymOf)
  assert.deepEqual(values(server?.attributes ?? []), {
    'http.request.method': 'POST',
    'http.route': '/v1/chat/completions',
    'http.response.status_code': '200',
    'gatehouse.entry': 'entry00000000001',
    'gatehouse.code': 'ok',
    'gatehouse.stage': 'done',
    'gatehouse.action': 'model:infer',
    'gatehouse.findings': { values: [{ stringValue: 'credential.github' }] },
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'house',
    'gen_ai.response.model': 'house',
    'enduser.pseudo.id': 'pseudonym of 15',
  })
  assert.deepEqual(values(client?.attributes ?? []), {
    'gen_ai.operation.name': 'chat',
    'gen_ai.provider.name': 'openai',
    'gen_ai.request.model': 'gpt-x',
    'server.address': 'models.example',
    'server.port': '8443',
    'gen_ai.usage.input_tokens': '12',
    'gen_ai.usage.output_tokens': '5',
  })
  assert.deepEqual(
    [server?.traceId, server?.parentSpanId, server?.name, server?.kind, server?.flags, server?.status],
    [TRACE, SPAN, 'POST /v1/chat/completions', 2, 0x3_01, {}],
  )
  assert.deepEqual(
    [client?.traceId, client?.parentSpanId, client?.name, client?.kind, client?.flags],
    [TRACE, server?.spanId, 'chat gpt-x', 3, 0x1_01],
  )
  assert.deepEqual(
    server?.events?.map(({ name, timeUnixNano }) => [name, timeUnixNano]),
    [
      ['authenticate', `${clock.now()}000000`],
      ['act', `${clock.now()}000000`],
    ],
  )
})

const ENDS: readonly (readonly [why: string, end: Partial<RequestEnd>, expected: Record<string, unknown>])[] =
  [
    [
      'a stranger has no pseudonym',
      { caller: undefined, observation: { ...OBSERVATION, code: 'caller.unknown', status: 401 } },
      { 'enduser.pseudo.id': undefined, 'gatehouse.code': 'caller.unknown', 'error.type': undefined },
    ],
    [
      'what fails on our side is an error',
      { observation: { ...OBSERVATION, code: 'upstream.failed', status: 502, stage: 'act' } },
      { 'error.type': 'upstream.failed', 'gatehouse.stage': 'act' },
    ],
    [
      'the member of a pool is what answered',
      { outcome: { model: 'second', provider: 'openai', tokens_in: 1, tokens_out: 1 } },
      { 'gen_ai.request.model': 'house', 'gen_ai.response.model': 'second' },
    ],
    [
      'a request without a model has none of its attributes',
      { observation: { ...OBSERVATION, model: '', provider: '' } },
      { 'gen_ai.request.model': undefined, 'gen_ai.operation.name': undefined },
    ],
  ]

for (const [why, end, expected] of ENDS)
  test(`spansOf tells how a request ended: ${why}`, () => {
    const request = tracedRequest(end)
    const told = values(spansOf(request, pseudonymOf)[0]?.attributes ?? [])
    for (const [key, value] of Object.entries(expected)) assert.equal(told[key], value, key)
    const body = JSON.stringify(traceRequest([request], { version: '1', instance: 'i' }, pseudonymOf))
    assert.deepEqual(wrongWith('/v1/traces', body), [])
  })

test('spansOf picks what it exports: whatever else the entries of a request hold stays here', () => {
  const secret = 'do-not-export'
  const request = tracedRequest({
    caller: `User::"${secret}"`,
    outcome: {
      provider: 'openai',
      tokens_in: 1,
      content: secret,
      upstream_message: secret,
      address: secret,
      asked: secret,
      trace_state: secret,
    },
  })
  const body = JSON.stringify(traceRequest([request], { version: '1', instance: 'i' }, pseudonymOf))
  assert.ok(!body.includes(secret))
})

const TIMES: readonly (readonly [ms: number, nanos: string])[] = [
  [1_790_000_000_000, '1790000000000000000'],
  [1_790_000_000_000.5, '1790000000000500000'],
  [1_790_000_000_000.001, '1790000000000000976'],
  [1, '1000000'],
]

for (const [ms, nanos] of TIMES)
  test(`nanosOf writes nanoseconds as OTLP does: ${nanos}`, () => assert.equal(nanosOf(ms), nanos))
