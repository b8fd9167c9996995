import path from 'node:path'
import { clearInterval, setInterval } from 'node:timers'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import { LIMITS } from '#base/limits.ts'
import type { Reading } from '#base/metric_reading.ts'
import { Metrics } from '#base/metrics.ts'
import type { DoorParts } from '#door/door.ts'
import { FLOOD_NUMBERS, FloodGuard, GUARD_TICK_MS, type FloodNumbers } from '#door/flood_guard.ts'
import { Inspector } from '#door/inspector.ts'
import { Meter } from '#door/meter.ts'
import { RequestMetrics } from '#door/request_metrics.ts'
import { HTTP_LIMITS, type HttpLimits } from '#faces/http/http_server.ts'
import { openServer, type RunningServer } from '#faces/http/server.ts'
import type { TlsPair } from '#faces/http/tls.ts'
import {
  PROTOCOL,
  routeKey,
  type BodyAsked,
  type ServeOrder,
  type Serving,
  type SharedState,
  type WorkerReport,
} from '#faces/workers/messages.ts'
import { PushedPolicies } from '#faces/workers/pushed_policies.ts'
import { RemoteAuthenticator } from '#faces/workers/remote_authenticator.ts'
import { RemoteLimits } from '#faces/workers/remote_limits.ts'
import { RemoteRecorder, type WorkerLink } from '#faces/workers/remote_recorder.ts'
import { WritersRoutes } from '#faces/workers/writers_routes.ts'
import { OpenLog } from '#rooms/log/open_log.ts'
import { cedarEngine } from '#trust/cedar/engine.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { loadConfig, type Config } from './config.ts'
import { inspectorParts } from './main_inspection.ts'
import { dropCounter, listenerAsk, openTls } from './main_listeners.ts'
import { openCatalogue } from './main_models.ts'
import { modelRoutes } from './main_routes.ts'
import { openTelemetry } from './main_telemetry.ts'

export interface WorkerSurroundings {
  readonly link: WorkerLink
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly residentBytes: () => number
}

export interface OpenWorker {
  readonly serving: Serving
  /** Takes what has changed: it holds for every request from now on. */
  change(state: SharedState): void
  report(): WorkerReport
  body(asked: BodyAsked): Promise<string>
  /** Accepts nothing more, and resolves when nothing is in flight. */
  drain(): Promise<void>
}

/** Joins the parts of a door whose ledger, callers and limits are in the writer, and listens. Throws what listening does. */
export async function openWorker(order: ServeOrder, around: WorkerSurroundings): Promise<OpenWorker> {
  checkProtocol(order)
  const config = loadConfig(order.config.text, order.config.path)
  const parts = assemble(order, config, around)
  const { authenticator, policies, meter, guard, metrics, writers, telemetry, catalogue } = parts
  const shared = { state: order.state }
  const { server, tls } = await listen(order, parts, () => shared.state)
  const tick = setInterval(() => guard.tick(), GUARD_TICK_MS)
  tick.unref()
  return {
    serving: { address: server.address, port: server.port, rule: server.rule },
    change: (state) => {
      shared.state = state
      authenticator.forget()
      policies.take(state.policies)
    },
    report: () => ({
      inFlight: meter.inFlight,
      residentBytes: around.residentBytes(),
      readings: [...metrics.readings()].map(plain),
    }),
    body: (asked) => writers.body(asked),
    drain: async () => {
      clearInterval(tick)
      await server.close()
      tls?.close()
      await catalogue.close()
      guard.flush()
      await telemetry.close()
    },
  }
}

type Assembly = ReturnType<typeof assemble>

function assemble(order: ServeOrder, config: Config, { link, clock, env }: WorkerSurroundings) {
  const configFolder = path.dirname(order.config.path)
  const metrics = new Metrics({ since: clock.now() })
  const policies = new PushedPolicies(cedarEngine)
  policies.take(order.state.policies)
  const authenticator = new RemoteAuthenticator({ link, clock, issuers: issuersOf(config) })
  const requests = new RequestMetrics(metrics)
  const recorder = new RemoteRecorder(link, order.log)
  const counted = (code: string): void => requests.digested(code)
  const numbers = floodShare(order.workers)
  const guard = new FloodGuard({ clock, recorder, newId: newEntryId, counted, numbers })
  const keys = { pseudonymKey: Buffer.from(order.pseudonymKey ?? '', 'base64') }
  const { version } = order
  const telemetry = openTelemetry({ config, configFolder, metrics, keys }, { clock, env, version })
  const meter = new Meter({
    places: Math.floor(config.limits.in_flight / order.workers),
    reservedPlaces: LIMITS.reservedInFlight,
    bytes: Math.floor(config.limits.held_bytes / order.workers),
    reservedBytes: LIMITS.reservedHeldBytes,
  })
  const door: DoorParts = {
    clock,
    authenticator,
    policies,
    meter,
    limits: new RemoteLimits({ link, hasPrice: (model) => Object.hasOwn(config.prices, model) }),
    inspector: new Inspector(inspectorParts(config.inspection)),
    recorder,
    guard,
    observe: (observation) => requests.observe(observation),
    tracer: telemetry.tracer,
  }
  const catalogue = openCatalogue({ config, configFolder, policies }, { clock, env, metrics })
  const writers = new WritersRoutes(link, meter)
  const around = { config, configFolder, env, clock, authenticator, policies, meter, guard, requests }
  return { ...around, metrics, telemetry, door, catalogue, writers }
}

