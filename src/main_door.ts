import path from 'node:path'
import type { ListenAddress } from '#base/address.ts'
import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Metrics } from '#base/metrics.ts'
import { privateSocket } from '#base/private_socket.ts'
import { watchFiles } from '#base/watch_files.ts'
import type { InspectionAction } from '#door/detector.ts'
import { DETECTORS } from '#door/detectors/all.ts'
import type { DoorParts } from '#door/door.ts'
import { FloodGuard } from '#door/flood_guard.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import { actionsOf, type RuleActions } from '#door/inspection_actions.ts'
import { Inspector, type Direction, type InspectorParts } from '#door/inspector.ts'
import { Meter } from '#door/meter.ts'
import { RequestMetrics } from '#door/request_metrics.ts'
import type { HealthAnswer } from '#rooms/admin/answers.ts'
import type { Catalogue } from '#rooms/models/catalogue.ts'
import type { Replied } from '#faces/cli/world.ts'
import type { ConnectionsParts } from '#faces/http/connections.ts'
import { describeRule, type ListenerName } from '#faces/http/listener.ts'
import type { ListenAt } from '#faces/http/listening.ts'
import { openMetricsServer } from '#faces/http/metrics_server.ts'
import { replyOf } from '#faces/http/reply.ts'
import { RouteTable } from '#faces/http/route_table.ts'
import { openServer, type RunningServer, type ServerParts } from '#faces/http/server.ts'
import type { ListenerTls, TlsPair } from '#faces/http/tls.ts'
import { showConfig, type Config } from './config.ts'
import { healthOf, readiness } from './main_health.ts'
import type { OpenHome } from './main_home.ts'
import { openIdentity, type OpenIdentity } from './main_identity.ts'
import { listenerAsk, metricsToken, openTls } from './main_listeners.ts'
import { openLimits, type OpenLimits } from './main_limits.ts'
import { openCatalogue } from './main_models.ts'
import { allRoutes } from './main_routes.ts'
import { openTelemetry, type OpenTelemetry } from './main_telemetry.ts'

/** Digests of a flood are looked after this often; their window is ten seconds. */
const GUARD_TICK_MS = 1_000
/** A certificate and its key are two files: they are read when both have been left alone this long. */
const TLS_QUIET_MS = 500

export interface ListenerAddresses {
  readonly door: ListenAddress
  readonly admin: ListenAddress
  readonly metrics: ListenAddress
}

/** A listener that is open. */
export interface OpenListener {
  readonly name: string
  readonly server: RunningServer
  readonly url: string
}

export interface OpenDoor {
  readonly listeners: readonly OpenListener[]
  /** Sends one request to the admin routes as the owner of the home, without a socket in between. */
  call(method: 'GET' | 'POST', target: string, body: JsonObject | undefined): Promise<Replied>
  /** Stops listening, lets requests end, records that it stopped, and closes the home. */
  close(): Promise<void>
}

export interface DoorSurroundings {
  readonly clock: Clock
  readonly env: Readonly<Record<string, string | undefined>>
  readonly residentBytes: () => number
  readonly version: string
}

/** Joins the parts of an open home into a door; with addresses it listens there, always on the socket of the home. */
export async function openDoor(
  home: OpenHome,
  around: DoorSurroundings,
  addresses: ListenerAddresses | undefined,
): Promise<OpenDoor> {
  const limits = await openLimits(home, around.clock)
  const assembly = assemble(home, around, limits)
  if (addresses !== undefined) assembly.identity.start()
  const { listeners, tls } = addresses === undefined ? NO_LISTENERS : await listen(assembly, addresses)
  const tick = setInterval(() => assembly.guard.tick(), GUARD_TICK_MS)
  tick.unref()
  const stopWatching = home.config.policies.watch ? watchPolicies(assembly) : undefined
  await note(assembly, 'door:start', {
    config: sha256Hex(canonicalJson(showConfig(home.config))),
    listeners: listeners.map(({ name, server }) => `${name}: ${describeRule(server.rule)}`),
  })
  const close = async (): Promise<void> => {
    clearInterval(tick)
    stopWatching?.()
    await Promise.all(listeners.map(async ({ server }) => server.close()))
    tls?.close()
    await assembly.catalogue.close()
    assembly.identity.close()
    assembly.guard.flush()
    await limits.close()
    await note(assembly, 'door:stop', {}).catch(() => undefined)
    await assembly.telemetry.close()
    await home.close()
  }
  assembly.listeners.push(...listeners)
  return { listeners, call: callInProcess(assembly), close }
}

const NO_LISTENERS = { listeners: [], tls: undefined } as const

