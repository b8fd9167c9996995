import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Question } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import type { JsonObject } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import { checkPermit, type Permit } from '#trust/access/authorize.ts'
import type { Caller, Credential } from '#trust/access/caller.ts'
import {
  AUTHENTICATOR,
  CALLER,
  proven,
  decider,
  MemoryRecorder,
  meterOf,
  StillClock,
} from '../../test/support/door_parts.ts'
import type { Detector } from './detector.ts'
import { NO_LIMITS } from './limits/limiter.ts'
import { guarded, passThrough, type DoorParts } from './door.ts'
import { always } from './inspection_actions.ts'
import { Inspector } from './inspector.ts'
import type { Outcome, Stage } from './outcome.ts'
import type { Observation } from './observation.ts'
import type { Acted, Incoming, Route } from './route.ts'

/** Finds one word, so that tests need no credential. */
const WORD: Detector = {
  id: 'word',
  why: 'tests',
  find: (text) => {
    const start = text.indexOf('banana')
    return start < 0 ? [] : [{ rule: 'word.banana', start, end: start + 6 }]
  },
}

const RESOURCE = { type: 'Model', id: 'echo' }

interface Scene {
  readonly parts: DoorParts
  readonly recorder: MemoryRecorder
  readonly observations: Observation[]
  /** What was done, in order: the acts, with the kinds of entries that were on record at that moment. */
  readonly acts: { readonly input: JsonObject; readonly recorded: readonly string[] }[]
  readonly route: Route<JsonObject>
}

interface Settings {
  readonly allows?: (question: Question) => boolean
  readonly request?: 'pass' | 'redact' | 'block'
  readonly response?: 'pass' | 'redact' | 'block'
  readonly limit?: number
  /** Seconds that the guard tells strangers, and keys, to wait. */
  readonly wait?: number
  readonly keyWait?: number
  /** When the key of the caller ends: while its body comes, or while its content is looked at. */
  readonly keyEnds?: 'body' | 'inspect'
  /** What the caller has become once its body has come. */
  readonly becomes?: Caller
  readonly act?: (permit: Permit, input: JsonObject) => Promise<Acted>
  readonly route?: Partial<Route<JsonObject>>
}

function allowsAllButSeeing({ action }: Question): boolean {
  return action.id !== 'content:raw' && action.id !== 'pii:reveal'
}

function scene(settings: Settings = {}): Scene {
  const recorder = new MemoryRecorder()
  const observations: Observation[] = []
  const acts: Scene['acts'] = []
  const actions = { request: settings.request ?? 'redact', response: settings.response ?? 'redact' }
  const policies = { current: () => decider(settings.allows ?? allowsAllButSeeing) }
  let rechecks = 0
  const recheck = (caller: Caller): Caller => {
    rechecks += 1
    if (settings.keyEnds === (rechecks === 1 ? 'body' : 'inspect'))
      throw new Fault('caller.unknown', { reason: 'key.revoked' })
    return settings.becomes ?? caller
  }
  const parts: DoorParts = {
    clock: new StillClock(),
    authenticator: {
      ...AUTHENTICATOR,
      authenticate: (credential, address) => {
        const { caller } = AUTHENTICATOR.authenticate(credential, address)
        return { caller, recheck: () => recheck(caller) }
      },
    },
    policies,
    meter: meterOf(settings.limit ?? 4),
    limits: NO_LIMITS,
    inspector: new Inspector({
      detectors: [WORD],
      actions: { request: always(actions.request), response: always(actions.response) },
      encoded: 'pass',
    }),
    recorder,
    guard: {
      charge: () => settings.wait,
      chargeKey: () => settings.keyWait,
      chargeCaller: () => settings.keyWait,
    },
    observe: (observation) => observations.push(observation),
  }
  const route: Route<JsonObject> = {
    name: 'say',
    listener: 'door',
    method: 'POST',
    path: '/say',
    media: 'json',
    envelope: 'problem',
    action: 'model:infer',
    record: 'grouped',
    inspect: { request: 'all', response: 'all' },
    parse: ({ body }) => ({ text: Buffer.from(body).toString() }),
    target: () => ({ ref: RESOURCE, entities: [], known: true }),
    act: async (permit, input) => {
      checkPermit(permit, 'model:infer', RESOURCE)
      acts.push({ input, recorded: recorder.kinds() })
      return settings.act === undefined
        ? { kind: 'whole' as const, status: 200, body: input, facts: { tokens_in: 3 } }
        : settings.act(permit, input)
    },
    ...settings.route,
  }
  return { parts, recorder, observations, acts, route }
}

