import type { Clock } from '#base/clock.ts'
import { printRef, type EntityRef } from '#base/decider.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { Sealed } from '#base/sealed.ts'
import { authorize, checkPermit, type Policies } from '#trust/access/authorize.ts'
import type { Caller, Possession } from '#trust/access/caller.ts'
import type { HeldSubject, Subjects } from '#trust/access/issued/subjects.ts'
import type { IssuedToken, TokenWriter } from '#trust/access/issued/token_writer.ts'
import { checkConfirmation } from '#trust/access/possession/check_possession.ts'
import type { HeldProof, Proofs } from '#trust/access/possession/proofs.ts'
import { knownTarget, type ActContext, type ActedWhole, type Route, type Target } from '#door/route.ts'
import { credentialInForm, parseExchange, type ExchangeRequest } from './exchange_request.ts'
import { isForItself, termsOf, type Audience, type Exchange, type Terms } from './exchange_terms.ts'

/** What an exchange works with. */
export interface ExchangeParts {
  readonly audiences: ReadonlyMap<string, Audience>
  readonly subjects: Pick<Subjects, 'prove' | 'checkProof' | 'recordOf'>
  readonly proofs: Pick<Proofs, 'spend'>
  readonly writer: Pick<TokenWriter, 'write'>
  readonly policies: Policies
  readonly clock: Clock
}

/** May a token for this audience be made? Asked of who asks for it, and of whom it is about. */
const EXCHANGE = 'token:exchange'
/** May the caller act for the subject? */
const ACT_FOR = 'token:act_for'
const DEFAULT_SPACE: EntityRef = { type: 'Space', id: 'default' }
const EXEMPT = 'It is tokens, to whoever has the one and gets the other: that is what the route is for.'

export const TOKEN_PATH = '/oauth/token'

/** `POST /oauth/token`: gives a token for one audience in exchange for another token (RFC 8693). */
export function exchangeRoute(parts: ExchangeParts): Route<ExchangeRequest> {
  const targets = new Map(
    [...parts.audiences.keys()].map((name) => [name, knownTarget(audienceRef(name), {}, [DEFAULT_SPACE])]),
  )
  return {
    name: 'token_exchange',
    listener: 'door',
    method: 'POST',
    path: TOKEN_PATH,
    media: 'form',
    envelope: 'oauth',
    credentialIn: credentialInForm,
    action: EXCHANGE,
    record: 'grouped',
    inspect: { request: { exempt: EXEMPT }, response: { exempt: EXEMPT } },
    parse: ({ body, query }) => {
      if (query.length > 0) throw new Fault('input.invalid', {}, { say: 'This route takes no query.' })
      return parseExchange(body)
    },
    target: ({ audience }) =>
      targets.get(audience) ?? { ref: audienceRef(audience), entities: [], known: false },
    act: async (permit, request, context) => {
      checkPermit(permit, EXCHANGE, audienceRef(request.audience))
      const target = targets.get(request.audience)
      const audience = parts.audiences.get(request.audience)
      if (target === undefined || audience === undefined) throw new Fault('audience.unknown')
      const exchange = await prove(parts, { request, audience, context })
      authorizeSubject(parts.policies, exchange, target)
      const terms = termsOf(exchange, parts.clock)
      if (exchange.proof !== undefined) spend(parts, exchange.proof)
      const issued = await parts.writer.write(terms.facts, terms.seconds)
      return answer(request, terms, issued)
    },
  }
}

/** Where the door exchanges nothing, it says so to callers that it knows. */
export function noExchangeRoute(): Route<ExchangeRequest> {
  const off = (): never => {
    throw new Fault('exchange.off')
  }
  const nowhere: Target = { ref: audienceRef(''), entities: [], known: false }
  return {
    name: 'token_exchange',
    listener: 'door',
    method: 'POST',
    path: TOKEN_PATH,
    media: 'form',
    envelope: 'oauth',
    action: EXCHANGE,
    record: 'grouped',
    inspect: { request: { exempt: EXEMPT }, response: { exempt: EXEMPT } },
    parse: off,
    target: () => nowhere,
    act: async () => Promise.reject(new Fault('exchange.off')),
  }
}