function callInProcess(assembly: Assembly): OpenDoor['call'] {
  const table = new RouteTable(routesOf(assembly, 'admin'))
  return async (method, target, body) => {
    const { route, params, query } = table.find(method, target, 'localhost')
    const id = newEntryId()
    const bytes = body === undefined ? new Uint8Array(0) : utf8(JSON.stringify(body))
    const outcome = await route.handle({
      id,
      credential: { kind: 'socket' },
      address: 'socket',
      params,
      query,
      body: async () => Promise.resolve(bytes),
      onAbort: () => undefined,
      // Its reply is a value in this process, and nobody's to read slowly.
      onEnd: (listener) => listener(),
    })
    if (outcome.kind === 'stream') throw new Fault('internal.bug', { error: 'no admin route streams' })
    const { status, body: text } = replyOf(outcome, { id, envelope: route.envelope, media: route.media })
    const answer: JsonValue = text === '' ? null : JSON.parse(text)
    return { status, body: answer }
  }
}

/** Everything of a running door in one place, for the functions of this file only. */
interface Assembly {
  readonly home: OpenHome
  readonly identity: OpenIdentity
  readonly around: DoorSurroundings
  readonly door: DoorParts
  readonly guard: FloodGuard
  readonly metrics: Metrics
  readonly requests: RequestMetrics
  readonly listeners: OpenListener[]
  readonly catalogue: Catalogue
  readonly telemetry: OpenTelemetry
  readonly readLimits: OpenLimits['read']
  readonly startedAt: number
}

function assemble(
  home: OpenHome,
  around: DoorSurroundings,
  { limiter, read: readLimits }: OpenLimits,
): Assembly {
  const { clock } = around
  const { config, ledger, policies, metrics } = home
  const identity = openIdentity(home, { clock, metrics })
  const requests = new RequestMetrics(metrics)
  const telemetry = openTelemetry(home, around)
  const counted = (code: string): void => requests.digested(code)
  const guard = new FloodGuard({ clock, recorder: ledger, newId: newEntryId, counted })
  const door: DoorParts = {
    clock,
    authenticator: identity.authenticator,
    policies,
    meter: new Meter({
      places: config.limits.in_flight,
      reservedPlaces: LIMITS.reservedInFlight,
      bytes: config.limits.held_bytes,
      reservedBytes: LIMITS.reservedHeldBytes,
    }),
    limits: limiter,
    inspector: new Inspector(inspectorParts(config.inspection)),
    recorder: ledger,
    guard,
    observe: (observation) => requests.observe(observation),
    tracer: telemetry.tracer,
  }
  metrics.gaugeFrom(
    { name: 'gatehouse_ledger_entries', help: 'Entries on disk in the log in use.' },
    () => ledger.size,
  )
  metrics.gaugeFrom(
    { name: 'gatehouse_ledger_problems', help: 'What needs an operator although the ledger records.' },
    () => ledger.state().problems.length + home.problems.length,
  )
  metrics.gaugeFrom(
    { name: 'process_start_time_seconds', help: 'When counting began, in seconds since 1970.' },
    () => metrics.since / 1_000,
  )
  metrics.gaugeFrom(
    { name: 'process_resident_memory_bytes', help: 'Resident memory of this process.' },
    around.residentBytes,
  )
  const catalogue = openCatalogue(home, { clock, env: around.env, metrics })
  return {
    home,
    around,
    door,
    guard,
    metrics,
    requests,
    identity,
    catalogue,
    telemetry,
    readLimits,
    listeners: [],
    startedAt: clock.monotonic(),
  }
}

async function listen(
  assembly: Assembly,
  addresses: ListenerAddresses,
): Promise<{ readonly listeners: readonly OpenListener[]; readonly tls: TlsPair | undefined }> {
  const { home, around, identity } = assembly
  const configured = { config: home.config, folder: home.configFolder, env: around.env }
  const token = metricsToken(configured)
  const tls = openTls(configured, {
    watch: (files, onChange) => watchFiles(files, TLS_QUIET_MS, onChange, () => undefined),
    onReload: (result) => void note(assembly, `tls:${result}`, {}).catch(() => undefined),
  })
  const opened: OpenListener[] = []
  const keep = async (name: string, opening: Promise<RunningServer>): Promise<void> => {
    const server = await opening
    const scheme = tls === undefined ? 'http' : 'https'
    opened.push({ name, server, url: server.port === 0 ? server.address : `${scheme}://${server.address}` })
  }
  const ask = (name: ListenerName): ListenAt => ({
    kind: 'tcp',
    address: addresses[name],
    ask: listenerAsk(home.config, name),
  })
  try {
    const socket = path.join(home.directory, 'admin.sock')
    await keep(
      'socket',
      openFace(assembly, 'admin', { kind: 'socket', path: socket, socket: privateSocket(socket) }, undefined),
    )
    await keep('door', openFace(assembly, 'door', ask('door'), tls?.asking))
    await keep('admin', openFace(assembly, 'admin', ask('admin'), tls))
    const at = ask('metrics')
    const onDrop = dropCounter(assembly)
    const parts = {
      at,
      tls,
      token,
      metrics: assembly.metrics,
      onDrop,
      clock: around.clock,
      newId: newEntryId,
    }
    await keep('metrics', openMetricsServer({ ...parts, readiness: () => readiness(home, identity) }))
  } catch (thrown) {
    await Promise.all(opened.map(async ({ server }) => server.close()))
    tls?.close()
    throw thrown
  }
  return { listeners: opened, tls }
}

