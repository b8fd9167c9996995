import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import { parseTraceContext } from '#base/trace_context.ts'
import { classOf } from '#trust/ledger/class_table.ts'
import {
  AUTHENTICATOR,
  decider,
  MemoryRecorder,
  meterOf,
  OPEN_GUARD,
  StillClock,
} from '../../test/support/door_parts.ts'
import { CALLED, END, ROUTE } from '../../test/support/traced_request.ts'
import { passThrough, type DoorParts } from './door.ts'
import { always } from './inspection_actions.ts'
import { Inspector } from './inspector.ts'
import { NO_LIMITS } from './limits/limiter.ts'
import type { Route } from './route.ts'
import { Tracer, type TracedRequest, type TracerParts } from './tracing.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const PARENT = parseTraceContext(`00-${TRACE}-${SPAN}-01`, 'vendor=state')

function rig(parts: Partial<TracerParts> = {}): {
  tracer: Tracer
  taken: TracedRequest[]
  clock: StillClock
} {
  const clock = new StillClock()
  const taken: TracedRequest[] = []
  const take = (request: TracedRequest): void => void taken.push(request)
  const tracer = new Tracer({ clock, acceptsCallers: true, sample: () => true, take, ...parts })
  return { tracer, taken, clock }
}

const INCOMING = { id: 'entry00000000001' }

test('begin gives no trace to a request that nobody could find again: not sampled, and no caller sent one', () => {
  const { tracer } = rig({ sample: () => false })
  assert.equal(tracer.begin(INCOMING, ROUTE), undefined)
})

