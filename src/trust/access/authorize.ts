import type { Decider, Decision, EntityFacts, EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { Caller } from './caller.ts'
import { contextOf } from './question_context.ts'

/** What is asked of policy. The same value serves the first decision and the second, which adds findings. */
export interface Ask {
  readonly caller: Caller
  readonly action: string
  readonly target: AskTarget
  /** Names of what inspection found; empty before inspection. */
  readonly findings: readonly string[]
}

/** What is asked about. */
export interface AskTarget {
  readonly ref: EntityRef
  readonly entities: readonly EntityFacts[]
  /** What else it may lead to, as a pool leads to its members: each is a question of its own. */
  readonly via?: readonly AskTarget[]
}

/** Where the policy set in force is kept. `current` throws `policy.unavailable` when there is none. */
export interface Policies {
  current(): Decider
}

const MINT = Symbol('only authorize() makes a permit')

/** Leave for one act. Only `authorize` makes one; `Permit.is` tells a real one from a cast. */
export class Permit {
  readonly #ask: Ask
  readonly #decision: Decision

  constructor(mint: symbol, ask: Ask, decision: Decision) {
    if (mint !== MINT) throw new TypeError('only authorize() makes a permit')
    this.#ask = ask
    this.#decision = decision
  }

  static is(value: unknown): value is Permit {
    return typeof value === 'object' && value !== null && #ask in value
  }

  get action(): string {
    return this.#ask.action
  }

  get resource(): EntityRef {
    return this.#ask.target.ref
  }

  get decision(): Decision {
    return this.#decision
  }

  /** The question that a permit answers, about another target. Throws TypeError for what is no permit. */
  static askAbout(permit: Permit, target: AskTarget): Ask {
    return { ...permit.#ask, target }
  }
}

/**
 * Asks the policy set in force. Default deny, forbid wins; the scope of the caller's key can only narrow.
 *
 * Throws `action.denied` with `policies`, `errors`, `set` and `reason` for the ledger, or `policy.unavailable`.
 */
export function authorize(policies: Policies, ask: Ask): Permit {
  const decision = allowed(policies, ask)
  const narrowed = outsideScope(ask)
  if (narrowed !== undefined) throw denied(decision, narrowed)
  return new Permit(MINT, ask, decision)
}

/**
 * Asks whether what is permitted may also go by way of another target, as by a member of a pool: the same caller, action
 * and findings. The scope of the key was about the name that the caller asked for, and holds already; policy is asked in
 * full. Throws as `authorize` does.
 */
export function authorizeVia(policies: Policies, permit: Permit, target: AskTarget): Permit {
  const ask = Permit.askAbout(permit, target)
  return new Permit(MINT, ask, allowed(policies, ask))
}

/**
 * Whether policy permits it, also by way of all that the target may lead to, for a question that nothing is refused by.
 * Throws `policy.unavailable`.
 */
export function isPermitted(policies: Policies, ask: Ask): boolean {
  const permit = permitOf(() => authorize(policies, ask))
  return (
    permit !== undefined &&
    (ask.target.via ?? []).every((target) => permitOf(() => authorizeVia(policies, permit, target)))
  )
}

/** The permit that is asked for; undefined where policy denies it. Throws all else that asking throws. */
export function permitOf(ask: () => Permit): Permit | undefined {
  try {
    return ask()
  } catch (thrown) {
    if (thrown instanceof Fault && thrown.code === 'action.denied') return undefined
    throw thrown
  }
}

/** Throws `internal.bug` unless the permit is real and was given for this action on this resource. */
export function checkPermit(permit: Permit, action: string, resource: EntityRef): void {
  const matches = Permit.is(permit) && permit.action === action && isSame(permit.resource, resource)
  if (!matches) throw new Fault('internal.bug', { error: 'an act was tried without its permit' })
}

function allowed(policies: Policies, ask: Ask): Decision {
  const decision = policies.current().decide({
    principal: ask.caller.ref,
    action: { type: 'Action', id: ask.action },
    resource: ask.target.ref,
    context: contextOf(ask.caller, ask.findings),
    entities: [ask.caller.entities, ask.target.entities],
  })
  if (decision.effect !== 'allow')
    throw denied(decision, decision.policies.length > 0 ? 'policy.forbids' : 'policy.silent')
  return decision
}

function isSame(left: EntityRef, right: EntityRef): boolean {
  return left.type === right.type && left.id === right.id
}

function outsideScope(ask: Ask): 'scope.model' | 'scope.action' | undefined {
  const { scope } = ask.caller
  if (scope.actions !== undefined && !scope.actions.includes(ask.action)) return 'scope.action'
  const isModel = ask.target.ref.type === 'Model'
  if (isModel && scope.models !== undefined && !scope.models.includes(ask.target.ref.id)) return 'scope.model'
  return undefined
}

function denied(decision: Decision, reason: string): Fault {
  return new Fault('action.denied', {
    reason,
    policies: [...decision.policies],
    errors: [...decision.errors],
    set: decision.set,
    // Hashing the facts takes longer than deciding on them, so it waits until the refusal is recorded.
    get entities() {
      return decision.entities
    },
  })
}
