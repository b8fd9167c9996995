import type { JsonObject } from '#base/json.ts'
import type { TokenKeys } from '#trust/access/issued/token_keys.ts'
import { PROOF_ALGORITHMS } from '#trust/access/possession/proofs.ts'
import { GRANT_TYPES } from './exchange_request.ts'
import { TOKEN_PATH } from './exchange_route.ts'

export interface DocumentsParts {
  /** Scheme, host and port: the `iss` of our tokens. */
  readonly issuer: string
  readonly keys: Pick<TokenKeys, 'published'>
  /** Whether clients may show certificates. */
  readonly hasCertificates: boolean
}

const KEY_SET_PATH = '/.well-known/jwks.json'
const METADATA_PATH = '/.well-known/oauth-authorization-server'

/** What relying parties and clients read of us: our public keys, and where to find what (RFC 8414). Nothing of any caller. */
export function identityDocuments(parts: DocumentsParts): ReadonlyMap<string, () => string> {
  const metadata = JSON.stringify(metadataOf(parts))
  return new Map([
    [KEY_SET_PATH, () => JSON.stringify({ keys: parts.keys.published() })],
    [METADATA_PATH, () => metadata],
  ])
}

function metadataOf({ issuer, hasCertificates }: DocumentsParts): JsonObject {
  const withCertificate = hasCertificates ? ['tls_client_auth'] : []
  return {
    issuer,
    token_endpoint: `${issuer}${TOKEN_PATH}`,
    jwks_uri: `${issuer}${KEY_SET_PATH}`,
    // There is no authorization endpoint: people sign in with their own providers.
    response_types_supported: [],
    grant_types_supported: [...GRANT_TYPES],
    token_endpoint_auth_methods_supported: [
      'none',
      'client_secret_basic',
      'client_secret_post',
      ...withCertificate,
    ],
    dpop_signing_alg_values_supported: [...PROOF_ALGORITHMS],
    tls_client_certificate_bound_access_tokens: hasCertificates,
  }
}
