import cluster, { type Worker } from 'node:cluster'
import { createServer, Socket } from 'node:net'
import path from 'node:path'
import type { ListenAddress } from '#base/address.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { Metrics } from '#base/metrics.ts'
import type { GuardedRoute } from '#door/guarded.ts'
import type { Limiter } from '#door/limits/limiter.ts'
import type { Readiness } from '#faces/http/health.ts'
import { Fleet, type FleetParts } from '#faces/workers/fleet.ts'
import type { WorkerProcess } from '#faces/workers/fleet_worker.ts'
import { PROTOCOL, routeKey, type SharedState } from '#faces/workers/messages.ts'
import { environmentOf } from './main_worker_environment.ts'
import type { OpenHome } from './main_home.ts'
import type { OpenIdentity } from './main_identity.ts'

export interface FleetSurroundings {
  readonly home: OpenHome
  readonly identity: OpenIdentity
  readonly limiter: Limiter
  readonly clock: Clock
  readonly version: string
  readonly metrics: Metrics
  /** Those of the door. */
  readonly routes: readonly GuardedRoute[]
  readonly readiness: () => Readiness
  readonly address: ListenAddress
  readonly workers: number
  readonly note: (what: string, fields: JsonObject) => Promise<void>
}

/** The workers of a door, to be opened. Throws `config.invalid`. */
export async function makeFleet(around: FleetSurroundings): Promise<Fleet> {
  const { home, workers } = around
  checkShares(home, workers)
  const address = await fixedAddress(around.address)
  return new Fleet(fleetParts({ ...around, address }))
}

function fleetParts(around: FleetSurroundings): FleetParts {
  const { home, identity, limiter, clock, version, metrics, routes, address, workers, note } = around
  const { config, ledger, callers, policies, keys } = home
  const { otlp } = config.telemetry
  const state = (): SharedState => stateOf(around)
  return {
    workers,
    metrics,
    clock,
    note,
    state,
    bodyBytes: config.limits.body_bytes,
    version: () => {
      const issuers = identity.issuers.map((issuer) => issuer.keys.state().readAt)
      const { policies: _texts, ...rest } = state()
      return JSON.stringify([callers.version, policies.status().set, issuers, rest])
    },
    start: () => startWorker(environmentOf(config)),
    desk: {
      authenticator: identity.authenticator,
      recorder: ledger,
      limits: limiter,
      clock,
      routes: new Map(routes.map((route) => [routeKey(route), route])),
    },
    order: {
      protocol: PROTOCOL,
      version,
      workers,
      config: home.configSource,
      host: address.host,
      port: address.port,
      origin: identity.origin ?? '',
      routes: routes.map(({ handle: _handle, ...route }) => route),
      log: ledger.origin,
      ledger: path.join(home.directory, 'ledger'),
      pseudonymKey: otlp === undefined ? undefined : Buffer.from(keys.pseudonymKey).toString('base64'),
    },
  }
}

function stateOf({ home, identity, readiness }: FleetSurroundings): SharedState {
  const documents = [...(identity.documents ?? [])].map(([at, text]) => [at, text()] as const)
  return {
    policies: home.policies.inForce(),
    readiness: readiness(),
    proofNonce: identity.proofNonce(),
    documents: Object.fromEntries(documents),
  }
}

/** Any port becomes one: it has to be the same for every worker, also for one that is started when all others are gone. */
async function fixedAddress({ host, port }: ListenAddress): Promise<ListenAddress> {
  if (port !== 0) return { host, port }
  const server = createServer()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  server.once('error', reject)
  server.listen({ host, port: 0 }, () => {
    const bound = server.address()
    server.close(() => resolve(typeof bound === 'object' && bound !== null ? bound.port : 0))
  })
  return { host, port: await promise }
}

/** What one process may take on is shared out: a share that holds no longest body would refuse it for ever. */
function checkShares({ config: { limits } }: OpenHome, workers: number): void {
  if (limits.held_bytes / workers >= 2 * limits.body_bytes && limits.in_flight >= workers) return
  throw new Fault(
    'config.invalid',
    { workers },
    {
      say: `${workers} workers share limits.held_bytes and limits.in_flight: held_bytes must be at least ${workers} times twice body_bytes, and in_flight at least ${workers}.`,
    },
  )
}

/**
 * A process of its own, of the same program. The listening socket stays with this one, which hands connections out in turn
 * (SO_REUSEPORT would lose those that wait for a worker that ends, and let others of this user take part of them). Two pipes
 * carry the channel: what a worker wrote before its end can be read after it.
 */
function startWorker(environment: Readonly<Record<string, undefined>>): WorkerProcess {
  cluster.schedulingPolicy = cluster.SCHED_RR
  cluster.setupPrimary({
    exec: path.join(import.meta.dirname, 'main_worker.ts'),
    args: [],
    stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'pipe', 'ipc'],
  })
  const worker = cluster.fork(environment)
  const { process: child } = worker
  closeHandedAtEnd(child)
  const exited = Promise.withResolvers<string>()
  child.once('exit', (status, signal) => {
    // With a connection on its way it would stay in the turn for ever.
    worker.disconnect()
    exited.resolve(signal ?? `status ${status ?? 0}`)
  })
  // What cannot be started has no pid, and ends at once. What was sent to one that is gone is an error too, of which its end
  // tells; nobody would be left to take either.
  worker.on('error', () => {
    if (child.pid === undefined) exited.resolve('not started')
  })
  const [, , , input, output] = child.stdio
  if (!(input instanceof Socket && output instanceof Socket)) throw new TypeError('a worker has two pipes')
  return {
    pid: child.pid ?? 0,
    input,
    output,
    kill: () => void child.kill('SIGKILL'),
    exited: exited.promise,
  }
}

/** A connection that is on its way to a worker. */
interface Handed {
  close(): void
}

/**
 * Closes the connection that is on its way to a worker when that worker ends. `node:cluster` sends a worker one at a time,
 * waits for it to say that it has it, and forgets it where nothing is said any more: its client would wait for ever.
 */
function closeHandedAtEnd(child: Worker['process']): void {
  let handed: Handed | undefined
  const send = child.send.bind(child)
  Object.assign(child, {
    send: (...words: Parameters<typeof send>): boolean => {
      if (isHanded(words[1])) handed = words[1]
      return send(...words)
    },
  })
  // One that the worker has is closed here already; to close it again does nothing.
  child.once('exit', () => handed?.close())
}

function isHanded(word: unknown): word is Handed {
  return typeof word === 'object' && word !== null && 'close' in word && typeof word.close === 'function'
}
