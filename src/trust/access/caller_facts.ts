import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { Caller, Scope } from './caller.ts'
import type { CallerKind } from './key_record.ts'

const UNLIMITED: Scope = Object.freeze({ models: undefined, actions: undefined })
const DEFAULT_SPACE = 'default'

/** The owner of the home, on the admin socket. */
export const OPERATOR: Caller = systemCaller('operator')

/** A job of the door itself, or the operator. */
export function systemCaller(name: string): Caller {
  const ref = Object.freeze({ type: 'System', id: name })
  return Object.freeze({
    ref,
    entities: Object.freeze([factsOf(ref, [])]),
    space: DEFAULT_SPACE,
    scope: UNLIMITED,
    kid: undefined,
  })
}

/** Who a key proves, and all that it belongs to: worked out once, frozen, and handed to every decision. */
export function keyCaller(
  owner: {
    readonly name: string
    readonly kind: CallerKind
    readonly space: string
    readonly tenant: string
  },
  kid: string,
  scope: Scope,
): Caller {
  const ref = Object.freeze({ type: owner.kind, id: owner.name })
  const space = Object.freeze({ type: 'Space', id: owner.space })
  const tenant = Object.freeze({ type: 'Tenant', id: owner.tenant })
  return Object.freeze({
    ref,
    entities: Object.freeze([factsOf(ref, [space]), factsOf(space, [tenant]), factsOf(tenant, [])]),
    space: owner.space,
    scope,
    kid,
  })
}

function factsOf(ref: EntityRef, parents: readonly EntityRef[]): EntityFacts {
  return Object.freeze({ ref, attributes: Object.freeze({}), parents: Object.freeze(parents) })
}