const BEARER: Credential = { kind: 'bearer', token: new Sealed('any') }

function incoming(text: string, credential: Credential = BEARER): Incoming {
  return {
    id: 'entry00000000001',
    credential,
    address: '192.0.2.7',
    params: {},
    query: [],
    body: async (memory) => {
      memory.claim(text.length)
      return Promise.resolve(Buffer.from(text))
    },
    onAbort: () => undefined,
    onEnd: (listener) => listener(),
  }
}

function codeOf(outcome: Outcome): FaultCode | 'ok' {
  return outcome.kind === 'refusal' ? outcome.fault.code : 'ok'
}

test('passThrough answers: the intent is recorded before the act, the outcome after it', async () => {
  const { parts, route, recorder, acts, observations } = scene()
  const outcome = await passThrough(parts, route, incoming('hello'))
  assert.deepEqual(outcome, { kind: 'answer', status: 200, json: '{"text":"hello"}' })
  assert.deepEqual(acts[0]?.recorded, ['intent'])
  assert.deepEqual(recorder.kinds(), ['intent', 'outcome'])
  const [intent, ended] = recorder.entries
  assert.equal(intent?.fields['caller'], 'Service::"demo"')
  assert.equal(intent?.fields['resource'], 'Model::"echo"')
  assert.deepEqual(intent?.fields['policies'], ['p-allow'])
  assert.equal(ended?.fields['status'], 200)
  assert.equal(ended?.fields['tokens_in'], 3)
  assert.deepEqual(
    observations.map(({ code, model, stage }) => [code, model, stage]),
    [['ok', 'echo', 'done']],
  )
})

test('passThrough answers only when the outcome has left, where another process writes it', async () => {
  const { parts, route, recorder } = scene()
  const { promise: left, resolve: leave } = Promise.withResolvers<void>()
  Object.assign(recorder, { handedOver: async () => left })
  let isAnswered = false
  const passing = passThrough(parts, route, incoming('hello')).then((outcome) => {
    isAnswered = true
    return outcome
  })
  await new Promise((resolve) => void setImmediate(resolve))
  assert.deepEqual([recorder.kinds(), isAnswered], [['intent', 'outcome'], false])
  leave()
  assert.equal(codeOf(await passing), 'ok')
})

const REFUSALS: readonly (readonly [
  why: string,
  settings: Settings,
  credential: Credential,
  code: FaultCode,
  stage: Stage,
])[] = [
  ['no credential', {}, { kind: 'none' }, 'caller.unknown', 'authenticate'],
  [
    'the body does not parse',
    { route: { parse: throws('input.invalid') } },
    BEARER,
    'input.invalid',
    'parse',
  ],
  ['a parser of ours has a bug', { route: { parse: crashes } }, BEARER, 'internal.bug', 'parse'],
  ['policy denies', { allows: () => false }, BEARER, 'action.denied', 'authorize'],
  ['policy throws', { allows: crashes }, BEARER, 'internal.bug', 'authorize'],
  ['the key ends while the body comes', { keyEnds: 'body' }, BEARER, 'caller.unknown', 'authenticate'],
  ['the key ends during inspection', { keyEnds: 'inspect' }, BEARER, 'caller.unknown', 'authenticate'],
  ['the door is full', { limit: 0 }, BEARER, 'load.exceeded', 'meter'],
  ['inspection blocks', { request: 'block' }, BEARER, 'content.blocked', 'inspect_request'],
  ['policy denies what was found', { allows: foundNothing }, BEARER, 'action.denied', 'admit'],
]

