import type { Clock } from '#base/clock.ts'
import type { BoundToken, CheckBinding } from '../authenticator.ts'
import type { ClientCertificate, Possession, Proven } from '../caller.ts'
import type { Confirmation } from '../tokens/issuer.ts'
import { unproven } from '../unproven.ts'
import { callersOf, type CertificateRule } from './certificate_rules.ts'
import type { HeldProof, Proofs } from './proofs.ts'

export interface PossessionParts {
  readonly proofs: Pick<Proofs, 'verify' | 'spend'>
  readonly rules: readonly CertificateRule[]
  /** Who a name of the directory is. Throws `caller.unknown` when there is none, or it is disabled. */
  readonly callerNamed: (name: string, certificate: ClientCertificate) => Proven
  readonly clock: Clock
}

/**
 * What a request shows to possess, against what its tokens are bound to. A proof is about exactly one bound token. A
 * certificate that a token is bound to is the proof of that token, whoever's it is; any other has to prove a caller of its
 * own, who must be the same one.
 */
export function possessionCheck(parts: PossessionParts): CheckBinding {
  return async ({ proof, certificate }, tokens) => {
    const [bound, ...others] = tokens.filter(({ scheme }) => scheme === 'dpop')
    if (others.length > 0 || (bound === undefined) !== (proof === undefined)) throw unproven('proof.unbound')
    let held: HeldProof | undefined
    if (bound !== undefined && proof !== undefined) {
      held = await bound.token.open(async (text) => parts.proofs.verify(proof, text))
      if (bound.confirmation?.jkt !== held.jkt) throw unproven('token.binding')
    }
    // As plain Bearer it would be worth as much as one that is bound to nothing.
    if (tokens.some(({ confirmation, scheme }) => confirmation?.jkt !== undefined && scheme !== 'dpop'))
      throw unproven('proof.unbound')
    for (const { confirmation } of tokens) checkCertificate(confirmation, certificate)
    const proven = certificate === undefined ? undefined : proveBy(parts, certificate, tokens)
    if (held !== undefined) parts.proofs.spend(held)
    return proven
  }
}

/**
 * What a request shows to possess of what a subject token is bound to, where the proof is about the token that is to be made.
 * Throws `caller.unknown` with `token.binding`.
 */
export function checkConfirmation(
  confirmation: Confirmation | undefined,
  held: HeldProof | undefined,
  certificate: ClientCertificate | undefined,
): void {
  const { jkt } = confirmation ?? {}
  if (jkt !== undefined && jkt !== held?.jkt) throw unproven('token.binding')
  checkCertificate(confirmation, certificate)
}

/** Throws `caller.unknown` for a certificate that has ended. Also on a connection that was open before. */
export function checkNotEnded({ certificate }: Possession, clock: Clock): void {
  if (certificate !== undefined && clock.now() >= certificate.notAfter) throw unproven('certificate.expired')
}

function checkCertificate(
  confirmation: Confirmation | undefined,
  certificate: ClientCertificate | undefined,
): void {
  const { x5t } = confirmation ?? {}
  if (x5t !== undefined && x5t !== certificate?.thumbprint) throw unproven('token.binding')
}

/** Who the certificate proves: the caller of the token that is bound to it, or whom the rules map it to. */
function proveBy(
  parts: PossessionParts,
  certificate: ClientCertificate,
  tokens: readonly BoundToken[],
): Proven {
  const { rules, callerNamed, clock } = parts
  const possession = { proof: undefined, certificate }
  checkNotEnded(possession, clock)
  const bound = tokens.find(({ confirmation }) => confirmation?.x5t === certificate.thumbprint)
  const [name, ...others] = callersOf(rules, certificate)
  if (bound === undefined && (name === undefined || others.length > 0)) throw unproven('certificate.unmapped')
  const proven = bound?.proven ?? callerNamed(name ?? '', certificate)
  return {
    caller: proven.caller,
    endsAt: Math.min(certificate.notAfter, proven.endsAt ?? certificate.notAfter),
    recheck: () => {
      checkNotEnded(possession, clock)
      return proven.recheck()
    },
  }
}