async function listen(
  order: ServeOrder,
  parts: Assembly,
  shared: () => SharedState,
): Promise<{ readonly server: RunningServer; readonly tls: TlsPair | undefined }> {
  const { config, configFolder, env, clock, authenticator, policies, guard, requests } = parts
  const { door, catalogue, writers } = parts
  const own = new Map(modelRoutes(door, catalogue, policies).map((route) => [routeKey(route), route]))
  // The writer reads the same files, and puts on record what came of it.
  const tls = openTls({ config, folder: configFolder, env }, () => undefined)
  const documents = Object.keys(shared().documents ?? {}).map(
    (at) => [at, () => shared().documents?.[at] ?? ''] as const,
  )
  const server = await openServer({
    at: { kind: 'tcp', address: { host: order.host, port: order.port }, ask: listenerAsk(config, 'door') },
    tls: tls?.asking,
    trustedProxies: config.trusted_proxies,
    routes: order.routes.map((route) => own.get(routeKey(route)) ?? writers.guarded(route)),
    guard,
    looksReal: (credential) => authenticator.looksReal(credential),
    clock,
    newId: newEntryId,
    metrics: requests,
    onDrop: dropCounter(parts),
    readiness: () => shared().readiness,
    bodyBytes: config.limits.body_bytes,
    origin: order.origin === '' ? undefined : order.origin,
    documents: documents.length === 0 ? undefined : new Map(documents),
    proofNonce: () => shared().proofNonce,
    // Whoever may read checkpoints and tiles may read the files that they are.
    openLog: new OpenLog({ logs: new TiledLogs(NODE_FILES, order.ledger), clock }),
    limits: httpShare(order.workers),
  })
  return { server, tls }
}

/** A worker of another version than the writer, as after an upgrade of the files under it, serves nothing. */
function checkProtocol({ protocol }: ServeOrder): void {
  if (protocol !== PROTOCOL)
    throw new Fault('internal.bug', {
      error: `the writer speaks protocol ${protocol}, this worker ${PROTOCOL}`,
    })
}

/** What may stand as `iss` in a token: those of the configuration, and ourselves. */
function issuersOf({ identity: { issuers, issuer } }: Config): ReadonlySet<string> {
  return new Set([
    ...Object.values(issuers).map((one) => one.issuer),
    ...(issuer === undefined ? [] : [issuer]),
  ])
}

/** Refusals that even the smallest share lets through as such, so that whoever mistypes a key is told so. */
const LEAST_BURST = 2

/** All workers together write about as much as one process would: connections are handed out in turn. */
function floodShare(workers: number): FloodNumbers {
  const { block, global, key, digestsPerWindow, ...rest } = FLOOD_NUMBERS
  const share = ({ burst, perSecond }: FloodNumbers['global']): FloodNumbers['global'] => ({
    burst: Math.max(LEAST_BURST, burst / workers),
    perSecond: perSecond / workers,
  })
  return {
    ...rest,
    block: share(block),
    global: share(global),
    key: share(key),
    digestsPerWindow: Math.max(1, Math.floor(digestsPerWindow / workers)),
  }
}

function httpShare(workers: number): HttpLimits {
  const { connections, strangersPerBlock } = HTTP_LIMITS
  return {
    ...HTTP_LIMITS,
    connections: Math.floor(connections / workers),
    strangersPerBlock: Math.ceil(strangersPerBlock / workers),
  }
}

/** As JSON can carry it. */
function plain(reading: Reading): Reading {
  if (reading.kind !== 'histogram') return reading
  const series = reading.series.map(({ values, value: { counts, sum, count } }) => ({
    values,
    value: { counts: [...counts], sum, count },
  }))
  return { ...reading, series }
}