for (const [why, settings, credential, code, stage] of REFUSALS) {
  test(`passThrough refuses before any act: ${why}`, async () => {
    const { parts, route, recorder, acts, observations } = scene(settings)
    const outcome = await passThrough(parts, route, incoming('a banana', credential))
    assert.equal(codeOf(outcome), code)
    assert.equal(outcome.kind === 'refusal' && outcome.stage, stage)
    assert.equal(acts.length, 0)
    assert.deepEqual(recorder.kinds(), ['refusal'])
    assert.equal(recorder.entries[0]?.fields['code'], code)
    assert.equal(recorder.entries[0]?.fields['stage'], stage)
    assert.equal(observations[0]?.code, code)
    assert.equal(parts.meter.inFlight, 0)
  })
}

test('passThrough looks at the caller behind all that it waits for: also behind what is reserved anew', async () => {
  const { parts, route, recorder, acts } = scene()
  let reserved = 0
  const limits: DoorParts['limits'] = {
    reserve: async () => {
      reserved += 1
      return Promise.resolve(undefined)
    },
  }
  const recheck = (): Caller => {
    if (reserved > 1) throw new Fault('caller.unknown', { reason: 'key.revoked' })
    return CALLER
  }
  const authenticator = { ...AUTHENTICATOR, authenticate: () => ({ caller: CALLER, recheck }) }
  const demand = { tokensIn: 1, tokensOut: 1, unbounded: undefined, unpriced: undefined }
  const demanding = { ...route, demand: () => demand }
  const outcome = await passThrough({ ...parts, limits, authenticator }, demanding, incoming('a banana'))
  assert.equal(codeOf(outcome), 'caller.unknown')
  assert.deepEqual([reserved, acts.length, recorder.kinds()], [2, 0, ['refusal']])
})

test('passThrough does nothing when the ledger cannot record the intent', async () => {
  const { parts, route, recorder, acts } = scene()
  recorder.isWritable = false
  const outcome = await passThrough(parts, route, incoming('hello'))
  assert.equal(codeOf(outcome), 'ledger.unwritable')
  assert.equal(acts.length, 0)
})

test('passThrough says ledger.unwritable when a refusal cannot be recorded', async () => {
  const { parts, route, recorder } = scene({ allows: () => false })
  recorder.isWritable = false
  assert.equal(codeOf(await passThrough(parts, route, incoming('hello'))), 'ledger.unwritable')
})

test('passThrough throttles strangers over the limit without any entry', async () => {
  const { parts, route, recorder } = scene({ wait: 7 })
  const outcome = await passThrough(parts, route, incoming('hello', { kind: 'none' }))
  assert.equal(codeOf(outcome), 'source.throttled')
  assert.equal(outcome.kind === 'refusal' && outcome.fault.retryAfterSeconds, 7)
  assert.deepEqual(recorder.kinds(), [])
})

test('passThrough records which key ended on the way, and why', async () => {
  const { parts, route, recorder } = scene({ keyEnds: 'body' })
  await passThrough(parts, route, incoming('hello'))
  const fields = recorder.entries[0]?.fields
  assert.deepEqual(
    [fields?.['kid'], fields?.['caller'], fields?.['reason']],
    [CALLER.kid, 'Service::"demo"', 'key.revoked'],
  )
})

test('passThrough throttles a key whose requests are refused again and again: without any entry', async () => {
  const { parts, route, recorder } = scene({ keyWait: 7, allows: () => false })
  const outcome = await passThrough(parts, route, incoming('hello'))
  assert.equal(codeOf(outcome), 'caller.throttled')
  assert.equal(outcome.kind === 'refusal' && outcome.fault.retryAfterSeconds, 7)
  assert.deepEqual(recorder.kinds(), [])
})

for (const [why, type, code] of [
  ['a user with a token fills no ledger either', 'User', 'caller.throttled'],
  ['who owns the home may', 'System', 'action.denied'],
] as const)
  test(`passThrough throttles callers without a key: ${why}`, async () => {
    const { parts, route } = scene({ keyWait: 7, allows: () => false })
    const caller = { ...CALLER, ref: { type, id: 'alice' }, kid: undefined }
    const authenticator = { authenticate: () => proven(caller), looksReal: () => true }
    assert.equal(codeOf(await passThrough({ ...parts, authenticator }, route, incoming('hello'))), code)
  })

