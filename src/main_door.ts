import path from 'node:path'
import type { ListenAddress } from '#base/address.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Metrics } from '#base/metrics.ts'
import { privateSocket } from '#base/private_socket.ts'
import type { DoorParts } from '#door/door.ts'
import { FloodGuard, GUARD_TICK_MS } from '#door/flood_guard.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import { Inspector } from '#door/inspector.ts'
import { Meter } from '#door/meter.ts'
import { RequestMetrics } from '#door/request_metrics.ts'
import type { HealthAnswer } from '#rooms/admin/answers.ts'
import type { Catalogue } from '#rooms/models/catalogue.ts'
import { OpenLog } from '#rooms/log/open_log.ts'
import type { HeldOutside } from '#trust/ledger/held_outside.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { describeRule, type ListenerName } from '#faces/http/listener.ts'
import type { ListenAt } from '#faces/http/listening.ts'
import { openMetricsServer } from '#faces/http/metrics_server.ts'
import { openServer, type RunningServer, type ServerParts } from '#faces/http/server.ts'
import type { ListenerTls, TlsPair } from '#faces/http/tls.ts'
import type { Fleet } from '#faces/workers/fleet.ts'
import { showConfig } from './config.ts'
import { callInProcess, type CallInProcess } from './main_call.ts'
import { makeFleet } from './main_fleet.ts'
import { healthOf, readiness } from './main_health.ts'
import { inspectorParts } from './main_inspection.ts'
import type { OpenHome } from './main_home.ts'
import { openIdentity, type OpenIdentity } from './main_identity.ts'
import { dropCounter, listenerAsk, metricsToken, openTls } from './main_listeners.ts'
import { openLimits, type OpenLimits } from './main_limits.ts'
import { openOutside, type OpenOutside } from './main_outside.ts'
import { openCatalogue } from './main_models.ts'
import { allRoutes } from './main_routes.ts'
import { openTelemetry, type OpenTelemetry } from './main_telemetry.ts'

export interface ListenerAddresses {
  readonly door: ListenAddress
  readonly admin: ListenAddress
  readonly metrics: ListenAddress
}

/** Where a door listens, and with how many processes of its own; one is this process. */
export interface Listeners {
  readonly addresses: ListenerAddresses
  readonly workers: number
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
  readonly call: CallInProcess
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
  listens: Listeners | undefined,
): Promise<OpenDoor> {
  const limits = await openLimits(home, around.clock)
  const outside = await openOutside(home, around)
  const assembly = assemble(home, around, { limits, outside }, listens?.workers ?? 1)
  if (listens !== undefined) assembly.identity.start()
  const { listeners, tls } = listens === undefined ? NO_LISTENERS : await listen(assembly, listens)
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
    await outside.close()
    await assembly.telemetry.close()
    await home.close()
  }
  assembly.listeners.push(...listeners)
  if (listens !== undefined) outside.start()
  return { listeners, call: callInProcess(routesOf(assembly, 'admin')), close }
}

const NO_LISTENERS = { listeners: [], tls: undefined } as const

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
  readonly limits: OpenLimits
  readonly outside: OpenOutside
  readonly logs: TiledLogs
  readonly hasWorkers: boolean
  /** Set when they are started. */
  fleet: Fleet | undefined
  readonly startedAt: number
}

function assemble(
  home: OpenHome,
  around: DoorSurroundings,
  { limits, outside }: Pick<Assembly, 'limits' | 'outside'>,
  workers: number,
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
    limits: limits.limiter,
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
    limits,
    outside,
    logs: new TiledLogs(NODE_FILES, path.join(home.directory, 'ledger')),
    hasWorkers: workers > 1,
    fleet: undefined,
    listeners: [],
    startedAt: clock.monotonic(),
  }
}

async function listen(
  assembly: Assembly,
  { addresses, workers }: Listeners,
): Promise<{ readonly listeners: readonly OpenListener[]; readonly tls: TlsPair | undefined }> {
  const { home, around } = assembly
  const configured = { config: home.config, folder: home.configFolder, env: around.env }
  const token = metricsToken(configured)
  const tls = openTls(configured, (result) => void note(assembly, `tls:${result}`, {}).catch(() => undefined))
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
    if (workers === 1) await keep('door', openFace(assembly, 'door', ask('door'), tls?.asking))
    else await keep('door', openWorkers(assembly, addresses.door, workers))
    await keep('admin', openFace(assembly, 'admin', ask('admin'), tls))
    const at = ask('metrics')
    const onDrop = dropCounter(assembly)
    const parts = { at, tls, token, onDrop, clock: around.clock, newId: newEntryId }
    const expose = (): string | Promise<string> => assembly.fleet?.expose() ?? assembly.metrics.expose()
    await keep('metrics', openMetricsServer({ ...parts, expose, readiness: () => readiness(assembly) }))
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
    readiness: () => readiness(assembly),
    bodyBytes: home.config.limits.body_bytes,
    ...(listener === 'door' ? openToAll(assembly) : {}),
  })
}

/** Workers in the place of this process; they have what it has once the answer to a change leaves. */
async function openWorkers(
  assembly: Assembly,
  address: ListenAddress,
  workers: number,
): Promise<RunningServer> {
  const { home, identity, limits, around, metrics } = assembly
  const fleet = await makeFleet({
    home,
    identity,
    limiter: limits.limiter,
    clock: around.clock,
    version: around.version,
    metrics,
    routes: routesOf(assembly, 'door'),
    readiness: () => readiness(assembly),
    address,
    workers,
    note: async (what, fields) => note(assembly, what, fields),
  })
  // From now on changes are for them too, also while they start.
  assembly.fleet = fleet
  return { ...(await fleet.open()), close: async () => fleet.close() }
}

/** What callers of the door need to come with tokens of ours, and with proofs, and what all may read of the log. */
function openToAll({ identity, logs, around: { clock } }: Assembly): Partial<ServerParts> {
  const { origin, documents, proofNonce } = identity
  return { origin, documents, proofNonce, openLog: new OpenLog({ logs, clock }) }
}

function routesOf(assembly: Assembly, listener: 'door' | 'admin'): readonly GuardedRoute[] {
  const { home, around, door, catalogue, logs } = assembly
  const { route: exchange } = assembly.identity
  const health = (): HealthAnswer => healthOf(assembly)
  const limits = assembly.limits.read
  const held = (): HeldOutside => assembly.outside.held()
  const { clock } = around
  const routes = allRoutes({ home, door, clock, catalogue, exchange, limits, health, held, logs })
  const here = routes.filter((route) => route.listener === listener)
  return assembly.hasWorkers ? here.map((route) => caughtUp(assembly, route)) : here
}

/** Nobody reads that something was changed before every worker has it. */
function caughtUp(assembly: Assembly, route: GuardedRoute): GuardedRoute {
  const handle: GuardedRoute['handle'] = async (incoming) => {
    const outcome = await route.handle(incoming)
    await assembly.fleet?.caughtUp()
    return outcome
  }
  return { ...route, handle }
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