test('begin keeps the trace of a caller: its id and state, never its span as ours', () => {
  const { tracer } = rig({ sample: () => false })
  const trace = tracer.begin({ ...INCOMING, trace: PARENT }, ROUTE)
  assert.deepEqual([trace?.traceId, trace?.state], [TRACE, 'vendor=state'])
  const { traceparent, state } = trace?.begin(CALLED) ?? {}
  // The caller says that it sampled; whether we do is our own decision.
  assert.match(traceparent ?? '', new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
  assert.ok(!traceparent?.includes(SPAN))
  assert.equal(state, 'vendor=state')
})

test('begin ignores callers where it is told to: another trace, and no state', () => {
  const { tracer, taken } = rig({ acceptsCallers: false })
  const trace = tracer.begin({ ...INCOMING, trace: PARENT }, ROUTE)
  trace?.end(END)
  assert.notEqual(trace?.traceId, TRACE)
  assert.match(trace?.traceId ?? '', /^[0-9a-f]{32}$/)
  assert.deepEqual([trace?.state, taken[0]?.parentId], ['', undefined])
})

test('a trace that is not sampled costs nothing later: no stage, no call and no end is kept', () => {
  const { tracer, taken } = rig({ sample: () => false })
  const trace = tracer.begin({ ...INCOMING, trace: PARENT }, ROUTE)
  trace?.enter('authenticate')
  trace?.begin(CALLED).end('')
  trace?.end(END)
  assert.deepEqual(taken, [])
})

test('a sampled trace keeps when each stage was first entered, however often it is', () => {
  const { tracer, taken, clock } = rig()
  const trace = tracer.begin(INCOMING, ROUTE)
  for (const stage of ['authenticate', 'parse', 'authenticate', 'parse', 'authorize'] as const) {
    trace?.enter(stage)
    clock.advance(1)
  }
  trace?.end(END)
  const [request] = taken
  const start = request?.startedMonotonic ?? 0
  assert.deepEqual(
    request?.stages.map(({ stage, at }) => [stage, at - start]),
    [
      ['authenticate', 0],
      ['parse', 1],
      ['authorize', 4],
    ],
  )
  assert.equal((request?.endedMonotonic ?? 0) - start, 5)
})

test('a sampled trace keeps its calls: each with a span of its own, which its traceparent names', () => {
  const { tracer, taken, clock } = rig()
  const trace = tracer.begin({ ...INCOMING, trace: PARENT }, ROUTE)
  const failing = trace?.begin(CALLED)
  clock.advance(2)
  failing?.end('upstream.failed')
  failing?.end('')
  const open = trace?.begin(CALLED)
  clock.advance(3)
  trace?.end(END)
  const [request] = taken
  assert.deepEqual(
    request?.calls.map(({ from, to, error }) => [to - from, error]),
    [
      [2, 'upstream.failed'],
      [3, ''],
    ],
  )
  assert.deepEqual(
    request?.calls.map(({ spanId }) => `00-${TRACE}-${spanId}-01`),
    [failing?.traceparent, open?.traceparent],
  )
  assert.deepEqual([request?.traceId, request?.parentId], [TRACE, SPAN])
})

test('a sampled trace keeps so many calls and no more', () => {
  const { tracer, taken } = rig()
  const trace = tracer.begin(INCOMING, ROUTE)
  for (let at = 0; at < 100; at++) trace?.begin(CALLED).end('')
  trace?.end(END)
  assert.equal(taken[0]?.calls.length, 16)
})

const ECHO: Route<JsonObject> = {
  ...ROUTE,
  listener: 'door',
  media: 'json',
  envelope: 'problem',
  record: 'grouped',
  inspect: { request: 'all', response: 'all' },
  parse: ({ body }) => {
    if (body.length === 0) throw new Fault('input.invalid')
    return { text: Buffer.from(body).toString() }
  },
  target: () => ({ ref: { type: 'Model', id: 'echo' }, entities: [], known: true }),
  act: async (_permit, input, { trace }) => {
    trace?.begin(CALLED).end('')
    return Promise.resolve({ kind: 'whole', status: 200, body: input, facts: { provider: 'echo' } })
  },
}

function doorWith(tracer: Tracer | undefined): { parts: DoorParts; recorder: MemoryRecorder } {
  const recorder = new MemoryRecorder()
  const actions = { request: always('redact'), response: always('redact') }
  const parts: DoorParts = {
    clock: new StillClock(),
    authenticator: AUTHENTICATOR,
    policies: { current: () => decider(() => true) },
    meter: meterOf(4),
    limits: NO_LIMITS,
    inspector: new Inspector({ detectors: [], actions, encoded: 'pass' }),
    recorder,
    guard: OPEN_GUARD,
    observe: () => undefined,
    tracer,
  }
  return { parts, recorder }
}

async function send({ parts }: { readonly parts: DoorParts }, text: string): Promise<void> {
  await passThrough(parts, ECHO, {
    id: 'entry00000000001',
    credential: { kind: 'bearer', token: new Sealed('any') },
    address: '192.0.2.7',
    params: {},
    query: [],
    trace: PARENT,
    onAbort: () => undefined,
    onEnd: (listener) => listener(),
    body: async () => Promise.resolve(Buffer.from(text)),
  })
}

test('passThrough puts the trace into the first entry of a request as what a caller may choose: never in the clear', async () => {
  const { tracer, taken } = rig()
  const door = doorWith(tracer)
  await send(door, 'hello')
  await send(door, '')
  const traces = door.recorder.entries.map(({ kind, fields }) => [
    kind,
    fields['trace'],
    fields['trace_state'],
  ])
  assert.deepEqual(traces, [
    ['intent', TRACE, 'vendor=state'],
    ['outcome', undefined, undefined],
    ['refusal', TRACE, 'vendor=state'],
  ])
  assert.deepEqual([classOf('trace'), classOf('trace_state')], ['sensitive', 'sensitive'])
  assert.deepEqual(
    taken.map(({ calls, observation, caller, outcome }) => [
      observation.code,
      observation.stage,
      calls.length,
      caller,
      outcome['provider'],
    ]),
    [
      ['ok', 'done', 1, 'Service::"demo"', 'echo'],
      ['input.invalid', 'parse', 0, 'Service::"demo"', undefined],
    ],
  )
})

test('passThrough without a tracer keeps no trace of anybody', async () => {
  const door = doorWith(undefined)
  await send(door, 'hello')
  assert.ok(door.recorder.entries.every(({ fields }) => !('trace' in fields)))
})
