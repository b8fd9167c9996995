import os from 'node:os'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { openUpstream } from '#base/http_client.ts'
import { LIMITS } from '#base/limits.ts'
import { Metrics } from '#base/metrics.ts'
import { parseTraceContext, type TraceContext } from '#base/trace_context.ts'
import { LedgerMetrics } from '#door/ledger_metrics.ts'
import type { Observation } from '#door/observation.ts'
import { STAGES } from '#door/outcome.ts'
import { RequestMetrics } from '#door/request_metrics.ts'
import { Tracer, type TracedRequest } from '#door/tracing.ts'
import { Delivery } from '#proof/telemetry/delivery.ts'
import { Telemetry } from '#proof/telemetry/telemetry.ts'
import { CallMetrics } from '#rooms/models/call_metrics.ts'
import { startOtlpProcess } from '../test/support/otlp_process.ts'
import { describeMachine, type Machine } from './machine.ts'
import { median, quantile, round } from './statistics.ts'

export interface TelemetryReport {
  readonly bench: 'telemetry'
  readonly machine: Machine
  readonly rounds: number
  /** What one request pays for on its way, in microseconds: the median over the rounds of the median of batches. */
  readonly hot_us: Readonly<Record<Cost, number>>
  /** Processor time of the whole process for one request whose spans are taken, encoded and sent to a receiver. */
  readonly exported_us: number
  readonly spans_lost: number
}

/** `off`: a request in no trace, with no export; `sampled_out`: the export is on, and chance did not take this one. */
type Cost = 'metrics' | 'off' | 'sampled_out' | 'caller_trace' | 'sampled'

const COSTS: readonly Cost[] = ['metrics', 'off', 'sampled_out', 'caller_trace', 'sampled']
const BATCH = 200
const WARM_SHARE = 0.4
const EXPORTED = 20_000

/** Measures what metrics and traces cost each request, and what the export costs beside them. */
export async function benchTelemetry(options: {
  readonly rounds: number
  readonly seconds: number
  readonly say: (line: string) => void
}): Promise<TelemetryReport> {
  const { rounds, seconds, say } = options
  const times = new Map<Cost, number[]>(COSTS.map((cost) => [cost, []]))
  // Round 0 warms up.
  for (let at = 0; at <= rounds; at++) {
    for (const cost of COSTS) {
      const took = measure(workOf(cost), (seconds * 1_000) / COSTS.length)
      if (at > 0) times.get(cost)?.push(took)
    }
    say(at === 0 ? 'warmed up' : `round ${at} of ${rounds}`)
  }
  const exported: { readonly us: number; readonly lost: number }[] = []
  for (let at = 0; at < rounds; at++) exported.push(await measureExport())
  const hot = COSTS.map((cost) => [cost, round(median(times.get(cost) ?? []), 3)])
  return {
    bench: 'telemetry',
    machine: describeMachine(os.tmpdir()),
    rounds,
    hot_us: Object.fromEntries(hot) as Readonly<Record<Cost, number>>,
    exported_us: round(median(exported.map(({ us }) => us)), 1),
    spans_lost: exported.reduce((sum, { lost }) => sum + lost, 0),
  }
}

export function drawTelemetry({
  hot_us: hot,
  exported_us: exported,
  spans_lost: lost,
}: TelemetryReport): string {
  const line = (says: string, us: number): string => `  ${says.padEnd(52)} ${us.toFixed(2).padStart(8)} µs`
  return [
    'What one request to a model costs:',
    line('metrics: entries, outcome, tokens, times', hot.metrics),
    line('traces, no export, no trace of the caller', hot.off),
    line('traces, exporting, sampled out', hot.sampled_out),
    line('traces, exporting, sampled out, trace of the caller', hot.caller_trace),
    line('traces, exporting, sampled', hot.sampled),
    '',
    line('sampled, with encoding and sending (processor time)', exported),
    `  spans lost: ${lost}`,
  ].join('\n')
}

const ROUTE = { name: 'chat', method: 'POST', path: '/v1/chat/completions', action: 'model:infer' } as const
const CALLED = {
  operation: 'chat',
  provider: 'openai',
  model: 'large',
  origin: 'http://127.0.0.1:1',
} as const
const OUTCOME = {
  status: 200,
  ms: 3,
  tokens_in: 900,
  tokens_out: 250,
  provider: 'openai',
  region: 'eu',
} as const
const OBSERVATION: Observation = {
  route: 'chat',
  model: 'house',
  status: 200,
  code: 'ok',
  stage: 'done',
  seconds: 0.003,
  firstSeconds: undefined,
  provider: 'openai',
}
const COUNTED_AS = { route: 'chat', model: 'house' } as const
const ENTRY = { id: 'entry00000000001', at: 1, reserved: false, countedAs: COUNTED_AS } as const
const PARENT = parseTraceContext('00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', undefined)