function audienceRef(id: string): EntityRef {
  return { type: 'Audience', id }
}

interface Asked {
  readonly request: ExchangeRequest
  readonly audience: Audience
  readonly context: ActContext
}

/** Everything that came besides the credential of the request, and that all of it is one story. */
async function prove(parts: ExchangeParts, { request, audience, context }: Asked): Promise<Exchange> {
  const { caller, address, possession } = context
  const { certificate } = possession
  if (request.client !== null && request.client !== caller.ref.id)
    throw new Fault('caller.unknown', { reason: 'token.owner' })
  const proof = await heldProof(parts, possession)
  const hold = async (token: string): Promise<HeldSubject> => {
    try {
      const held = await parts.subjects.prove(new Sealed(token), address)
      checkConfirmation(held.confirmation, proof, certificate)
      return held
    } catch (thrown) {
      throw recast(thrown, 'grant.invalid')
    }
  }
  const subject = await hold(request.subject_token)
  for (const token of [request.actor_token, request.secret])
    if (token !== null) checkSame(caller, await hold(token))
  const record = parts.subjects.recordOf(caller)
  return { audience, caller, record, subject, proof, certificate, scopes: request.scopes }
}

/** The proof about the new token. */
async function heldProof(
  { subjects }: ExchangeParts,
  possession: Possession,
): Promise<HeldProof | undefined> {
  try {
    return await subjects.checkProof(possession)
  } catch (thrown) {
    const fault = asFault(thrown)
    throw fault.code === 'proof.nonce' ? new Fault('nonce.needed') : recast(fault, 'proof.invalid')
  }
}

function spend({ proofs }: ExchangeParts, proof: HeldProof): void {
  try {
    proofs.spend(proof)
  } catch (thrown) {
    throw recast(thrown, 'proof.invalid')
  }
}

/** The caller is proven, so that what does not hold is no matter of its credential. */
function recast(thrown: unknown, code: FaultCode): Fault {
  const fault = asFault(thrown)
  return fault.code === 'caller.unknown' ? new Fault(code, fault.detail, { cause: fault }) : fault
}

/** The actor is who asks: whoever only holds a token of another one does not act as that one. */
function checkSame(caller: Caller, held: HeldSubject): void {
  if (!isForItself({ caller, subject: held }))
    throw new Fault('grant.invalid', { reason: 'credential.conflicting' })
}

/**
 * What the pipeline asked about the caller is asked about the subject too: nobody gets by way of another what that one may not
 * have. Throws `action.denied`.
 */
function authorizeSubject(policies: Policies, exchange: Exchange, target: Target): void {
  const { caller, subject } = exchange
  const { ref, entities } = subject.proven.caller
  // Of itself too: its subject token may be narrower than the credential that it came with.
  authorize(policies, { caller: subject.proven.caller, action: EXCHANGE, target, findings: [] })
  if (!isForItself(exchange))
    authorize(policies, { caller, action: ACT_FOR, target: { ref, entities }, findings: [] })
}

/** RFC 8693 section 2.2.1. */
function answer(request: ExchangeRequest, { facts, seconds }: Terms, issued: IssuedToken): ActedWhole {
  const { scopes, confirmation, subject, actors } = facts
  const isDpop = confirmation?.jkt !== undefined
  return {
    kind: 'whole',
    status: 200,
    body: {
      access_token: issued.token.open((text) => text),
      issued_token_type: request.token_type,
      token_type: isDpop ? 'DPoP' : 'Bearer',
      expires_in: seconds,
      ...(scopes === undefined ? {} : { scope: scopes.join(' ') }),
    },
    facts: {
      subject: printRef({ type: subject.kind, id: subject.name }),
      jti: issued.jti,
      expires: new Date(issued.expiresAt).toISOString(),
      bound: bindingOf(isDpop, confirmation?.x5t !== undefined),
      ...(actors.length === 0 ? {} : { actors: [...actors] }),
    },
  }
}

function bindingOf(isDpop: boolean, isMtls: boolean): string {
  if (isDpop && isMtls) return 'dpop+mtls'
  return isDpop ? 'dpop' : isMtls ? 'mtls' : 'none'
}
