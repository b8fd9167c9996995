import type { Clock } from '#base/clock.ts'
import type { DoorParts } from '#door/door.ts'
import { describeRule } from '#faces/http/listener.ts'
import type { RunningServer } from '#faces/http/server.ts'
import type { HealthAnswer } from '#rooms/admin/answers.ts'
import { policyState } from '#rooms/admin/policy_routes.ts'
import type { OpenHome } from './main_home.ts'
import { issuerRows, type OpenIdentity } from './main_identity.ts'

interface Running {
  readonly home: OpenHome
  readonly identity: Pick<OpenIdentity, 'issuers'>
  readonly around: { readonly clock: Clock }
  readonly door: Pick<DoorParts, 'meter'>
  readonly listeners: readonly { readonly name: string; readonly server: RunningServer }[]
  /** Of the clock that never goes back. */
  readonly startedAt: number
}

/** Whether the door can decide and record, for `/readyz`: reasons are codes, never internals. */
export function readiness(
  { ledger, policies, problems }: OpenHome,
  { issuers }: Pick<OpenIdentity, 'issuers'>,
): {
  readonly isReady: boolean
  readonly reasons: readonly string[]
} {
  const record = ledger.state()
  const isWritable = record.writable.kind === 'yes'
  const state = policyState(policies.status())
  const reasons: string[] = []
  if (!isWritable) reasons.push('ledger.unwritable')
  if (record.problems.length + problems.length > 0) reasons.push('ledger.degraded')
  if (state === 'none') reasons.push('policy.unavailable')
  if (state === 'degraded') reasons.push('policy.degraded')
  if (issuers.some(({ keys }) => keys.state().problems.length > 0)) reasons.push('issuer.degraded')
  return { isReady: isWritable && state !== 'none', reasons }
}

/** The states of a running door, for an operator. */
export function healthOf({ home, identity, around, door, listeners, startedAt }: Running): HealthAnswer {
  const ledger = home.ledger.state()
  const policy = home.policies.status()
  return {
    state: readiness(home, identity).reasons.length === 0 ? 'ready' : 'degraded',
    uptime_s: Math.floor((around.clock.monotonic() - startedAt) / 1_000),
    in_flight: door.meter.inFlight,
    ledger: {
      state: ledger.writable.kind === 'yes' ? 'writable' : 'unwritable',
      reason: ledger.writable.kind === 'yes' ? null : ledger.writable.reason,
      entries: ledger.entries,
      unanchored: ledger.unanchored,
      days_left: ledger.daysLeft ?? null,
      problems: [...ledger.problems, ...home.problems],
    },
    policy: { state: policyState(policy), set: policy.set ?? null, problems: policy.problems.length },
    listeners: listeners.map(({ name, server }) => ({
      name,
      address: server.address,
      rule: describeRule(server.rule),
    })),
    issuers: [...issuerRows(identity.issuers)],
  }
}
