/** What keys an algorithm takes: RFC 7518, RFC 8037, RFC 9864 and draft-ietf-cose-dilithium, one row each. */
export interface Algorithm {
  readonly name: AlgorithmName
  readonly kty: 'EC' | 'RSA' | 'OKP' | 'AKP'
  /** Undefined for RSA and for key types whose keys name their algorithm. */
  readonly crv: string | undefined
}

/**
 * Signatures that are accepted from issuers. There is none with a shared secret: whoever can verify those can sign too,
 * and a public key of RSA in their place is the classic forgery (RFC 8725 section 2.1).
 */
export const ALGORITHM_NAMES = ['ES256', 'ES384', 'PS256', 'RS256', 'EdDSA', 'Ed25519', 'ML-DSA-44'] as const

export type AlgorithmName = (typeof ALGORITHM_NAMES)[number]

const ROWS: readonly Algorithm[] = [
  { name: 'ES256', kty: 'EC', crv: 'P-256' },
  { name: 'ES384', kty: 'EC', crv: 'P-384' },
  { name: 'PS256', kty: 'RSA', crv: undefined },
  { name: 'RS256', kty: 'RSA', crv: undefined },
  // The older name leaves the curve open; only this one is meant here.
  { name: 'EdDSA', kty: 'OKP', crv: 'Ed25519' },
  { name: 'Ed25519', kty: 'OKP', crv: 'Ed25519' },
  { name: 'ML-DSA-44', kty: 'AKP', crv: undefined },
]

export const ALGORITHMS: ReadonlyMap<string, Algorithm> = new Map(ROWS.map((row) => [row.name, row]))