test('passThrough answers a key over its limit of refusals: only what is refused counts', async () => {
  const { parts, route, recorder } = scene({ keyWait: 7 })
  assert.equal(codeOf(await passThrough(parts, route, incoming('hello'))), 'ok')
  assert.deepEqual(recorder.kinds(), ['intent', 'outcome'])
})

test('passThrough holds place and bytes until the reply has left, not until it is made', async () => {
  const { parts, route } = scene()
  const ends: (() => void)[] = []
  const sent = { ...incoming('hello'), onEnd: (listener: () => void) => void ends.push(listener) }
  const outcome = await passThrough(parts, route, sent)
  assert.equal(parts.meter.inFlight, 1)
  assert.equal(parts.meter.bytes, outcome.kind === 'answer' ? outcome.json.length : Number.NaN)
  for (const end of ends) end()
  assert.deepEqual([parts.meter.inFlight, parts.meter.bytes], [0, 0])
})

test('passThrough lets an act claim memory for what it fetches: no room is a refusal, and recorded', async () => {
  const { parts, route, recorder } = scene({
    route: {
      act: async (_permit, _input, { memory }) => {
        memory.claim(6_000_000)
        return Promise.resolve({ kind: 'whole' as const, status: 200, body: null, facts: {} })
      },
    },
  })
  assert.equal(codeOf(await passThrough(parts, route, incoming('hello'))), 'load.exceeded')
  assert.equal(recorder.entries[1]?.fields['code'], 'load.exceeded')
  assert.equal(parts.meter.bytes, 0)
})

test('passThrough dispatches what was inspected, redacted, and tells the second decision what was found', async () => {
  const asked: unknown[] = []
  const allows = (question: Question) => {
    asked.push([question.action.id, question.context['findings']])
    return allowsAllButSeeing(question)
  }
  const { parts, route, acts, recorder } = scene({ allows })
  await passThrough(parts, route, incoming('a banana!'))
  assert.deepEqual(acts[0]?.input, { text: 'a [redacted:word.banana]!' })
  assert.deepEqual(asked, [
    ['model:infer', []],
    ['content:raw', ['word.banana']],
    ['model:infer', ['word.banana']],
    // The answer says it back.
    ['content:raw', ['word.banana']],
  ])
  assert.deepEqual(recorder.entries[0]?.fields['findings'], ['word.banana'])
})

test('passThrough shows what policy lets the caller see, in both directions, and records what was found', async () => {
  const { parts, route, acts, recorder } = scene({ allows: () => true })
  const outcome = await passThrough(parts, route, incoming('a banana!'))
  assert.deepEqual(acts[0]?.input, { text: 'a banana!' })
  assert.equal(outcome.kind === 'answer' && outcome.json, '{"text":"a banana!"}')
  assert.deepEqual(
    recorder.entries.map(({ fields }) => fields['findings']),
    [['word.banana'], ['word.banana']],
  )
})

test('passThrough redacts the answer, and the outcome commits to the bytes that were released', async () => {
  const act = async () =>
    Promise.resolve({ kind: 'whole' as const, status: 200, body: { text: 'banana' }, facts: {} })
  const { parts, route } = scene({ act })
  const outcome = await passThrough(parts, route, incoming('hello'))
  assert.equal(outcome.kind === 'answer' && outcome.json, '{"text":"[redacted:word.banana]"}')
})

test('passThrough blocks the answer: the act was done, and its outcome says so', async () => {
  const act = async () =>
    Promise.resolve({ kind: 'whole' as const, status: 200, body: { text: 'banana' }, facts: {} })
  const { parts, route, recorder } = scene({ act, response: 'block' })
  const outcome = await passThrough(parts, route, incoming('hello'))
  assert.equal(codeOf(outcome), 'content.blocked')
  assert.deepEqual(recorder.kinds(), ['intent', 'outcome'])
  assert.equal(recorder.entries[1]?.fields['stage'], 'inspect_response')
})

