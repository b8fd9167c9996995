import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Assurance, Scope } from '../caller.ts'
import type { Confirmation, Identity } from '../tokens/issuer.ts'
import { unproven } from '../unproven.ts'

/** Who acts for the subject: the first now, the others before it. */
export type Actors = readonly string[]

/** What a token of ours says. */
export interface IssuedFacts {
  readonly subject: Pick<Identity, 'kind' | 'name' | 'groups' | 'roles' | 'space' | 'tenant'>
  /** Ids of the directory's records of the subject and its actors, by name; without those whom it does not know. */
  readonly records: Readonly<Record<string, string>>
  readonly audience: string
  /** Who asked for it. */
  readonly client: string
  readonly actors: Actors
  readonly assurance: Pick<Assurance, 'aal' | 'amr' | 'acr' | 'authTime'>
  /** Names of OAuth scopes; undefined where nothing was said of any. */
  readonly scopes: readonly string[] | undefined
  /** What the keys that it was made with may be used for at most. */
  readonly scope: Scope
  /** Public ids of these keys: when one ends, the token does. */
  readonly kids: readonly string[]
  readonly confirmation: Confirmation | undefined
}

/** The private claim in which stands what no standard has a name for. */
const OWN = 'gatehouse'

/** As claims of an access token (RFC 9068 section 2.2), without those of time. */
export function toClaims(facts: IssuedFacts): JsonObject {
  const { subject, records, audience, client, actors, assurance, scopes, scope, kids, confirmation } = facts
  const { acr, amr, authTime, aal } = assurance
  return {
    sub: subject.name,
    aud: audience,
    client_id: client,
    ...given('scope', scopes?.join(' ')),
    ...given('act', chainOf(actors)),
    ...given('cnf', confirmation && confirmationClaim(confirmation)),
    ...given('acr', acr),
    ...given('amr', some(amr)),
    ...given('auth_time', authTime),
    ...given('groups', some(subject.groups)),
    ...given('roles', some(subject.roles)),
    [OWN]: {
      kind: subject.kind,
      aal,
      ...given('records', Object.keys(records).length === 0 ? undefined : records),
      ...given('space', subject.space),
      ...given('tenant', subject.tenant),
      ...given('models', scope.models),
      ...given('actions', scope.actions),
      ...given('keys', some(kids)),
    },
  }
}

/** What `toClaims` made of it. Throws `caller.unknown` with `token.claim` or `token.actors`. */
export function fromClaims(claims: JsonObject): IssuedFacts {
  const own = claims[OWN]
  const { sub, aud, client_id: client, acr, auth_time: authTime } = claims
  if (!isJsonObject(own) || typeof sub !== 'string' || typeof aud !== 'string' || typeof client !== 'string')
    throw unproven('token.claim')
  const { kind, aal } = own
  const isKind = kind === 'User' || kind === 'Service'
  if (!isKind || !(aal === 1 || aal === 2 || aal === 3)) throw unproven('token.claim')
  return {
    subject: {
      kind,
      name: sub,
      groups: textsIn(claims['groups']) ?? [],
      roles: textsIn(claims['roles']) ?? [],
      space: textIn(own['space']),
      tenant: textIn(own['tenant']),
    },
    records: recordsIn(own['records']),
    audience: aud,
    client,
    actors: actorsIn(claims['act']),
    assurance: {
      aal,
      acr: textIn(acr),
      amr: textsIn(claims['amr']) ?? [],
      authTime: typeof authTime === 'number' ? authTime : undefined,
    },
    scopes: scopesIn(claims),
    scope: Object.freeze({ models: textsIn(own['models']), actions: textsIn(own['actions']) }),
    kids: textsIn(own['keys']) ?? [],
    confirmation: undefined,
  }
}

/**
 * The chain of actors in a token (RFC 8693 section 4.1), in the words of its issuer. Throws `caller.unknown` with
 * `token.actors` for one that is too long or has no names.
 */
export function actorsIn(act: JsonValue | undefined): Actors {
  const actors: string[] = []
  for (let level = act; level !== undefined;) {
    if (!isJsonObject(level)) throw unproven('token.actors')
    const { sub, act: earlier } = level
    if (typeof sub !== 'string' || sub === '' || actors.length === LIMITS.actorDepth)
      throw unproven('token.actors')
    actors.push(sub)
    level = earlier
  }
  return actors
}

/** OAuth's scopes in a token, which are in `scope`, or in `scp` with some issuers. Undefined where it says none. */
export function scopesIn({ scope, scp }: JsonObject): readonly string[] | undefined {
  const said = scope ?? scp
  if (typeof said === 'string') return said.split(' ').filter((one) => one !== '')
  return textsIn(said)
}

function chainOf(actors: Actors): JsonObject | undefined {
  return actors.reduceRight<JsonObject | undefined>(
    (act, sub) => (act === undefined ? { sub } : { sub, act }),
    undefined,
  )
}

function confirmationClaim({ jkt, x5t }: Confirmation): JsonObject {
  return { ...given('jkt', jkt), ...given('x5t#S256', x5t) }
}

function given(name: string, value: JsonValue | undefined): JsonObject {
  return value === undefined ? {} : { [name]: value }
}

function some(values: readonly string[]): readonly string[] | undefined {
  return values.length === 0 ? undefined : values
}

function recordsIn(value: JsonValue | undefined): Readonly<Record<string, string>> {
  if (value === undefined) return {}
  if (!isJsonObject(value)) throw unproven('token.claim')
  return Object.fromEntries(Object.entries(value).map(([name, id]) => [name, textIn(id) ?? '']))
}

function textIn(value: JsonValue | undefined): string | undefined {
  if (value === undefined || typeof value === 'string') return value
  throw unproven('token.claim')
}

function textsIn(value: JsonValue | undefined): readonly string[] | undefined {
  if (value === undefined) return undefined
  if (!isJsonArray(value)) throw unproven('token.claim')
  const texts = value.filter((one) => typeof one === 'string')
  if (texts.length !== value.length) throw unproven('token.claim')
  return texts
}
