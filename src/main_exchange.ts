import type { Clock } from '#base/clock.ts'
import { composeAuthenticator } from '#trust/access/authenticator.ts'
import type { Authenticator } from '#trust/access/caller.ts'
import type { Callers } from '#trust/access/callers.ts'
import type { Policies } from '#trust/access/authorize.ts'
import { ownIssuer } from '#trust/access/issued/own_issuer.ts'
import { Subjects, withSubjects } from '#trust/access/issued/subjects.ts'
import type { TokenKeys } from '#trust/access/issued/token_keys.ts'
import { TokenWriter } from '#trust/access/issued/token_writer.ts'
import { certificateCallers } from '#trust/access/possession/certificate_callers.ts'
import { possessionCheck } from '#trust/access/possession/check_possession.ts'
import { ProofNonces } from '#trust/access/possession/proof_nonces.ts'
import { Proofs } from '#trust/access/possession/proofs.ts'
import { SpentProofs } from '#trust/access/possession/spent_proofs.ts'
import type { SignatureChecks } from '#trust/access/tokens/check_signature.ts'
import type { Issuer } from '#trust/access/tokens/issuer.ts'
import { TokenAuthenticator } from '#trust/access/tokens/token_authenticator.ts'
import { toLimitTerms, type LimitTerms } from '#trust/access/limit_terms.ts'
import type { Route } from '#door/route.ts'
import { identityDocuments } from '#rooms/identity/documents.ts'
import { exchangeRoute, noExchangeRoute } from '#rooms/identity/exchange_route.ts'
import type { ExchangeRequest } from '#rooms/identity/exchange_request.ts'
import type { Config } from './config.ts'

export interface ExchangeSurroundings {
  readonly config: Config
  readonly callers: Callers
  /** Undefined where nothing is exchanged. */
  readonly tokenKeys: TokenKeys | undefined
  /** Those of the configuration, also those whose tokens only come to be exchanged. */
  readonly issuers: readonly Issuer[]
  readonly checks: SignatureChecks
  readonly clock: Clock
}

/** What proves callers by tokens, ours among them, and makes these. */
export interface OpenExchange {
  readonly authenticator: Authenticator
  /** Those of tokens that open the door. */
  readonly tokens: TokenAuthenticator
  readonly route: (policies: Policies) => Route<ExchangeRequest>
  /** Open to all. */
  readonly documents: ReadonlyMap<string, () => string> | undefined
  readonly proofNonce: () => string
  /** Scheme, host and port of the door. */
  readonly origin: string | undefined
}

/** Joins what checks tokens and proofs of possession, and what exchanges tokens. */
export function openExchange(parts: ExchangeSurroundings): OpenExchange {
  const { config, callers, tokenKeys, issuers, checks, clock } = parts
  const { issuer: origin, certificates: rules } = config.identity
  const { directory } = callers
  const own = ownIssuers(parts)
  const workloadIssuers = subjectOnly(config)
  const nonces = new ProofNonces(clock)
  const proofs = new Proofs({ clock, nonces, spent: new SpentProofs(clock), checks })
  const shared = { directory, clock, checks }
  const open = issuers.filter(({ name }) => !workloadIssuers.has(name))
  const tokens = new TokenAuthenticator({ ...shared, issuers: [...open, ...own.door] })
  const subjectTokens = new TokenAuthenticator({ ...shared, issuers: [...issuers, ...own.subjects] })
  const subjects = new Subjects({
    tokens: subjectTokens,
    keys: callers,
    keyEnd: (kid) => Math.max(...callers.findKey(kid).secrets.map((secret) => secret.not_after)),
    proofs,
    clock,
    directory,
    workloadIssuers,
    ownAudience: origin ?? '',
  })
  const callerNamed = certificateCallers(directory)
  const checkBinding = possessionCheck({ proofs, rules, callerNamed, clock })
  const authenticator = withSubjects(composeAuthenticator({ keys: callers, tokens, checkBinding }), subjects)
  const hasCertificates = config.tls !== undefined && config.tls.client_certificates !== 'none'
  const shown = { authenticator, tokens, proofNonce: () => nonces.current(), origin }
  if (tokenKeys === undefined || origin === undefined)
    return { ...shown, route: noExchangeRoute, documents: undefined }
  const writer = new TokenWriter(origin, tokenKeys, clock)
  const audiences = new Map(
    Object.entries(config.identity.audiences).map(([name, { ttl_s: seconds, binding, scopes }]) => [
      name,
      { name, seconds, binding, scopes: new Set(scopes) },
    ]),
  )
  return {
    ...shown,
    route: (policies) => exchangeRoute({ audiences, subjects, proofs, writer, policies, clock }),
    documents: identityDocuments({ issuer: origin, keys: tokenKeys, hasCertificates }),
  }
}

function subjectOnly(config: Config): ReadonlySet<string> {
  const issuers = Object.entries(config.identity.issuers)
  return new Set(issuers.flatMap(([name, { subject_only: isSubjectOnly }]) => (isSubjectOnly ? [name] : [])))
}

/** Ourselves as an issuer: for the door one audience counts, and every one of ours for what comes to be exchanged. */
function ownIssuers({ config, callers, tokenKeys }: ExchangeSurroundings): {
  readonly door: readonly Issuer[]
  readonly subjects: readonly Issuer[]
} {
  const { issuer, audiences } = config.identity
  if (issuer === undefined || tokenKeys === undefined) return { door: [], subjects: [] }
  const shared = {
    issuer,
    keys: tokenKeys.source,
    keyObjection: callers.objectionTo.bind(callers),
    limitsOf: (kid: string) => limitsOf(callers, kid),
    directory: callers.directory,
  }
  return {
    door: [ownIssuer({ ...shared, audiences: new Set([issuer]) })],
    subjects: [ownIssuer({ ...shared, audiences: new Set([issuer, ...Object.keys(audiences)]) })],
  }
}

/** A key that is gone opens nothing, whatever its limits were. */
function limitsOf(callers: Pick<Callers, 'findKey' | 'objectionTo'>, kid: string): LimitTerms | undefined {
  return callers.objectionTo(kid, undefined) === 'key.unknown'
    ? undefined
    : toLimitTerms(callers.findKey(kid).limits ?? undefined)
}
