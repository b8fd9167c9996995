import { SYSTEM_CLOCK, type Clock } from '#base/clock.ts'
import { parseTraceContext } from '#base/trace_context.ts'
import type { Observation } from '#door/observation.ts'
import { Tracer, type RequestEnd, type TracedRequest } from '#door/tracing.ts'

export const ROUTE = {
  name: 'chat',
  method: 'POST',
  path: '/v1/chat/completions',
  action: 'model:infer',
} as const

export const OBSERVATION: Observation = {
  route: 'chat',
  model: 'house',
  status: 200,
  code: 'ok',
  stage: 'done',
  seconds: 0.5,
  firstSeconds: undefined,
  provider: 'openai',
}

export const CALLED = {
  operation: 'chat',
  provider: 'openai',
  model: 'gpt-x',
  origin: 'https://models.example:8443',
} as const

export const END: RequestEnd = {
  observation: OBSERVATION,
  caller: 'Service::"demo"',
  findings: ['credential.github'],
  outcome: { status: 200, tokens_in: 12, tokens_out: 5, provider: 'openai' },
}

/** A request that was traced to its end: two stages, and one call. */
export function tracedRequest(
  end: Partial<RequestEnd> = {},
  { parent, clock = SYSTEM_CLOCK }: { readonly parent?: string; readonly clock?: Clock } = {},
): TracedRequest {
  const taken: TracedRequest[] = []
  const tracer = new Tracer({
    clock,
    acceptsCallers: true,
    sample: () => true,
    take: (request) => taken.push(request),
  })
  const trace = tracer.begin({ id: 'entry00000000001', trace: parseTraceContext(parent, undefined) }, ROUTE)
  trace?.enter('authenticate')
  trace?.enter('act')
  trace?.begin(CALLED).end('')
  trace?.end({ ...END, ...end })
  const [request] = taken
  if (request === undefined) throw new Error('no request was taken')
  return request
}
