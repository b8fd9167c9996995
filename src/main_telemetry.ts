import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { openUpstream, type Upstream } from '#base/http_client.ts'
import { newEntryId } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import type { Sealed } from '#base/sealed.ts'
import { Tracer } from '#door/tracing.ts'
import { Delivery } from '#proof/telemetry/delivery.ts'
import { Telemetry } from '#proof/telemetry/telemetry.ts'
import { rememberedPseudonyms } from '#trust/ledger/pseudonym.ts'
import { resolveSecret, type Config } from './config.ts'
import { secretReader } from './main_config.ts'
import type { OpenHome } from './main_home.ts'

type Environment = Readonly<Record<string, string | undefined>>

export interface TelemetrySurroundings {
  readonly clock: Clock
  readonly env: Environment
  readonly version: string
}

export interface OpenTelemetry {
  readonly tracer: Tracer
  /** Exports what waits, for a moment at most. */
  close(): Promise<void>
}

/** What is needed of a home. */
export interface TelemetryHome extends Pick<OpenHome, 'config' | 'configFolder' | 'metrics'> {
  readonly keys: Pick<OpenHome['keys'], 'pseudonymKey'>
}

/** Opens what traces requests, and the export where one is configured. Throws `config.invalid` for a secret that is not there. */
export function openTelemetry(home: TelemetryHome, around: TelemetrySurroundings): OpenTelemetry {
  const { trace_callers: callers, otlp } = home.config.telemetry
  const acceptsCallers = callers === 'accept'
  const { clock } = around
  if (otlp === undefined) {
    const tracer = new Tracer({ clock, acceptsCallers, sample: () => false, take: () => undefined })
    return { tracer, close: async () => Promise.resolve() }
  }
  const upstream = openReceiver(otlp, home)
  const delivery = new Delivery({
    clock,
    upstream,
    basePath: new URL(otlp.endpoint).pathname.replace(/\/+$/, ''),
    withHeaders: headersOf(otlp, home, around.env),
    random: () => Math.random(),
    firstWaitMs: FIRST_WAIT_MS,
  })
  const telemetry = new Telemetry({
    clock,
    metrics: home.metrics,
    exporting: { version: around.version, instance: newEntryId() },
    pseudonymOf: rememberedPseudonyms(home.keys.pseudonymKey),
    delivery,
    intervalMs: otlp.interval_ms,
  })
  const tracer = new Tracer({
    clock,
    acceptsCallers,
    // Which requests are exported is no secret, and never a caller's choice.
    sample: () => Math.random() < otlp.sample_ratio,
    take: (request) => telemetry.take(request),
  })
  const close = async (): Promise<void> => {
    await telemetry.close()
    await upstream.close()
  }
  return { tracer, close }
}

const FIRST_WAIT_MS = 1_000
/** One export of spans and one of metrics at a time. */
const CONNECTIONS = 2

type Otlp = NonNullable<Config['telemetry']['otlp']>

function openReceiver(
  { endpoint, network, roots, timeout_ms: timeoutMs }: Otlp,
  home: TelemetryHome,
): Upstream {
  const pem = roots === undefined ? undefined : secretReader(home.configFolder)(roots)
  if (roots !== undefined && pem === undefined)
    throw invalid('telemetry.otlp.roots is not a file that can be read.')
  return openUpstream({
    origin: new URL(endpoint).origin,
    connections: CONNECTIONS,
    connectTimeoutMs: timeoutMs,
    headersTimeoutMs: timeoutMs,
    bodyTimeoutMs: timeoutMs,
    totalTimeoutMs: timeoutMs,
    maxAnswerBytes: LIMITS.telemetryAnswerBytes,
    network,
    roots: pem,
  })
}

type WithHeaders = <T>(send: (headers: readonly string[]) => T) => T

/** The values are open only while an export is handed on. */
function headersOf({ headers }: Otlp, { configFolder }: TelemetryHome, env: Environment): WithHeaders {
  const sealed = Object.entries(headers).map(([name, reference]): readonly [string, Sealed] => {
    const value = resolveSecret(reference, env, secretReader(configFolder))
    if (value === undefined)
      throw invalid(`telemetry.otlp.headers.${name} refers to a variable or file that is empty or missing.`)
    return [name, value]
  })
  return (send) => openAll(sealed, [], send)
}

function openAll<T>(
  [first, ...rest]: readonly (readonly [name: string, value: Sealed])[],
  opened: readonly string[],
  send: (headers: readonly string[]) => T,
): T {
  if (first === undefined) return send(opened)
  const [name, value] = first
  return value.open((text) => openAll(rest, [...opened, name, text], send))
}

function invalid(say: string): Fault {
  return new Fault('config.invalid', {}, { say })
}
