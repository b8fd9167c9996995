import { printRef, type Decider, type Decision, type EntityFacts, type EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { Caller } from './caller.ts'

/** What is asked of policy. The same value serves the first decision and the second, which adds findings. */
export interface Ask {
  readonly caller: Caller
  readonly action: string
  readonly target: { readonly ref: EntityRef; readonly entities: readonly EntityFacts[] }
  /** Names of what inspection found; empty before inspection. */
  readonly findings: readonly string[]
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
}

/**
 * Asks the policy set in force. Default deny, forbid wins; the scope of the caller's key can only narrow.
 *
 * Throws `action.denied` with `policies`, `errors`, `set` and `reason` for the ledger, or `policy.unavailable`.
 */
export function authorize(policies: Policies, ask: Ask): Permit {
  const decision = policies.current().decide({
    principal: ask.caller.ref,
    action: { type: 'Action', id: ask.action },
    resource: ask.target.ref,
    context: { findings: [...ask.findings], via_key: ask.caller.kid !== undefined },
    entities: [ask.caller.entities, ask.target.entities],
  })
  if (decision.effect !== 'allow')
    throw denied(decision, decision.policies.length > 0 ? 'policy.forbids' : 'policy.silent')
  const narrowed = outsideScope(ask)
  if (narrowed !== undefined) throw denied(decision, narrowed)
  return new Permit(MINT, ask, decision)
}

/** Throws `internal.bug` unless the permit is real and was given for this action on this resource. */
export function checkPermit(permit: Permit, action: string, resource: EntityRef): void {
  const matches =
    Permit.is(permit) && permit.action === action && printRef(permit.resource) === printRef(resource)
  if (!matches) throw new Fault('internal.bug', { error: 'an act was tried without its permit' })
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
