import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { pathToFileURL } from 'node:url'
import { wrongWith } from './otlp_shape.ts'

/**
 * A receiver of OTLP over HTTP with JSON, which checks strictly what it gets and answers as it is told to. Also a program of
 * its own: `node test/fakes/otlp_receiver.ts [port]` prints one line of JSON with its origin, and serves `GET /received`
 * and `POST /behave/<behaviour>`.
 */
export interface OtlpReceiver {
  readonly origin: string
  /** Every request, those too that were refused. */
  readonly received: readonly ReceivedExport[]
  /** What it does from now on. */
  does(behaviour: Behaviour): void
  /** Resolves when the next request has arrived complete. */
  next(): Promise<ReceivedExport>
  close(): Promise<void>
}

export interface ReceivedExport {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
  /** What is not as OTLP has it. */
  readonly wrong: readonly string[]
  /** Milliseconds since 1970. */
  readonly at: number
}

type Behave = (response: ServerResponse, path: string) => void

export const BEHAVIOURS = {
  takes: (response) => json(response, 200, '{}'),
  takes_with_nothing: (response) => json(response, 200, ''),
  rejects_two: (response, path) => partial(response, path, '"2"'),
  rejects_two_as_number: (response, path) => partial(response, path, '2'),
  /** More than it was sent, and what is no number of anything. */
  lies_more: (response, path) => partial(response, path, '"9007199254740991"'),
  lies_less: (response, path) => partial(response, path, '"-5"'),
  lies_oddly: (response, path) => partial(response, path, '{"toString":1}'),
  lies_nested: (response) => json(response, 200, `${'['.repeat(20_000)}${']'.repeat(20_000)}`),
  lies_in_words: (response) =>
    response.writeHead(200, { 'content-type': 'text/html' }).end('<html>thanks</html>'),
  lies_endlessly: (response) => {
    const more = (): void => {
      while (!response.destroyed && response.write(Buffer.alloc(65_536, 0x20)));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  },
  refuses: (response) => json(response, 400, '{"message":"no"}'),
  refuses_key: (response) => json(response, 401, '{}'),
  fails: (response) => json(response, 500, '{}'),
  unavailable: (response) => json(response, 503, '{}'),
  bad_gateway: (response) => json(response, 502, '{}'),
  gateway_timeout: (response) => json(response, 504, '{}'),
  limits: (response) => json(response, 429, '{}', { 'retry-after': '0' }),
  limits_for_a_second: (response) => json(response, 429, '{}', { 'retry-after': '1' }),
  limits_by_date: (response) =>
    json(response, 503, '{}', { 'retry-after': new Date(Date.now() + 1_000).toUTCString() }),
  limits_for_ever: (response) => json(response, 503, '{}', { 'retry-after': '999999999' }),
  redirects: (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/stolen' }).end(),
  hangs_up: (response) => void response.socket?.destroy(),
  silent: () => undefined,
} as const satisfies Readonly<Record<string, Behave>>

export type Behaviour = keyof typeof BEHAVIOURS

export async function startOtlpReceiver(
  port = 0,
  tls?: { readonly cert: string; readonly key: string },
): Promise<OtlpReceiver> {
  const received: ReceivedExport[] = []
  const waiting: ((one: ReceivedExport) => void)[] = []
  let behaviour: Behaviour = 'takes'
  const take = (request: IncomingMessage, response: ServerResponse): void => {
    response.on('error', () => undefined)
    void bodyOf(request).then((body) => {
      const path = request.url ?? ''
      if (request.method === 'GET') return json(response, 200, JSON.stringify(received))
      const asked = /^\/behave\/(\w+)$/.exec(path)?.[1]
      if (asked !== undefined) {
        behaviour = asked as Behaviour
        return json(response, 200, '{}')
      }
      const one = { path, headers: request.headers, body, wrong: judge(request, body), at: Date.now() }
      received.push(one)
      for (const resolve of waiting.splice(0)) resolve(one)
      return BEHAVIOURS[behaviour](response, path)
    })
  }
  const server = tls === undefined ? createServer(take) : createTlsServer(tls, take)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    origin: `${tls === undefined ? 'http://127.0.0.1' : 'https://localhost'}:${(server.address() as AddressInfo).port}`,
    received,
    does: (next) => void (behaviour = next),
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function judge(request: IncomingMessage, body: string): readonly string[] {
  const { method, headers, url = '' } = request
  const wrong = [...wrongWith(url.replace(/^\/prefix/, ''), body)]
  if (method !== 'POST') wrong.push(`the method is ${method ?? ''}`)
  if (headers['content-type'] !== 'application/json') wrong.push('the content type is another one')
  if (headers['content-length'] === undefined) wrong.push('the length is not told')
  return wrong
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return ''
  }
  return Buffer.concat(chunks).toString()
}

function partial(response: ServerResponse, path: string, count: string): void {
  const member = path.endsWith('/traces') ? 'rejectedSpans' : 'rejectedDataPoints'
  json(response, 200, `{"partialSuccess":{"${member}":${count},"errorMessage":"some were old"}}`)
}

function json(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const receiver = await startOtlpReceiver(Number(process.argv[2] ?? 0))
  console.log(JSON.stringify({ origin: receiver.origin, pid: process.pid }))
  process.on('SIGTERM', () => void receiver.close().then(() => process.exit(0)))
}
