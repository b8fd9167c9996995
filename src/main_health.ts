import type { Clock } from '#base/clock.ts'
import type { DoorParts } from '#door/door.ts'
import type { Readiness } from '#faces/http/health.ts'
import { describeRule } from '#faces/http/listener.ts'
import type { RunningServer } from '#faces/http/server.ts'
import type { Fleet } from '#faces/workers/fleet.ts'
import type { HealthAnswer } from '#rooms/admin/answers.ts'
import { policyState } from '#rooms/admin/policy_routes.ts'
import { furthest, type Holding } from '#trust/ledger/held_outside.ts'
import type { OpenHome } from './main_home.ts'
import { issuerRows, type OpenIdentity } from './main_identity.ts'
import type { OpenOutside } from './main_outside.ts'

interface Running {
  readonly home: OpenHome
  readonly identity: Pick<OpenIdentity, 'issuers'>
  readonly around: { readonly clock: Clock }
  readonly door: Pick<DoorParts, 'meter'>
  readonly listeners: readonly { readonly name: string; readonly server: RunningServer }[]
  /** Of the clock that never goes back. */
  readonly startedAt: number
  readonly fleet: Pick<Fleet, 'rows' | 'inFlight'> | undefined
  readonly outside: Pick<OpenOutside, 'held' | 'read' | 'problems'>
}

/** Whether the door can decide and record, for `/readyz`: reasons are codes, never internals. */
export function readiness({
  home,
  identity,
  fleet,
  outside,
}: Pick<Running, 'home' | 'identity' | 'fleet' | 'outside'>): Readiness {
  const { ledger, policies, problems } = home
  const { issuers } = identity
  const record = ledger.state()
  const isWritable = record.writable.kind === 'yes'
  const state = policyState(policies.status())
  const reasons: string[] = []
  if (!isWritable) reasons.push('ledger.unwritable')
  if (record.problems.length + problems.length + outside.problems.length > 0) reasons.push('ledger.degraded')
  if (state === 'none') reasons.push('policy.unavailable')
  if (state === 'degraded') reasons.push('policy.degraded')
  if (issuers.some(({ keys }) => keys.state().problems.length > 0)) reasons.push('issuer.degraded')
  const workers = fleet?.rows() ?? []
  const serving = workers.filter((row) => row.state === 'serving').length
  if (serving < workers.length) reasons.push('workers.missing')
  return { isReady: isWritable && state !== 'none' && (workers.length === 0 || serving > 0), reasons }
}

/** The states of a running door, for an operator. */
export function healthOf(running: Running): HealthAnswer {
  const { home, identity, around, door, listeners, startedAt, fleet, outside } = running
  const ledger = home.ledger.state()
  const policy = home.policies.status()
  return {
    state: readiness(running).reasons.length === 0 ? 'ready' : 'degraded',
    uptime_s: Math.floor((around.clock.monotonic() - startedAt) / 1_000),
    in_flight: door.meter.inFlight + (fleet?.inFlight ?? 0),
    ledger: {
      state: ledger.writable.kind === 'yes' ? 'writable' : 'unwritable',
      reason: ledger.writable.kind === 'yes' ? null : ledger.writable.reason,
      entries: ledger.entries,
      unanchored: ledger.entries - (furthest(heldBy(outside))?.entries ?? 0),
      outside: outside.read(),
      days_left: ledger.daysLeft ?? null,
      unknown_outcomes: home.sweep.unknown,
      problems: [...ledger.problems, ...home.problems, ...outside.problems],
    },
    policy: { state: policyState(policy), set: policy.set ?? null, problems: policy.problems.length },
    listeners: listeners.map(({ name, server }) => ({
      name,
      address: server.address,
      rule: describeRule(server.rule),
    })),
    issuers: [...issuerRows(identity.issuers)],
    workers: (fleet?.rows() ?? []).map(({ number, state, pid, restarts, inFlight }) => ({
      number,
      state,
      pid,
      restarts,
      in_flight: inFlight,
    })),
  }
}

function heldBy(outside: Running['outside']): readonly (Holding | undefined)[] {
  const { witnessed, anchored } = outside.held()
  return [witnessed, anchored]
}
