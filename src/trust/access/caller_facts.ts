import type { EntityFacts, EntityRef } from '#base/decider.ts'
import type { Assurance, Caller, Scope } from './caller.ts'
import type { LimitTerms } from './limit_terms.ts'
import type { CallerFacts } from './directory.ts'

export const UNLIMITED: Scope = Object.freeze({ models: undefined, actions: undefined })
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

/** Who a key proves: frozen, and handed to every decision. */
export function keyCaller(
  { ref, entities, space }: CallerFacts,
  kid: string,
  scope: Scope,
  terms: LimitTerms | undefined,
): Caller {
  return Object.freeze({
    ref,
    entities,
    space,
    scope,
    kid,
    limitedBy: Object.freeze([{ kid, terms }]),
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
