import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { Assurance, Caller, Scope } from './caller.ts'
import type { CallerKind } from './key_record.ts'

const UNLIMITED: Scope = Object.freeze({ models: undefined, actions: undefined })
const DEFAULT_SPACE = 'default'

const NOTHING = Object.freeze({})
/** What is known of who comes with a key and nothing else. */
export const KEY_ALONE = Object.freeze({ assurance: assuranceBy('key'), evidence: NOTHING })
const BY_SOCKET = assuranceBy('socket')
const BY_SYSTEM = assuranceBy('system')

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
    assurance: name === 'operator' ? BY_SOCKET : BY_SYSTEM,
    evidence: NOTHING,
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
    ...KEY_ALONE,
  })
}

function factsOf(ref: EntityRef, parents: readonly EntityRef[]): EntityFacts {
  return Object.freeze({ ref, attributes: Object.freeze({}), parents: Object.freeze(parents) })
}

/** Nothing but the credential itself is known. */
function assuranceBy(via: Assurance['via']): Assurance {
  return Object.freeze({
    aal: 1,
    via,
    binding: 'none',
    amr: Object.freeze([]),
    acr: undefined,
    authTime: undefined,
  })
}