async function openFace(
  assembly: Assembly,
  listener: 'door' | 'admin',
  at: ListenAt,
  tls: ListenerTls | undefined,
): Promise<RunningServer> {
  const { home, around, identity, guard, requests } = assembly
  return openServer({
    at,
    tls,
    trustedProxies: home.config.trusted_proxies,
    routes: routesOf(assembly, listener),
    guard,
    looksReal: (credential) => identity.authenticator.looksReal(credential),
    clock: around.clock,
    newId: newEntryId,
    metrics: requests,
    onDrop: dropCounter(assembly),
    readiness: () => readiness(home, identity),
    bodyBytes: home.config.limits.body_bytes,
    ...(listener === 'door' ? openToAll(identity) : {}),
  })
}

/** What callers of the door need to come with tokens of ours, and with proofs. */
function openToAll({ origin, documents, proofNonce }: OpenIdentity): Partial<ServerParts> {
  return { origin, documents, proofNonce }
}

function dropCounter({ guard, requests }: Assembly): ConnectionsParts['onDrop'] {
  return (peer, reason) => {
    guard.dropped(peer)
    requests.dropped(reason)
  }
}

function routesOf(assembly: Assembly, listener: 'door' | 'admin'): readonly GuardedRoute[] {
  const { home, around, door, catalogue } = assembly
  const { route: exchange } = assembly.identity
  const health = (): HealthAnswer => healthOf(assembly)
  const limits = assembly.readLimits
  const routes = allRoutes({ home, door, clock: around.clock, catalogue, exchange, limits, health })
  return routes.filter((route) => route.listener === listener)
}

/** Reads the working files again when they have changed; a set that is not good leaves the one in force. */
function watchPolicies(assembly: Assembly): () => void {
  const { policies } = assembly.home
  return policies.watch(() => {
    void applyPolicies(assembly).catch(() => undefined)
  })
}

async function applyPolicies({ home, around }: Assembly): Promise<void> {
  const candidate = await home.policies.prepare()
  if (candidate.set === candidate.before) return
  await recordPolicyChange(home, around.clock, candidate)
  await home.policies.swap(candidate)
}

/** The change of a policy set is on record before the set is in force. */
export async function recordPolicyChange(
  home: Pick<OpenHome, 'ledger'>,
  clock: Clock,
  candidate: {
    readonly before: string | undefined
    readonly set: string
    readonly files: readonly unknown[]
  },
): Promise<void> {
  const fields = {
    what: 'policy:change',
    before: candidate.before ?? null,
    after: candidate.set,
    files: candidate.files.length,
  }
  await home.ledger.append({ kind: 'change', id: newEntryId(), at: clock.now(), fields, reserved: true })
}

async function note(
  { home, around }: Assembly,
  what: string,
  fields: Record<string, JsonValue>,
): Promise<void> {
  await home.ledger.append({
    kind: 'note',
    id: newEntryId(),
    at: around.clock.now(),
    fields: { ...fields, what },
    reserved: true,
  })
}

function inspectorParts(inspection: Config['inspection']): InspectorParts {
  const actionsOn = (route: RouteInspection = {}): InspectorParts['actions'] => ({
    request: actionsIn(inspection, route, 'request'),
    response: actionsIn(inspection, route, 'response'),
  })
  return {
    detectors: DETECTORS,
    actions: actionsOn(),
    routes: new Map(Object.entries(inspection.routes).map(([name, route]) => [name, actionsOn(route)])),
    encoded: inspection.long_encoded_runs,
  }
}

type RouteInspection = NonNullable<Config['inspection']['routes']['chat']>

/** What a route says of a group counts before what is said of all. */
function actionsIn(all: Config['inspection'], route: RouteInspection, direction: Direction): RuleActions {
  const action = (group: 'credentials' | 'hidden' | 'personal'): InspectionAction =>
    route[group]?.[direction] ?? all[group][direction]
  return actionsOf({
    credential: action('credentials'),
    hidden: action('hidden'),
    personal: action('personal'),
  })
}
