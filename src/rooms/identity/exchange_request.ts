import { Fault } from '#base/fault.ts'
import { deepFreeze } from '#base/json.ts'
import { Sealed } from '#base/sealed.ts'
import type { Credential, Possession } from '#trust/access/caller.ts'
import { readForm, type Form } from './read_form.ts'

/** A request for an exchange (RFC 8693 section 2.1) as it is authorized and carried out. A type alias, so that it is JSON. */
export type ExchangeRequest = {
  readonly audience: string
  readonly subject_token: string
  readonly actor_token: string | null
  /** Undivided names; null where none are asked for. */
  readonly scopes: readonly string[] | null
  /** The caller that the form names as the client; null where it names none. */
  readonly client: string | null
  /** The secret of the client, where it stands in the form; whatever proved the caller, this has to prove the same one. */
  readonly secret: string | null
  readonly token_type: TokenType
}

type TokenType = typeof ACCESS_TOKEN | typeof JWT

const GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const ID_TOKEN = 'urn:ietf:params:oauth:token-type:id_token'
const JWT = 'urn:ietf:params:oauth:token-type:jwt'
const SUBJECT_TYPES: ReadonlySet<string> = new Set([ACCESS_TOKEN, ID_TOKEN, JWT])
/** RFC 6749 section 3.3. */
const SCOPE = /^[!#-[\]-~]{1,128}$/
const MOST_SCOPES = 100

export const GRANT_TYPES: readonly string[] = [GRANT]

/**
 * Reads a form as a request for an exchange.
 *
 * Throws `input.invalid` naming the field, `input.too_large`, `grant.unsupported`, `audience.unknown`.
 */
export function parseExchange(body: Uint8Array): ExchangeRequest {
  const form = readForm(body)
  const field = once(form)
  const grant = field('grant_type')
  if (grant === undefined) throw missing('grant_type')
  if (grant !== GRANT) throw new Fault('grant.unsupported')
  for (const name of UNSUPPORTED)
    if (form.has(name)) throw invalid(`"${name}" is not supported; see docs/how-to/exchange-a-token.md.`)
  const subject = tokenIn(field, 'subject_token')
  if (subject === undefined) throw missing('subject_token')
  return deepFreeze({
    audience: audienceIn(form),
    subject_token: subject,
    actor_token: tokenIn(field, 'actor_token') ?? null,
    scopes: scopesIn(field('scope')),
    client: field('client_id') ?? null,
    secret: field('client_secret') ?? null,
    token_type: requestedType(field('requested_token_type')),
  })
}

/**
 * The credential of a request whose headers have none: the name and secret of the client, its certificate where it only says
 * its name (RFC 8705 section 2), the token of the actor, or else the subject token itself.
 *
 * Throws as `parseExchange`.
 */
export function credentialInForm(body: Uint8Array, { proof, certificate }: Possession): Credential {
  const field = once(readForm(body))
  const owner = field('client_id')
  const secret = field('client_secret')
  if (secret !== undefined) {
    if (owner === undefined) throw missing('client_id')
    const token = { scheme: 'bearer', token: new Sealed(secret), owner } as const
    return { kind: 'presented', tokens: [token], proof: undefined, certificate }
  }
  if (owner !== undefined && certificate !== undefined)
    return { kind: 'presented', tokens: [], proof: undefined, certificate }
  const token = field('actor_token') ?? field('subject_token')
  return token === undefined
    ? { kind: 'none' }
    : { kind: 'subject', token: new Sealed(token), proof, certificate }
}

/** Ways of clients to show who they are, that would be taken for done if they were ignored. */
const UNSUPPORTED = ['client_assertion', 'client_assertion_type', 'assertion'] as const

type Field = (name: string) => string | undefined

/** RFC 6749 section 3.2: no parameter more than once. */
function once(form: Form): Field {
  return (name) => {
    const [value, ...more] = form.get(name) ?? []
    if (more.length > 0) throw invalid(`"${name}" may be given only once.`)
    return value
  }
}

function tokenIn(field: Field, name: 'subject_token' | 'actor_token'): string | undefined {
  const token = field(name)
  const type = field(`${name}_type`)
  if (token === undefined) {
    if (type !== undefined) throw invalid(`"${name}_type" is given without "${name}".`)
    return undefined
  }
  if (type === undefined) throw missing(`${name}_type`)
  if (!SUBJECT_TYPES.has(type)) throw invalid(`"${name}_type" may be that of access_token, id_token or jwt.`)
  return token
}

/** RFC 8693 lets both be several. A token for two audiences could be sent by one of them to the other. */
function audienceIn(form: Form): string {
  const named = new Set([...(form.get('audience') ?? []), ...(form.get('resource') ?? [])])
  const [audience, ...more] = named
  if (audience === undefined) throw missing('audience')
  if (more.length > 0)
    throw new Fault(
      'audience.unknown',
      {},
      { say: 'A token has exactly one audience: name one in "audience" or "resource".' },
    )
  return audience
}

function scopesIn(text: string | undefined): readonly string[] | null {
  if (text === undefined) return null
  const scopes = [...new Set(text.split(' ').filter((one) => one !== ''))]
  if (scopes.length > MOST_SCOPES || !scopes.every((one) => SCOPE.test(one)))
    throw invalid(`"scope" takes at most ${MOST_SCOPES} names with single spaces between.`)
  return scopes
}

function requestedType(type: string | undefined): TokenType {
  if (type === undefined || type === ACCESS_TOKEN) return ACCESS_TOKEN
  if (type === JWT) return JWT
  throw invalid('"requested_token_type" may be that of access_token or jwt.')
}

function missing(name: string): Fault {
  return invalid(`"${name}" is missing.`)
}

function invalid(say: string): Fault {
  return new Fault('input.invalid', { reason: 'exchange' }, { say })
}
