import type { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import type { JsonValue } from '#base/json.ts'

/**
 * Whether the provider may have worked on a request that failed, so that it may have to be paid. It did not when
 *
 * - the request never left: the provider has no key, cannot do this, or policy keeps the caller from all members of a pool;
 * - no connection came about: the name is not known, nobody listens, TLS failed, or it took too long;
 * - the provider said that it does nothing: any status 4xx, 501, 503 and 529.
 *
 * Of everything else nobody knows, so it counts as taken: 500, 502, 504, a connection that broke, a time that ran out, an
 * answer that cannot be read, a caller that went away.
 */
export function mayBeTaken({ code, detail }: Pick<Fault, 'code' | 'detail'>): boolean {
  if (NEVER_TAKEN.has(code)) return false
  // What cannot be carried is found in a request before it is sent, and in an answer after that.
  if (code === 'api.unsupported') return detail['taken'] === true
  if (code !== 'upstream.failed' && code !== 'upstream.slow') return true
  return !UNTAKEN_STATUS.has(detail['upstream_status']) && !UNTAKEN_REASONS.has(detail['reason'])
}

const NEVER_TAKEN: ReadonlySet<FaultCode> = new Set([
  'action.denied',
  'extension.refused',
  'model.unknown',
  'upstream.limited',
  'upstream.rejected',
  'upstream.unauthorized',
  'upstream.unconfigured',
])

/** Not implemented, unavailable, overloaded (as Anthropic says it). */
const UNTAKEN_STATUS: ReadonlySet<JsonValue | undefined> = new Set([501, 503, 529])

/** Words of the system, of undici and of OpenSSL for what happens before a request is sent; `no_member` is a pool's own. */
const UNTAKEN_REASONS: ReadonlySet<JsonValue | undefined> = new Set([
  'no_member',
  'ADDRESS_REFUSED',
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'EAI_FAIL',
  'ECONNREFUSED',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOTFOUND',
  'UND_ERR_CONNECT_TIMEOUT',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])
