import { LIMITS } from '#base/limits.ts'
import type { Scope } from '../caller.ts'
import type { Directory } from '../directory.ts'
import type { LimitTerms } from '../limit_terms.ts'
import type { Identity, Issuer } from '../tokens/issuer.ts'
import type { KeySource } from '../tokens/key_source.ts'
import type { Unproven } from '../unproven.ts'
import { fromClaims, type IssuedFacts } from './issued_claims.ts'

/** What our own issuer is called where issuers have short names. */
export const OWN_ISSUER = 'gatehouse'

export interface OwnIssuerParts {
  /** Exactly what stands as `iss`. */
  readonly issuer: string
  /** Those of which tokens are taken. */
  readonly audiences: ReadonlySet<string>
  readonly keys: KeySource
  /** Why a key does not hold any more, or not from this address; undefined while it does. */
  readonly keyObjection: (kid: string, address: string | undefined) => Unproven | undefined
  /** The limits of a key. */
  readonly limitsOf: (kid: string) => LimitTerms | undefined
  readonly directory: Pick<Directory, 'find'>
}

/** Ourselves as an issuer, for the verifier that checks the tokens of all. */
export function ownIssuer(parts: OwnIssuerParts): Issuer {
  const { issuer, audiences, keys, keyObjection, limitsOf, directory } = parts
  const objectionTo = (facts: IssuedFacts, address: string | undefined): Unproven | undefined => {
    const { subject, records, kids, actors } = facts
    // Another one may have the name by now, or nobody.
    for (const [name, record] of Object.entries(records))
      if (directory.find(name)?.id !== record)
        return name !== subject.name
          ? 'actor.unknown'
          : subject.kind === 'User'
            ? 'user.unknown'
            : 'service.unknown'
    for (const kid of kids) {
      const reason = keyObjection(kid, address)
      if (reason !== undefined) return reason
    }
    const isDisabled = (name: string): boolean => directory.find(name)?.disabledAt !== undefined
    return actors.some(isDisabled) ? 'caller.disabled' : undefined
  }
  return {
    name: OWN_ISSUER,
    issuer,
    audiences,
    clients: undefined,
    maxLifetimeMs: LIMITS.issuedTokenSeconds * 1_000,
    algorithms: new Set(['ES256']),
    types: new Set(['at+jwt']),
    keys,
    // Its first issuer let the user in, or there would be no token; whom the directory knew then it has to know still.
    unknownUsers: 'allow',
    via: 'exchange',
    identify: (claims): Identity => {
      const facts = fromClaims(claims)
      return {
        ...facts.subject,
        assurance: { ...facts.assurance, actors: facts.actors },
        evidence: { client: facts.client, ...(facts.actors.length > 0 ? { actors: facts.actors } : {}) },
        scope: facts.audience === issuer ? narrowed(facts) : facts.scope,
        limitedBy: facts.kids.map((kid) => ({ kid, terms: limitsOf(kid) })),
        objection: (address) => objectionTo(facts, address),
      }
    },
  }
}

/** In a token for this door a scope of OAuth is the name of an action, also where the token comes to be exchanged. */
function narrowed({ scope, scopes }: IssuedFacts): Scope {
  const { models, actions } = scope
  if (scopes === undefined) return scope
  const both = actions === undefined ? scopes : scopes.filter((one) => actions.includes(one))
  return Object.freeze({ models, actions: Object.freeze(both) })
}
