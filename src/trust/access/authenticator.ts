import { printRef } from '#base/decider.ts'
import { Sealed } from '#base/sealed.ts'
import type {
  Authenticator,
  Caller,
  KeyAuthenticator,
  Possession,
  Presented,
  PresentedToken,
  Proven,
  Subject,
} from './caller.ts'
import type { Confirmation } from './tokens/issuer.ts'
import type { TokenAuthenticator } from './tokens/token_authenticator.ts'
import type { VerifiedToken } from './tokens/verified_token.ts'
import { unproven } from './unproven.ts'

export interface AuthenticatorParts {
  readonly keys: KeyAuthenticator
  readonly tokens: Pick<TokenAuthenticator, 'verify' | 'looksReal'>
  readonly checkBinding: CheckBinding
}

/** A credential of a request that holds, and what it demands besides. */
export interface BoundToken extends PresentedToken {
  readonly kind: 'key' | 'token'
  /** Undefined for what anybody may use who has it. */
  readonly confirmation: Confirmation | undefined
  readonly proven: Proven
}

/**
 * Checks what a request shows to possess against what its tokens are bound to: all that is demanded must be shown, and all
 * that is shown must hold. Gives who the certificate proves by itself, if it proves anybody.
 *
 * Throws `caller.unknown`.
 */
export type CheckBinding = (
  possession: Possession,
  tokens: readonly BoundToken[],
) => Proven | undefined | Promise<Proven | undefined>

/** Where nothing can be checked: whatever is bound, and whatever is shown, is refused. */
export const NO_BINDING: CheckBinding = ({ proof, certificate }, tokens) => {
  const isBound = tokens.some(({ confirmation, scheme }) => confirmation !== undefined || scheme === 'dpop')
  if (isBound || proof !== undefined || certificate !== undefined) throw unproven('token.binding')
  return undefined
}

/**
 * Proves who sends a request by all that it brought. Every part must hold and all must prove the same caller: a bad one
 * beside a good one refuses the request, or whoever has found one could try others behind it.
 */
export function composeAuthenticator(parts: AuthenticatorParts): Authenticator {
  const ofToken = (
    verified: VerifiedToken,
    token: PresentedToken,
    address: string,
  ): Proven | Promise<Proven> =>
    verified.confirmation === undefined
      ? verified.hold(address)
      : proveAll(parts, { ...NOTHING_SHOWN, tokens: [token] }, address)
  return {
    authenticate: (credential, address) => {
      if (credential.kind === 'presented' || credential.kind === 'subject')
        return proveAll(parts, partsOf(credential), address)
      // Where there is no token one that is none is looked at, which takes as long.
      const isOfKeys = !isToken(credential.kind === 'bearer' ? credential : NO_TOKEN)
      if (credential.kind !== 'bearer' || isOfKeys) return parts.keys.authenticate(credential, address)
      const token: PresentedToken = { scheme: 'bearer', token: credential.token }
      const verified = parts.tokens.verify(credential.token)
      // What was verified before takes no turn.
      if (!(verified instanceof Promise)) return ofToken(verified, token, address)
      return verified.then((one) => ofToken(one, token, address))
    },
    looksReal: (credential) => {
      if (credential.kind === 'presented' || credential.kind === 'subject')
        return partsOf(credential).tokens.some((token) => looksReal(parts, token))
      return credential.kind === 'bearer' ? looksReal(parts, credential) : parts.keys.looksReal(credential)
    },
  }
}

/** As long as a key. */
const NO_TOKEN = Object.freeze({ token: new Sealed('-'.repeat(57)) })
const NOTHING_SHOWN: Possession = Object.freeze({ proof: undefined, certificate: undefined })

type Parts = Pick<Presented, 'tokens' | 'proof' | 'certificate'>

function partsOf(credential: Presented | Subject): Parts {
  if (credential.kind === 'presented') return credential
  const { token, proof, certificate } = credential
  return { tokens: [{ scheme: 'bearer', token }], proof, certificate }
}

/** Keys have no dots, and tokens have two. */
function isToken({ token }: Pick<PresentedToken, 'token'>): boolean {
  return token.open((text) => text.includes('.'))
}

function looksReal({ keys, tokens }: AuthenticatorParts, { token }: Pick<PresentedToken, 'token'>): boolean {
  return isToken({ token }) ? tokens.looksReal(token) : keys.looksReal({ kind: 'bearer', token })
}

async function proveAll(
  parts: AuthenticatorParts,
  { tokens, proof, certificate }: Parts,
  address: string,
): Promise<Proven> {
  const held: BoundToken[] = []
  for (const token of tokens) held.push(await prove(parts, token, address))
  const byCertificate = await parts.checkBinding({ proof, certificate }, held)
  const all = held.map(({ proven }) => proven)
  if (byCertificate !== undefined) all.push(byCertificate)
  const joined = joinAll(all)
  const name = joined.caller.ref.id
  if (tokens.some(({ owner }) => owner !== undefined && owner !== name)) throw unproven('token.owner')
  return joined
}

async function prove(
  { keys, tokens }: AuthenticatorParts,
  token: PresentedToken,
  address: string,
): Promise<BoundToken> {
  if (!isToken(token)) {
    const proven = keys.authenticate({ kind: 'bearer', token: token.token }, address)
    return { ...token, kind: 'key', confirmation: undefined, proven }
  }
  const verified = await tokens.verify(token.token)
  return { ...token, kind: 'token', confirmation: verified.confirmation, proven: verified.hold(address) }
}

function joinAll(all: readonly Proven[]): Proven {
  const [first, ...others] = all
  if (first === undefined) throw unproven('credential.missing')
  if (others.length === 0) return first
  let callers = all.map(({ caller }) => caller)
  let joined = joinCallers(callers)
  const recheck = (): Caller => {
    const now = all.map((one) => one.recheck())
    if (now.some((caller, at) => caller !== callers[at])) joined = joinCallers((callers = now))
    return joined
  }
  const ends = all.flatMap(({ endsAt }) => endsAt ?? [])
  return { caller: joined, endsAt: ends.length === 0 ? undefined : Math.min(...ends), recheck }
}

/**
 * One caller of several that are the same: with the scope of the key, which can only narrow, the limits of all keys, and
 * with what the token says of it. Throws `caller.unknown` when they are not the same, and for two keys, whose scopes are no scope together.
 */
function joinCallers(callers: readonly Caller[]): Caller {
  const names = new Set(callers.map(({ ref }) => printRef(ref)))
  const keys = callers.filter(({ kid }) => kid !== undefined)
  const others = callers.filter(({ kid }) => kid === undefined)
  if (names.size !== 1 || keys.length > 1) throw unproven('credential.conflicting')
  const [key] = keys
  // The first is the one in the Authorization header.
  const [main] = others
  const base = main ?? key
  if (base === undefined) throw unproven('credential.missing')
  const evidence = Object.assign({}, ...callers.toReversed().map((caller) => caller.evidence), base.evidence)
  const limitedBy = callers.flatMap((caller) => caller.limitedBy ?? [])
  return { ...base, evidence, scope: key?.scope ?? base.scope, kid: key?.kid, limitedBy }
}
