import type { ClientCertificate } from '../caller.ts'

/** A name of certificates, and the caller that it stands for. */
export interface CertificateRule {
  readonly by: 'uri' | 'dns' | 'email' | 'subject'
  /** Exact, or with one `*` in the place of one segment: between `/` of a URI, or the first label of a DNS name. */
  readonly name: string
  /** Name of a caller in the directory. */
  readonly caller: string
}

const NAMES = {
  uri: ({ uris }) => uris,
  dns: ({ dnsNames }) => dnsNames,
  email: ({ emails }) => emails,
  subject: ({ subject }) => [subject],
} as const satisfies Record<CertificateRule['by'], (certificate: ClientCertificate) => readonly string[]>

/**
 * The callers that the rules map a certificate to, each once. More than one means that nobody knows who it is; an order of
 * rules must not decide that.
 */
export function callersOf(
  rules: readonly CertificateRule[],
  certificate: ClientCertificate,
): ReadonlySet<string> {
  return new Set(
    rules
      .filter(({ by, name }) => NAMES[by](certificate).some((given) => fits(by, name, given)))
      .map(({ caller }) => caller),
  )
}

/** True for a name that a rule may have. */
export function isRuleName(by: CertificateRule['by'], name: string): boolean {
  const stars = name.split('*').length - 1
  if (stars === 0) return name !== ''
  if (stars > 1) return false
  if (by === 'dns') return name.startsWith('*.') && name.length > 2
  // Not in the authority: a trust domain or host is never anybody's.
  return by === 'uri' && name.split('/').indexOf('*') > 2
}

function fits(by: CertificateRule['by'], name: string, given: string): boolean {
  if (!name.includes('*') || (by !== 'uri' && by !== 'dns')) return name === given
  const separator = by === 'uri' ? '/' : '.'
  const parts = name.split(separator)
  const givenParts = given.split(separator)
  return (
    parts.length === givenParts.length &&
    parts.every((part, at) => (part === '*' ? givenParts[at] !== '' : part === givenParts[at]))
  )
}
