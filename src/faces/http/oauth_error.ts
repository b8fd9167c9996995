import type { Fault } from '#base/fault.ts'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
import type { JsonObject } from '#base/json.ts'

/**
 * An error of OAuth (RFC 6749 section 5.2), with our own code beside it and the id of the entry that says more, where there is
 * one.
 */
export function oauthError(fault: Fault, say: string | undefined, entry: string | undefined): JsonObject {
  const description = say ?? FAULTS[fault.code].title
  return {
    error: errorOf(fault),
    // The grammar of OAuth has no double quotes in it.
    error_description: description.replaceAll('"', "'"),
    code: fault.code,
    ...(entry === undefined ? {} : { entry }),
  }
}

const ERRORS: Partial<Record<FaultCode, string>> = {
  'caller.unknown': 'invalid_client',
  'grant.invalid': 'invalid_grant',
  'grant.unsupported': 'unsupported_grant_type',
  // RFC 8693 section 2.2.2: also where it exists and policy makes no token for it.
  'audience.unknown': 'invalid_target',
  'action.denied': 'invalid_target',
  'scope.wider': 'invalid_scope',
  'proof.invalid': 'invalid_dpop_proof',
  'proof.nonce': 'use_dpop_nonce',
  'nonce.needed': 'use_dpop_nonce',
}

function errorOf({ code }: Fault): string {
  const { status } = FAULTS[code]
  if (status === 429 || status === 503) return 'temporarily_unavailable'
  return ERRORS[code] ?? (status >= 500 ? 'server_error' : 'invalid_request')
}