function workOf(cost: Cost): () => void {
  if (cost === 'metrics') return metricsWork()
  const isExporting = cost !== 'off'
  const ratio = cost === 'sampled' ? 1 : 0
  // Of the rest of what waits in the list nothing is kept here, so that only the making is measured.
  const tracer = tracerOf(isExporting ? () => Math.random() < ratio : () => false, () => undefined)
  return () => traceOne(tracer, cost === 'caller_trace' ? PARENT : undefined)
}

function metricsWork(): () => void {
  const metrics = new Metrics()
  const ledger = new LedgerMetrics(metrics)
  const requests = new RequestMetrics(metrics)
  const calls = new CallMetrics(metrics)
  return () => {
    requests.entered()
    ledger.recorded({ ...ENTRY, kind: 'intent', fields: { action: 'model:infer' } })
    calls.took(CALLED, 0.002, '')
    requests.observe(OBSERVATION)
    ledger.recorded({ ...ENTRY, kind: 'outcome', fields: OUTCOME })
    requests.left()
  }
}

function tracerOf(sample: () => boolean, take: (request: TracedRequest) => void): Tracer {
  return new Tracer({ clock: SYSTEM_CLOCK, acceptsCallers: true, sample, take })
}

/** All that a request to a model does with its trace. */
function traceOne(tracer: Tracer, parent: TraceContext | undefined): void {
  const trace = tracer.begin({ id: 'entry00000000001', trace: parent }, ROUTE)
  for (const stage of STAGES) trace?.enter(stage)
  trace?.begin(CALLED).end('')
  trace?.end({ observation: OBSERVATION, caller: 'Service::"demo"', findings: [], outcome: OUTCOME })
}

/** Microseconds of one call, the median of batches; the first part of the time is for the caches of the machine. */
function measure(work: () => void, budgetMs: number): number {
  const times: number[] = []
  const started = performance.now()
  while (performance.now() - started < budgetMs) {
    const before = process.hrtime.bigint()
    for (let at = 0; at < BATCH; at++) work()
    const elapsed = Number(process.hrtime.bigint() - before) / 1_000 / BATCH
    if (performance.now() - started > budgetMs * WARM_SHARE) times.push(elapsed)
  }
  return quantile(
    times.sort((left, right) => left - right),
    0.5,
  )
}

async function measureExport(): Promise<{ readonly us: number; readonly lost: number }> {
  const receiver = await startOtlpProcess()
  const time = 60_000
  const upstream = openUpstream({
    origin: receiver.origin,
    connections: 2,
    connectTimeoutMs: time,
    headersTimeoutMs: time,
    bodyTimeoutMs: time,
    totalTimeoutMs: time,
    maxAnswerBytes: LIMITS.telemetryAnswerBytes,
  })
  const metrics = new Metrics({ since: SYSTEM_CLOCK.now() })
  const withHeaders = <T>(send: (headers: readonly string[]) => T): T => send([])
  const delivery = new Delivery({
    clock: SYSTEM_CLOCK,
    upstream,
    basePath: '',
    withHeaders,
    random: () => 0,
    firstWaitMs: 1_000,
  })
  const telemetry = new Telemetry({
    clock: SYSTEM_CLOCK,
    metrics,
    exporting: { version: '0', instance: 'bench' },
    pseudonymOf: () => 'pseudonym-of-16b',
    delivery,
    intervalMs: time,
  })
  const tracer = tracerOf(
    () => true,
    (request) => telemetry.take(request),
  )
  const before = process.cpuUsage()
  for (let sent = 0; sent < EXPORTED; sent++) {
    traceOne(tracer, undefined)
    // As fast as the list may fill without a loss.
    if (sent % LIMITS.tracedRequests === LIMITS.tracedRequests - 1) await emptied(metrics)
  }
  await emptied(metrics)
  const { user, system } = process.cpuUsage(before)
  await telemetry.close()
  const got = (await receiver.spans()).length
  await upstream.close()
  await receiver.stop()
  return { us: (user + system) / EXPORTED, lost: 2 * EXPORTED - got }
}

async function emptied(metrics: Metrics): Promise<void> {
  const waiting = (): number => {
    const reading = [...metrics.readings()].find(({ names }) => names.name === 'gatehouse_telemetry_waiting')
    const value = reading?.series[0]?.value
    return typeof value === 'number' ? value : 0
  }
  while (waiting() > 0) await new Promise((resolve) => setTimeout(resolve, 5))
}
