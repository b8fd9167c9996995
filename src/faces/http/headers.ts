import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { Sealed } from '#base/sealed.ts'
import type { Credential, Presented, PresentedToken } from '#trust/access/caller.ts'

/** What a face reads of the headers of a request. */
export interface HeaderFacts {
  /** Undefined when the request gives none, as with the content type. */
  host: string | undefined
  authorization: Credential | undefined
  apiKey: Credential | undefined
  /** What the two above come to. */
  credential: Credential
  /** The DPoP header (RFC 9449 section 4.1), which nobody has read yet; null when there are several. */
  proof: Sealed | null | undefined
  /** What follows the scheme of HTTP Basic, which is malformed on most routes. */
  basic: Sealed | undefined
  /** Undefined when the request gives none; lists of entity tags, or `*`. */
  ifMatch: string | undefined
  ifNoneMatch: string | undefined
  /** Values in order, joined by commas (RFC 9110 section 5.3). */
  forwardedFor: string
  contentType: string | undefined
  contentEncoding: string
  /** Undefined when the request gives none. */
  contentLength: number | undefined
  /** Transfer-Encoding as it was sent, values joined; undefined when there is none. */
  transferCoding: string | undefined
  /** W3C Trace Context, all lines joined; undefined when the request gives none. */
  traceparent: string | undefined
  tracestate: string | undefined
  /** The caller waits for `100 Continue` before it sends the body. */
  awaitsContinue: boolean
}

const NONE: Credential = Object.freeze({ kind: 'none' })
export const MALFORMED: Credential = Object.freeze({ kind: 'malformed' })
/** RFC 6750 section 2.1; the scheme is case-insensitive (RFC 9110 section 11.1). */
const TOKEN = /^[A-Za-z0-9\-._~+/]+=*$/
const SCHEME = /^(bearer|dpop|basic) +([A-Za-z0-9\-._~+/]+=*)$/i

/**
 * Reads the raw header list once. Raw, because Node's own object drops or joins what is sent twice, and two values for
 * one fact are what request smuggling is made of.
 *
 * Throws `input.invalid` for more lines than the limit, for a second Host or Content-Type, and for an expectation other
 * than `100-continue`.
 */
export function readHeaders(raw: readonly string[]): HeaderFacts {
  if (raw.length > LIMITS.headerLines * 2)
    throw new Fault('input.invalid', {}, { say: `A request may have ${LIMITS.headerLines} header lines.` })
  const facts: HeaderFacts = {
    host: undefined,
    authorization: undefined,
    apiKey: undefined,
    credential: NONE,
    proof: undefined,
    basic: undefined,
    ifMatch: undefined,
    ifNoneMatch: undefined,
    forwardedFor: '',
    contentType: undefined,
    contentEncoding: '',
    contentLength: undefined,
    transferCoding: undefined,
    traceparent: undefined,
    tracestate: undefined,
    awaitsContinue: false,
  }
  for (let at = 0; at + 1 < raw.length; at += 2) readHeader(facts, raw[at] ?? '', raw[at + 1] ?? '')
  facts.credential = joinedCredential(facts)
  return facts
}

// Most headers mean nothing to us; their length alone says so without a lower-case copy.
function readHeader(facts: HeaderFacts, name: string, value: string): void {
  switch (name.length) {
    case 4:
      if (is(name, 'host')) facts.host = once(facts.host, value)
      else if (is(name, 'dpop')) facts.proof = facts.proof === undefined ? new Sealed(value) : null
      break
    case 6:
      if (is(name, 'expect')) facts.awaitsContinue = isContinue(value)
      break
    case 8:
      if (is(name, 'if-match')) facts.ifMatch = added(facts.ifMatch, value)
      break
    case 9:
      // As Anthropic's clients send their key.
      if (is(name, 'x-api-key')) facts.apiKey = facts.apiKey === undefined ? toToken(value) : MALFORMED
      break
    case 10:
      if (is(name, 'tracestate')) facts.tracestate = added(facts.tracestate, value)
      break
    case 11:
      if (is(name, 'traceparent')) facts.traceparent = added(facts.traceparent, value)
      break
    case 12:
      if (is(name, 'content-type')) facts.contentType = once(facts.contentType, value)
      break
    case 13:
      if (is(name, 'authorization')) readAuthorization(facts, value)
      else if (is(name, 'if-none-match')) facts.ifNoneMatch = added(facts.ifNoneMatch, value)
      break
    case 14:
      if (is(name, 'content-length')) facts.contentLength = Number(value)
      break
    case 15:
      if (is(name, 'x-forwarded-for')) facts.forwardedFor = joined(facts.forwardedFor, value)
      break
    case 16:
      if (is(name, 'content-encoding')) facts.contentEncoding = joined(facts.contentEncoding, value)
      break
    case 17:
      if (is(name, 'transfer-encoding')) facts.transferCoding = added(facts.transferCoding, value)
      break
    default:
  }
}

function is(name: string, known: string): boolean {
  return name === known || name.toLowerCase() === known
}

function isContinue(value: string): true {
  if (is(value.trim(), '100-continue')) return true
  throw new Fault('input.invalid', {}, { say: 'The only expectation is 100-continue.' })
}

// An empty line counts here too: another program may take either of the two.
function once(before: string | undefined, value: string): string {
  if (before !== undefined)
    throw new Fault('input.invalid', {}, { say: 'Host and Content-Type may be given only once.' })
  return value
}

// An empty line counts: it makes two of one.
function added(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`
}

function joined(before: string, value: string): string {
  return before === '' ? value : `${before},${value}`
}

function readAuthorization(facts: HeaderFacts, value: string): void {
  const isFirst = facts.authorization === undefined
  const [, scheme, text] = SCHEME.exec(value) ?? []
  const token = text === undefined ? undefined : new Sealed(text)
  facts.basic = isFirst && scheme?.toLowerCase() === 'basic' ? token : undefined
  facts.authorization =
    isFirst && token !== undefined ? toCredential(scheme?.toLowerCase(), token) : MALFORMED
}

function toCredential(scheme: string | undefined, token: Sealed): Credential {
  if (scheme === 'bearer') return { kind: 'bearer', token }
  return scheme === 'dpop' ? presented([{ scheme, token }]) : MALFORMED
}

function toToken(value: string): Credential {
  return TOKEN.test(value) ? { kind: 'bearer', token: new Sealed(value) } : MALFORMED
}

/** Both headers together are two tokens, which must prove the same caller. */
function joinedCredential({ authorization, apiKey }: HeaderFacts): Credential {
  if (apiKey === undefined) return authorization ?? NONE
  if (authorization === undefined) return apiKey
  const [first] = tokensIn(authorization)
  const [second] = tokensIn(apiKey)
  return first === undefined || second === undefined ? MALFORMED : presented([first, second])
}

function tokensIn(credential: Credential): readonly PresentedToken[] {
  if (credential.kind === 'bearer') return [{ scheme: 'bearer', token: credential.token }]
  return credential.kind === 'presented' ? credential.tokens : []
}

function presented(tokens: readonly PresentedToken[]): Presented {
  return { kind: 'presented', tokens, proof: undefined, certificate: undefined }
}