test('passThrough records a failed act as its outcome and releases its place', async () => {
  const { parts, route, recorder } = scene({ act: async () => Promise.reject(new Fault('upstream.failed')) })
  const outcome = await passThrough(parts, route, incoming('hello'))
  assert.equal(codeOf(outcome), 'upstream.failed')
  assert.deepEqual(recorder.kinds(), ['intent', 'outcome'])
  assert.equal(recorder.entries[1]?.fields['status'], 502)
  assert.equal(parts.meter.inFlight, 0)
})

test('passThrough awaits the outcome of a strict route: unrecorded means refused', async () => {
  const { parts, route, recorder } = scene({
    route: { record: 'strict' },
    act: async () => {
      recorder.isWritable = false
      return Promise.resolve({ kind: 'whole' as const, status: 200, body: null, facts: {} })
    },
  })
  assert.equal(codeOf(await passThrough(parts, route, incoming('hello'))), 'ledger.unwritable')
  assert.equal(recorder.entries[0]?.reserved, true)
})

test('passThrough keeps a name that a caller made up out of the public fields', async () => {
  const target = () => ({ ref: { type: 'Model', id: 'made up' }, entities: [], known: false })
  const { parts, route, recorder, observations } = scene({ allows: () => false, route: { target } })
  await passThrough(parts, route, incoming('hello'))
  assert.equal(recorder.entries[0]?.fields['resource'], undefined)
  assert.equal(recorder.entries[0]?.fields['asked'], 'Model::"made up"')
  assert.equal(observations[0]?.model, '')
})

test('passThrough leaves an exempt direction alone', async () => {
  const exempt = { request: 'all', response: { exempt: 'shows a new key once' } } as const
  const act = async () => Promise.resolve({ kind: 'whole' as const, status: 201, body: 'banana', facts: {} })
  const { parts, route } = scene({ act, route: { inspect: exempt } })
  assert.deepEqual(await passThrough(parts, route, incoming('hello')), {
    kind: 'answer',
    status: 201,
    json: '"banana"',
  })
})

test('passThrough hands on what an answer says of itself, and no content of a 204: no hash of any stands in the ledger', async () => {
  const headers = { location: '/say/1', etag: 'W/"1"' }
  const made = { kind: 'whole' as const, status: 201, body: 'made', headers, facts: {} }
  const { parts, route } = scene({ act: async () => Promise.resolve(made) })
  assert.deepEqual(await passThrough(parts, route, incoming('hello')), {
    kind: 'answer',
    status: 201,
    json: '"made"',
    headers,
  })
  const gone = scene({ act: async () => Promise.resolve({ ...made, status: 204, headers: undefined }) })
  const outcome = await passThrough(gone.parts, gone.route, incoming('hello'))
  assert.deepEqual(outcome, { kind: 'answer', status: 204, json: '' })
  assert.ok(!('content' in (gone.recorder.entries[1]?.fields ?? {})))
})

test('guarded keeps the facts of the route and takes requests through the door', async () => {
  const { parts, route } = scene()
  const joined = guarded(parts, route)
  assert.equal(joined.path, '/say')
  assert.equal((await joined.handle(incoming('hello'))).kind, 'answer')
})

function throws(code: FaultCode): () => never {
  return () => {
    throw new Fault(code)
  }
}

function crashes(): never {
  throw new TypeError('a bug')
}

function foundNothing(question: Question): boolean {
  const { findings } = question.context
  return Array.isArray(findings) && findings.length === 0
}

test('passThrough decides by what the caller has become while its body came', async () => {
  const asked: string[] = []
  const allows = (question: Question): boolean => {
    asked.push(question.principal.id)
    return question.principal.id === CALLER.ref.id
  }
  const moved = { ...CALLER, ref: { type: 'Service', id: 'moved' } }
  const { parts, route, acts } = scene({ allows, becomes: moved })
  const outcome = await passThrough(parts, route, incoming('hi'))
  assert.equal(outcome.kind, 'refusal')
  assert.deepEqual([asked, acts], [['moved'], []])
})
