import type { IncomingMessage, ServerResponse } from 'node:http'
import { plainAddress, sourceBlock } from '#base/address.ts'
import type { Clock } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import { TokenBuckets, type BucketRate } from '#door/token_bucket.ts'
import type { Witness } from '#proof/witness/witness.ts'
import { Connections } from './connections.ts'
import { HTTP_LIMITS, httpServer, type HttpLimits } from './http_server.ts'
import { sendAndClose } from './linger.ts'
import { Listening, type ListenAt } from './listening.ts'
import { send, type Reply } from './reply.ts'
import type { RunningServer } from './server.ts'
import { Sources } from './source.ts'
import { limitStall } from './stalled_reply.ts'
import type { TlsPair } from './tls.ts'

export interface WitnessServerParts {
  readonly at: ListenAt
  readonly tls: TlsPair | undefined
  readonly witness: Pick<Witness, 'add' | 'newest'>
  /** Ranges of own proxies, whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[]
  readonly clock: Clock
  readonly rate?: BucketRate
  readonly limits?: HttpLimits
}

/** Requests of one source block. A log asks every few seconds at most, and several may stand behind one address. */
export const WITNESS_RATE: BucketRate = { burst: 60, perSecond: 4 }
const SOURCES = 4_096
export const WITNESS_LIMITS: HttpLimits = { ...HTTP_LIMITS, bodyTimeoutMs: LIMITS.witnessBodyMs }
const CHECKPOINT_PATH = /^\/([0-9a-f]{64})\/checkpoint$/

/**
 * Opens the listener of a witness: `POST /add-checkpoint` and `GET /<SHA-256 of the origin>/checkpoint`
 * (c2sp.org/tlog-witness). There is no credential but the signatures of the logs. Throws `listener.exposed`,
 * `listener.unavailable`.
 */
export async function openWitnessServer(parts: WitnessServerParts): Promise<RunningServer> {
  const { at, clock, tls, limits = WITNESS_LIMITS, rate = WITNESS_RATE } = parts
  const sources = new Sources(parts.trustedProxies)
  const connections = new Connections({
    most: limits.connections,
    strangersPerBlock: limits.strangersPerBlock,
    isTrusted: (peer) => sources.isTrustedProxy(peer),
    onDrop: () => undefined,
  })
  const serving = { parts, limits, sources, buckets: new TokenBuckets(rate, SOURCES, clock), reading: 0 }
  const server = httpServer(
    (request, response) => void serve(request, response, serving),
    (_error, socket) => socket.destroy(),
    tls,
    limits,
  )
  const { expiryCheckMs } = limits
  const listening = await Listening.open(server, { at, sources, connections, clock, expiryCheckMs })
  const { address, port, rule } = listening
  return { address, port, rule, close: () => listening.close() }
}

interface Serving {
  readonly parts: WitnessServerParts
  readonly limits: HttpLimits
  readonly sources: Sources
  readonly buckets: TokenBuckets
  /** Requests whose bodies are being read or answered. */
  reading: number
}

async function serve(request: IncomingMessage, response: ServerResponse, serving: Serving): Promise<void> {
  request.on('error', () => undefined)
  response.on('error', () => undefined)
  const refusal = refusalOf(request, serving)
  if (refusal !== undefined) {
    sendAndClose(request, response, refusal, serving.limits.lingerMs)
    return
  }
  serving.reading += 1
  const reply = await replyTo(request, serving).catch(() => text(503, 'the witness cannot remember it now'))
  serving.reading -= 1
  if (reply === undefined) {
    request.destroy()
    return
  }
  if (!request.complete) {
    sendAndClose(request, response, reply, serving.limits.lingerMs)
    return
  }
  send(response, reply)
  limitStall(response, serving.limits.stalledReplyMs)
}

/** What is refused before any byte of the body is read. */
function refusalOf(
  request: IncomingMessage,
  { parts, sources, buckets, reading }: Serving,
): Reply | undefined {
  const { url = '', method = '', headers, socket } = request
  const isRead = CHECKPOINT_PATH.test(url)
  if (!isRead && url !== '/add-checkpoint') return text(404, 'not found')
  const wanted = isRead ? 'GET' : 'POST'
  if (method !== wanted) return text(405, 'method not allowed', ['allow', wanted])
  const peer = plainAddress(socket.remoteAddress ?? '')
  const source = sourceBlock(sources.sourceOf(peer, String(headers['x-forwarded-for'] ?? '')))
  const now = parts.clock.monotonic()
  const wait = buckets.wait(source, now)
  if (wait > 0) return text(429, 'too many requests', ['retry-after', String(wait)])
  buckets.of(source, now).take()
  if (reading >= LIMITS.witnessRequests) return text(503, 'too many requests at once', ['retry-after', '1'])
  const isLarge = Number(headers['content-length'] ?? 0) > LIMITS.witnessRequestBytes
  return isLarge ? text(413, 'the request is too large') : undefined
}

/** Undefined when whoever asked is gone. */
async function replyTo(request: IncomingMessage, { parts, limits }: Serving): Promise<Reply | undefined> {
  const [, hash] = CHECKPOINT_PATH.exec(request.url ?? '') ?? []
  if (hash !== undefined) {
    const note = parts.witness.newest(hash)
    return note === undefined ? text(404, 'no checkpoint of this log') : text(200, note.slice(0, -1))
  }
  const body = await bodyOf(request, limits.bodyTimeoutMs)
  if (body === 'gone') return undefined
  if (body === 'large') return text(413, 'the request is too large')
  if (body === 'slow') return text(408, 'the request came too slowly')
  const { status, type, body: told } = await parts.witness.add(Buffer.from(body).toString('utf8'))
  return reply(status, type, told)
}

/** The whole body, up to the limit: it is small, so no more than a few megabytes are ever held. */
function bodyOf(
  request: IncomingMessage,
  timeoutMs: number,
): Promise<Uint8Array | 'large' | 'slow' | 'gone'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let size = 0
    const timer = setTimeout(() => end('slow'), timeoutMs)
    const end = (result: Uint8Array | 'large' | 'slow' | 'gone'): void => {
      clearTimeout(timer)
      request.off('data', onData).off('end', onEnd).off('close', onGone)
      resolve(result)
    }
    const onData = (chunk: Buffer): void => {
      size += chunk.length
      if (size > LIMITS.witnessRequestBytes) end('large')
      else chunks.push(chunk)
    }
    const onEnd = (): void => end(Buffer.concat(chunks))
    const onGone = (): void => end('gone')
    request.on('data', onData).on('end', onEnd).on('close', onGone)
  })
}

function text(status: number, body: string, more: readonly string[] = []): Reply {
  return reply(status, 'text/plain; charset=utf-8', `${body}\n`, more)
}

function reply(status: number, type: string, body: string, more: readonly string[] = []): Reply {
  const length = String(Buffer.byteLength(body))
  const headers = ['content-type', type, 'content-length', length, 'x-content-type-options', 'nosniff']
  return { status, headers: [...headers, 'cache-control', 'no-store', ...more], body }
}
