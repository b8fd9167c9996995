import { Sealed } from '../../src/base/sealed.ts'
import type { Question } from '../../src/base/decider.ts'
import type { Fault } from '../../src/base/fault.ts'
import { FAULTS } from '../../src/base/fault_table.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { Metrics } from '../../src/base/metrics.ts'
import { DETECTORS } from '../../src/door/detectors/all.ts'
import { passThrough, type DoorParts } from '../../src/door/door.ts'
import { NO_LIMITS, type Limits } from '#door/limits/limiter.ts'
import { redactText } from '../../src/door/inspect.ts'
import { always } from '#door/inspection_actions.ts'
import { Inspector } from '../../src/door/inspector.ts'
import type { Incoming, Route } from '../../src/door/route.ts'
import { Catalogue } from '../../src/rooms/models/catalogue.ts'
import type { ModelSettings } from '../../src/rooms/models/provider.ts'
import { PoolMetrics } from '../../src/rooms/models/pool/pool_metrics.ts'
import { PROVIDERS } from '../../src/rooms/models/providers/all.ts'
import { AUTHENTICATOR, decider, MemoryRecorder, meterOf, OPEN_GUARD, StillClock } from './door_parts.ts'

/** A whole door around the models, with a ledger in memory and policy as a function. */
export interface ModelsScene {
  readonly catalogue: Catalogue
  readonly clock: StillClock
  readonly recorder: MemoryRecorder
  readonly parts: DoorParts
  readonly close: () => Promise<void>
}

export interface SceneSettings {
  readonly models: readonly (Partial<ModelSettings> & { readonly name: string })[]
  readonly allows?: (question: Question) => boolean
  readonly request?: 'pass' | 'redact' | 'block'
  readonly response?: 'pass' | 'redact' | 'block'
  readonly metrics?: Metrics
  /** What pools draw with. */
  readonly random?: () => number
  readonly limits?: Limits
}

const STANDARD: Omit<ModelSettings, 'name'> = {
  provider: 'openai',
  baseUrl: undefined,
  model: 'upstream-model',
  key: { kind: 'none' },
  auth: 'bearer',
  region: undefined,
  extensions: 'pass',
  timeoutMs: 2_000,
  maxAnswerBytes: 200_000,
}

/** Like a policy for all models that exist: a name that is none has no facts and so no permit. */
const KNOWN = ({ action, resource, entities }: Question): boolean =>
  action.id !== 'content:raw' &&
  action.id !== 'pii:reveal' &&
  entities.flat().some(({ ref }) => ref.type === resource.type && ref.id === resource.id)

export function modelsScene({
  models,
  allows = KNOWN,
  request = 'redact',
  response = 'redact',
  metrics = new Metrics(),
  random = () => 0,
  limits = NO_LIMITS,
}: SceneSettings): ModelsScene {
  const clock = new StillClock()
  const recorder = new MemoryRecorder()
  const redact = (text: string): string => redactText(DETECTORS, text)
  const settings = models.map((one) => ({ ...STANDARD, ...one }))
  const policies = { current: () => decider(allows) }
  const pools = { policies, metrics: new PoolMetrics(metrics), random }
  const catalogue = new Catalogue(settings, PROVIDERS, { clock, redact, pools })
  const parts: DoorParts = {
    clock,
    recorder,
    authenticator: AUTHENTICATOR,
    policies,
    meter: meterOf(100),
    limits,
    inspector: new Inspector({
      detectors: DETECTORS,
      actions: { request: always(request), response: always(response) },
      encoded: 'pass',
    }),
    guard: OPEN_GUARD,
    observe: () => undefined,
  }
  return { catalogue, clock, recorder, parts, close: () => catalogue.close() }
}

export type Said =
  | { readonly kind: 'stream'; readonly text: string }
  | { readonly kind: 'answer'; readonly status: number; readonly json: string }
  | {
      readonly kind: 'refusal'
      readonly code: string
      readonly status: number
      readonly stage: string
      readonly fault: Fault
    }

async function allOf<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const value of values) all.push(value)
  return all
}

const ENTRY = 'entry00000000001'

/** Sends one request through the door of the scene. */
export async function ask<Input extends JsonObject>(
  scene: ModelsScene,
  route: Route<Input>,
  incoming: Partial<Omit<Incoming, 'body'>> & { readonly body?: unknown } = {},
): Promise<Said> {
  const { body, ...rest } = incoming
  const text = typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body)
  const outcome = await passThrough(scene.parts, route, {
    id: ENTRY,
    credential: { kind: 'bearer', token: new Sealed('any') },
    address: '192.0.2.7',
    params: {},
    query: [],
    onAbort: () => undefined,
    onEnd: (listener) => listener(),
    ...rest,
    body: async () => Promise.resolve(Buffer.from(text)),
  })
  if (outcome.kind === 'answer') return outcome
  if (outcome.kind === 'stream')
    return { kind: 'stream', text: (await allOf(outcome.stream.chunks())).join('') }
  if (outcome.kind === 'bytes') throw new TypeError('no model answers in bytes')
  const { fault, stage } = outcome
  return { kind: 'refusal', code: fault.code, status: FAULTS[fault.code].status, stage, fault }
}
