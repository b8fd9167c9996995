import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Fault } from '../../src/base/fault.ts'
import { newEntryId } from '../../src/base/ids.ts'
import { Metrics } from '../../src/base/metrics.ts'
import type { EntryDraft } from '../../src/base/recorder.ts'
import { FloodGuard } from '../../src/door/flood_guard.ts'
import type { GuardedRoute } from '../../src/door/guarded.ts'
import type { Method } from '../../src/door/route.ts'
import type { Outcome } from '../../src/door/outcome.ts'
import { RequestMetrics } from '../../src/door/request_metrics.ts'
import { HTTP_LIMITS, type HttpLimits } from '../../src/faces/http/http_server.ts'
import type { ListenerAsk } from '../../src/faces/http/listener.ts'
import { openServer, type RunningServer, type ServerParts } from '../../src/faces/http/server.ts'
import { ENDLESS } from './door_parts.ts'
import { RawConnection, type RawReply } from './raw_http.ts'

export const HEAD = 'Host: door\r\nAuthorization: Bearer real-1\r\n'
export const STRANGER = 'Host: door\r\n'
export const ASK: ListenerAsk = {
  name: 'door',
  hasTls: false,
  hasCredential: true,
  hasProxies: false,
  exception: undefined,
}

export function answer(json: string): Outcome {
  return { kind: 'answer', status: 200, json }
}

export function refusal(thrown: unknown): Outcome {
  assert.ok(thrown instanceof Fault, String(thrown))
  return { kind: 'refusal', fault: thrown, stage: 'parse' }
}

export function route(
  method: Method,
  at: string,
  handle: GuardedRoute['handle'],
  envelope: GuardedRoute['envelope'] = 'openai',
): GuardedRoute {
  return {
    name: at,
    listener: 'door',
    method,
    path: at,
    media: 'json',
    envelope,
    credentialAt: 'headers',
    action: 'model:infer',
    handle,
  }
}

/** Reads the body and says what it is. */
export const READ = route('POST', '/v1/read', async (incoming) => {
  try {
    const body = await incoming.body(ENDLESS)
    return answer(
      JSON.stringify({ bytes: body.length, text: Buffer.from(body).toString('latin1').slice(0, 100) }),
    )
  } catch (thrown) {
    return refusal(thrown)
  }
})

/** Refuses without reading the body, as the door does with a stranger. */
export const REFUSE = route('POST', '/v1/refuse', () => Promise.resolve(refusal(new Fault('caller.unknown'))))

export const SHOW = route('GET', '/v1/show/{name}', async ({ id, credential, address, params, query }) => {
  await Promise.resolve()
  return answer(JSON.stringify({ id, credential: credential.kind, address, params, query }))
})

/** A server with a few routes and no door behind it, on a port of its own. */
export interface Rig {
  readonly server: RunningServer
  readonly digests: EntryDraft[]
  readonly guard: FloodGuard
  readonly metrics: Metrics
  readonly open: () => Promise<RawConnection>
  /** Sends a whole request and gives its reply. */
  readonly ask: (text: string) => Promise<RawReply>
}

/** Opens one for a test. */
export async function rig(
  t: TestContext,
  changes: Partial<ServerParts> = {},
  limits: Partial<HttpLimits> = {},
): Promise<Rig> {
  const digests: EntryDraft[] = []
  const clock = { now: () => 0, monotonic: () => 0 }
  const guard = new FloodGuard({
    clock,
    recorder: { appendLater: (make) => digests.push(make()) },
    newId: newEntryId,
  })
  const metrics = new Metrics()
  const requests = new RequestMetrics(metrics)
  const server = await openServer({
    at: { kind: 'tcp', address: { host: '127.0.0.1', port: 0 }, ask: ASK },
    tls: undefined,
    trustedProxies: [],
    routes: [READ, REFUSE, SHOW],
    guard,
    looksReal: (credential) =>
      credential.kind === 'bearer' && credential.token.open((token) => token.startsWith('real')),
    clock,
    newId: newEntryId,
    metrics: requests,
    onDrop: (peer, reason) => {
      guard.dropped(peer)
      requests.dropped(reason)
    },
    readiness: () => ({ isReady: true, reasons: [] }),
    bodyBytes: 1_000_000,
    ...changes,
    limits: { ...HTTP_LIMITS, lingerMs: 200, drainMs: 5_000, ...limits },
  })
  const connections: RawConnection[] = []
  t.after(async () => {
    for (const connection of connections) connection.destroy()
    await server.close()
  })
  const open = async (): Promise<RawConnection> => {
    const connection = await RawConnection.open({ port: server.port, host: '127.0.0.1' })
    connections.push(connection)
    return connection
  }
  const ask = async (text: string): Promise<RawReply> => {
    const connection = await open()
    const reply = await connection.write(text).reply()
    assert.ok(reply !== undefined, `no reply to ${JSON.stringify(text.slice(0, 80))}`)
    return reply
  }
  return { server, digests, guard, metrics, open, ask }
}

export function codeOf(reply: RawReply | undefined): string {
  if (reply === undefined) return 'closed'
  const body = JSON.parse(reply.body)
  return String(body.error?.code ?? body.code ?? reply.status)
}

export function post(body: string, more = '', at = '/v1/read'): string {
  return `POST ${at} HTTP/1.1\r\n${HEAD}Content-Type: application/json\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
}

/** The server must still answer a plain request after whatever was done to it. */
export async function assertAlive({ ask }: Rig): Promise<void> {
  assert.equal((await ask(`GET /v1/show/x HTTP/1.1\r\n${HEAD}\r\n`)).status, 200)
}
