import type { ServerResponse } from 'node:http'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
import { BYTES } from '#base/limits.ts'
import type { BytesAnswer, Outcome, WholeAnswer } from '#door/outcome.ts'
import type { Envelope, Media } from '#door/route.ts'
import { problemBody, type Refusal } from './problem.ts'

/** What goes out: everything but the bytes of the status line. */
export interface Reply {
  readonly status: number
  /** Names and values alternating, as `writeHead` takes them without a copy. */
  readonly headers: string[]
  readonly body: string | Uint8Array
}

/** Every outcome but a stream. */
export type WholeOutcome = Exclude<Outcome, { readonly kind: 'stream' }>

/** Who gets the reply, and in which form a refusal comes. */
export interface ReplyTo {
  readonly id: string
  readonly envelope: Envelope
  readonly media: Media
}

/** The reply to a request that went through the door. */
export function replyOf(outcome: WholeOutcome, { id, envelope, media }: ReplyTo): Reply {
  if (outcome.kind === 'refusal')
    return refusalReply({ fault: outcome.fault, stage: outcome.stage, id, envelope })
  if (outcome.kind === 'bytes') return bytesReply(outcome, id, outcome.type)
  const { status, json, headers } = outcome
  const type = media === 'scim' ? 'application/scim+json' : 'application/json'
  const sent = headersOf(type, json, id)
  if (headers !== undefined) addHeaders(sent, headers)
  return { status, headers: sent, body: json }
}

/** A reply in bytes, which others may keep as long as `cache` says. */
export function bytesReply(
  { status, bytes, cache }: Pick<BytesAnswer, 'status' | 'bytes' | 'cache'>,
  id: string,
  type = 'application/octet-stream',
): Reply {
  const headers = [
    'content-type',
    type,
    'content-length',
    String(bytes.length),
    'cache-control',
    cache,
    'x-content-type-options',
    'nosniff',
    'x-request-id',
    id,
  ]
  return { status, headers, body: bytes }
}

function addHeaders(sent: string[], { location, etag }: NonNullable<WholeAnswer['headers']>): void {
  if (location !== undefined) sent.push('location', location)
  if (etag !== undefined) sent.push('etag', etag)
}

/** The reply to a request that was refused, in the door or before it. */
export function refusalReply(refusal: Refusal): Reply & { readonly body: string } {
  const { fault, id, envelope } = refusal
  const { status } = FAULTS[fault.code]
  const body = JSON.stringify(problemBody(refusal))
  const headers = headersOf(REFUSAL_TYPES[envelope], body, id)
  // RFC 9110 section 15.5.2: a 401 names the scheme. The same one for every reason.
  if (status === 401) headers.push('www-authenticate', challengeOf(refusal))
  if (fault.retryAfterSeconds !== undefined) headers.push('retry-after', String(fault.retryAfterSeconds))
  const { allow } = fault.detail
  if (fault.code === 'method.wrong' && typeof allow === 'string') headers.push('allow', allow)
  // OpenAI's clients repeat every 5xx twice unless told that it is no use.
  if (FUTILE.has(fault.code)) headers.push('x-should-retry', 'false')
  return { status, headers, body }
}

function challengeOf({ fault, envelope }: Refusal): string {
  // RFC 9449 section 9, which clients take for the order to try again.
  if (fault.code === 'proof.nonce') return 'DPoP realm="gatehouse", error="use_dpop_nonce"'
  // RFC 6749 section 5.2: the scheme with which clients show who they are there.
  return envelope === 'oauth' ? 'Basic realm="gatehouse"' : 'Bearer realm="gatehouse"'
}

const REFUSAL_TYPES: Readonly<Record<Envelope, string>> = {
  openai: 'application/json',
  anthropic: 'application/json',
  problem: 'application/problem+json',
  scim: 'application/scim+json',
  oauth: 'application/json',
}

/**
 * Sends head and body: in one write, or when it is long in slices, each as the one before it has left. So a slow caller
 * is seen to take something, inside TLS too, and only a slice at a time is encrypted ahead.
 */
export function send(response: ServerResponse, reply: Reply): void {
  response.writeHead(reply.status, reply.headers)
  if (reply.body.length <= SLICE_BYTES) response.end(reply.body)
  else sendSlices(response, Buffer.from(reply.body))
}

const SLICE_BYTES = 64 * BYTES.kib

function sendSlices(response: ServerResponse, body: Buffer): void {
  const slice = body.subarray(0, SLICE_BYTES)
  const rest = body.subarray(SLICE_BYTES)
  if (rest.length === 0) response.end(slice)
  else
    response.write(slice, (error) => {
      if (error === null || error === undefined) sendSlices(response, rest)
    })
}

/** The head of a streamed answer. */
export function streamHeaders(id: string): string[] {
  // Proxies in front of us would gather what is meant to come at once.
  return [...commonHeaders('text/event-stream; charset=utf-8', id), 'x-accel-buffering', 'no']
}

function headersOf(type: string, body: string, id: string): string[] {
  // A 204 must not say how long it is (RFC 9110 section 8.6).
  if (body === '') return ['cache-control', 'no-store', 'x-request-id', id]
  return [...commonHeaders(type, id), 'content-length', String(Buffer.byteLength(body))]
}

function commonHeaders(type: string, id: string): string[] {
  return [
    'content-type',
    type,
    'cache-control',
    'no-store',
    'x-content-type-options',
    'nosniff',
    'x-request-id',
    id,
  ]
}

const FUTILE: ReadonlySet<FaultCode> = new Set([
  'upstream.unconfigured',
  'upstream.unauthorized',
  'policy.unavailable',
  'internal.bug',
])
