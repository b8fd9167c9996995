import { Sealed } from '#base/sealed.ts'
import type {
  ClientCertificate,
  Credential,
  Possession,
  PossessionProof,
  PresentedToken,
} from '#trust/access/caller.ts'
import { MALFORMED, type HeaderFacts } from './headers.ts'

/** A request as a proof may speak of it, and who is at the other end of its connection. */
export interface RequestFacts {
  readonly method: string
  /** Without query; empty when the door does not know its own address. */
  readonly url: string
  /** `untrusted`: there is one, and it says nothing that may be believed. */
  readonly certificate: ClientCertificate | 'untrusted' | undefined
}

/** All credentials of a request: every one that is there counts. */
export function credentialOf(facts: HeaderFacts, about: RequestFacts): Credential {
  const { credential, proof } = facts
  const { certificate } = about
  if (proof === undefined && certificate === undefined) return credential
  if (certificate === 'untrusted' || credential.kind === 'malformed' || proof === null) return MALFORMED
  const tokens = tokensOf(credential)
  // A proof is about a token, and says nothing alone.
  if (proof !== undefined && tokens.length === 0) return MALFORMED
  return { kind: 'presented', tokens, proof: proofOf(proof, about), certificate }
}

/** What a request has on a route that makes a new credential: one that proves its caller, and what the new one is bound to. */
export interface FormCredential {
  readonly credential: Credential
  readonly possession: Possession
}

/**
 * The credentials of a request on such a route. HTTP Basic is taken here, as OAuth's clients send their name and secret
 * (RFC 6749 section 2.3.1). The proof speaks of the new credential and not of the one in the headers, so that one bound to a
 * key has to come as what is to be exchanged.
 */
export function formCredentialOf(facts: HeaderFacts, about: RequestFacts): FormCredential {
  const { credential, proof, basic } = facts
  const { certificate } = about
  if (certificate === 'untrusted' || proof === null) return REFUSED
  const possession = { proof: proofOf(proof, about), certificate }
  // One Authorization header and nothing beside it: Basic is malformed everywhere else.
  const isBasic = basic !== undefined && facts.apiKey === undefined && facts.authorization === credential
  const tokens = isBasic ? basicToken(basic) : tokensOf(credential)
  const isMalformed = credential.kind === 'malformed' && !isBasic
  if (tokens === undefined || isMalformed || tokens.some(({ scheme }) => scheme === 'dpop')) return REFUSED
  if (tokens.length === 0) return { credential, possession }
  return { credential: { kind: 'presented', tokens, proof: undefined, certificate }, possession }
}

const REFUSED: FormCredential = Object.freeze({
  credential: MALFORMED,
  possession: Object.freeze({ proof: undefined, certificate: undefined }),
})

function tokensOf(credential: Credential): readonly PresentedToken[] {
  if (credential.kind === 'bearer') return [{ scheme: 'bearer', token: credential.token }]
  return credential.kind === 'presented' ? credential.tokens : []
}

function proofOf(proof: Sealed | undefined, { method, url }: RequestFacts): PossessionProof | undefined {
  return proof === undefined ? undefined : { jwt: proof, method, url }
}

/** Undefined when it is none. */
function basicToken(basic: Sealed): readonly PresentedToken[] | undefined {
  return basic.open((encoded) => {
    const text = Buffer.from(encoded, 'base64').toString('utf8')
    const colon = text.indexOf(':')
    const owner = decodeForm(text.slice(0, Math.max(colon, 0)))
    const secret = decodeForm(text.slice(colon + 1))
    if (colon < 0 || owner === undefined || secret === undefined || secret === '') return undefined
    return [{ scheme: 'bearer', token: new Sealed(secret), owner }] as const
  })
}

function decodeForm(text: string): string | undefined {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
