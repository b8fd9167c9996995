import type { Millis } from '#base/clock.ts'
import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import { unproven } from '../unproven.ts'

/** What an issuer's tokens must say, whoever they are about. */
export interface ClaimRules {
  /** What we are called by this issuer; a token is for us when it names one of these. */
  readonly audiences: ReadonlySet<string>
  /** The only clients whose tokens are taken, by `azp` or `client_id`; undefined for any. */
  readonly clients: ReadonlySet<string> | undefined
  /** From `iat` to `exp`. */
  readonly maxLifetimeMs: Millis
}

/** What holds for as long as the token does. */
export interface Validity {
  readonly subject: string
  /** `exp`, as it stands there. */
  readonly expiresAt: Millis
  /** When the token ends for good: clocks may differ so much. */
  readonly endsAt: Millis
}

/** RFC 7519 section 4.1.4 leaves room for "a few minutes" of clock skew; one is enough where clocks are set by NTP. */
export const SKEW_MS = 60_000

/**
 * Checks the claims that every token needs (RFC 9068 section 4, RFC 7519 section 4.1). It can only refuse, so that it may be
 * asked before the signature is checked.
 *
 * Throws `caller.unknown` with the first reason there is.
 */
export function checkClaims(claims: JsonObject, rules: ClaimRules, now: Millis): Validity {
  if (!audiencesOf(claims['aud']).some((one) => rules.audiences.has(one))) throw unproven('token.audience')
  checkClient(claims, rules)
  const times = checkTimes(claims, rules, now)
  const subject = claims['sub']
  if (typeof subject !== 'string' || subject === '' || subject.length > LONGEST_SUBJECT)
    throw unproven('token.subject')
  return { subject, ...times }
}

/** RFC 7519 section 4.1.2 bounds nothing; OpenID Connect Core section 2 says 255 ASCII characters. */
const LONGEST_SUBJECT = 255
const SECOND_MS = 1_000
/** The year 5138: what is later is no time of a token, and would lose its milliseconds. */
const LATEST_SECONDS = 1e11

function audiencesOf(aud: JsonValue | undefined): readonly string[] {
  const all = aud !== undefined && isJsonArray(aud) ? aud : [aud]
  const texts = all.filter((one) => typeof one === 'string')
  return texts.length === all.length ? texts : []
}

/** OpenID Connect calls it `azp`, RFC 9068 `client_id`. A token that has both and means two clients is no good one. */
function checkClient({ azp, client_id: id }: JsonObject, { clients }: ClaimRules): void {
  const isText = (value: JsonValue | undefined): boolean => value === undefined || typeof value === 'string'
  if (!isText(azp) || !isText(id)) throw unproven('token.client')
  if (clients === undefined) return
  const named = [azp, id].filter((one) => typeof one === 'string')
  if (named.length === 0 || !named.every((one) => clients.has(one))) throw unproven('token.client')
}

function checkTimes(
  claims: JsonObject,
  { maxLifetimeMs }: ClaimRules,
  now: Millis,
): Pick<Validity, 'expiresAt' | 'endsAt'> {
  const expiresAt = timeOf(claims['exp'], 'token.expired')
  const notBefore = timeOf(claims['nbf'], 'token.not_yet_valid')
  const issuedAt = timeOf(claims['iat'], 'token.future')
  if (expiresAt === undefined || now >= expiresAt + SKEW_MS) throw unproven('token.expired')
  if (notBefore !== undefined && now < notBefore - SKEW_MS) throw unproven('token.not_yet_valid')
  if (issuedAt !== undefined && now < issuedAt - SKEW_MS) throw unproven('token.future')
  // Without `iat` nobody knows how long it has lived; how long it still will is bounded all the same.
  const lifetime = expiresAt - (issuedAt ?? now)
  if (lifetime <= 0 && issuedAt !== undefined) throw unproven('token.lifetime')
  if (lifetime > maxLifetimeMs) throw unproven('token.lifetime')
  return { expiresAt, endsAt: expiresAt + SKEW_MS }
}

function timeOf(
  value: JsonValue | undefined,
  reason: 'token.expired' | 'token.not_yet_valid' | 'token.future',
): Millis | undefined {
  if (value === undefined) return undefined
  if (typeof value !== 'number' || value < 0 || value > LATEST_SECONDS) throw unproven(reason)
  return value * SECOND_MS
}
