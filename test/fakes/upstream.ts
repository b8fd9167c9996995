import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'

/**
 * A real HTTP server that speaks OpenAI's chat API, and misbehaves when asked to by the name of the model or, for any
 * path, by `/behave/<name>/…`. Runs in process (`startFakeUpstream`) or on its own:
 * `node test/fakes/upstream.ts [port]` prints one line of JSON with its origin and serves `GET /received`.
 */
export interface FakeUpstream {
  readonly origin: string
  /** What has arrived, complete requests only, in order. */
  readonly received: readonly Received[]
  /** Resolves when the next connection with a request on it has been closed by the other side. */
  readonly nextHangUp: () => Promise<void>
  /** Resolves when the next request has arrived complete. */
  readonly nextRequest: () => Promise<Received>
  readonly close: () => Promise<void>
}

export interface Received {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

interface Reply {
  readonly received: Received
  readonly model: string
  readonly response: ServerResponse
  readonly socket: Socket
}

/** What a server may make of the key that it got, as bytes of a JSON string. */
export const DISGUISES: Readonly<Record<string, (key: string) => string>> = {
  unicode_escapes: (key) =>
    Array.from(key, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
  escaped_slashes: (key) => key.replaceAll('/', '\\/'),
  escaped_twice: (key) => `{\\"authorization\\": \\"${key.replace('e', '\\\\u0065')}\\"}`,
  base64: (key) => Buffer.from(key).toString('base64'),
  base64_of_header: (key) => Buffer.from(`Bearer ${key}; q=1`).toString('base64'),
  base64_of_pair: (key) => Buffer.from(`me:${key}`).toString('base64'),
  base64url: (key) => Buffer.from(`k=${key}`).toString('base64url'),
  percent: (key) => Array.from(key, (letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''),
  hexadecimal: (key) => Buffer.from(key).toString('hex'),
}

const ENDLESS_CHUNK = Buffer.alloc(65_536, 0x20)

export const BEHAVIOURS: Readonly<Record<string, (reply: Reply) => void>> = {
  stall_headers: () => {},
  stall_body: ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('{"object":')
  },
  drip: ({ response }) => {
    response.writeHead(200, { 'content-type': 'application/json' })
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
  },
  early_close: ({ response, socket }) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 })
    response.write('{"object":', () => socket.destroy())
  },
  close_without_answer: ({ socket }) => socket.destroy(),
  garbage: ({ socket }) => socket.end('\u0000\u0001 this is not HTTP at all\r\n\r\n'),
  two_lengths: ({ socket }) =>
    socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 9\r\n\r\n{}'),
  not_json: ({ response }) => response.end('<html>Bad Gateway</html>'),
  not_utf8: ({ response }) => response.end(Buffer.from([0x7b, 0xff, 0x7d])),
  wrong_shape: ({ response }) => sendJson(response, 200, { object: 'list', data: [] }),
  error_with_200: ({ response }) => sendJson(response, 200, { error: { message: 'no' } }),
  nested: ({ response }) => response.end(`{"choices":${'['.repeat(10_000)}${']'.repeat(10_000)}}`),
  crowded: ({ response }) => response.end(`{"choices":[${'[],'.repeat(600_000)}0]}`),
  /** As an answer with the bytes of all likely tokens is. */
  detailed: ({ model, response }) =>
    sendJson(response, 200, {
      ...completion(model, 'hello'),
      bytes: Array.from({ length: 300_000 }, () => 1),
    }),
  empty: ({ response }) => response.writeHead(204).end(),
  endless: ({ response }) => {
    const more = (): void => {
      while (!response.destroyed && response.write(ENDLESS_CHUNK));
      if (!response.destroyed) response.once('drain', more)
    }
    more()
  },
  too_long: ({ response }) => response.writeHead(200, { 'content-length': 1_000_000_000 }).flushHeaders(),
  limited: ({ response }) =>
    sendJson(response, 429, { error: { message: 'slow down' } }, { 'retry-after': '7' }),
  limited_oddly: ({ response }) =>
    sendJson(response, 429, { error: {} }, { 'retry-after': 'Wed, 21 Oct 2099 07:28:00 GMT' }),
  limited_for_ever: ({ response }) => sendJson(response, 429, {}, { 'retry-after': '99999999999' }),
  unauthorized: ({ response, received }) =>
    sendJson(response, 401, {
      error: { message: `Incorrect API key: ${keyOf(received)}`, code: 'invalid_api_key' },
    }),
  forbidden: ({ response, received }) => sendJson(response, 403, { error: { message: keyOf(received) } }),
  rejecting: ({ response, received }) =>
    sendJson(response, 400, {
      error: { message: `You sent: ${received.body}`, param: 'max_tokens', code: 'context_length_exceeded' },
    }),
  rejecting_oddly: ({ response }) =>
    sendJson(response, 422, { error: { param: 'x-planted', code: 'planted' } }),
  /** Long, and with a credential across the place where a reader may cut. */
  rejecting_at_length: ({ response, received }) =>
    sendJson(response, 400, { error: { message: (JSON.parse(received.body) as { user: string }).user } }),
  rejecting_with_key: ({ response, received }) =>
    sendJson(response, 400, { error: { message: `Wrong use of ${keyOf(received)}` } }),
  echo_key: ({ response, received, model }) => sendJson(response, 200, completion(model, keyOf(received))),
  missing: ({ response }) => response.writeHead(404).end('no such model'),
  failing: ({ response }) => sendJson(response, 500, { error: { message: 'stack trace' } }),
  teapot: ({ response }) => sendJson(response, 418, {}),
  redirect: ({ response }) => response.writeHead(307, { location: 'http://127.0.0.1:1/stolen' }).end(),
  gzip: ({ response, model }) =>
    response
      .writeHead(200, { 'content-encoding': 'gzip' })
      .end(gzipSync(JSON.stringify(completion(model, 'zip')))),
  huge_header: ({ response, model }) => {
    response.setHeader('x-long', 'x'.repeat(100_000))
    sendJson(response, 200, completion(model, 'hello'))
  },
  informational: ({ response, model }) => {
    response.writeProcessing()
    sendJson(response, 200, completion(model, 'after 102'))
  },
  /** Answers with the text of the last message, so that a test decides what an answer holds. */
  parrot: ({ response, received, model }) => {
    const { messages } = JSON.parse(received.body) as { messages: { content: string }[] }
    sendJson(response, 200, completion(model, messages.at(-1)?.content ?? ''))
  },
}

/** `disguised_<disguise>`, `disguised_name_<disguise>` and `disguised_error_<disguise>` send the key back. */
const ECHOES = Object.entries(DISGUISES).flatMap(([disguise, of]) => {
  const hidden = ({ received }: Reply): string =>
    of(
      keyOf(received)
        .trim()
        .replace(/^Bearer /, ''),
    )
  const send = ({ response }: Reply, status: number, json: string): void =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(json)
  const choices = '"choices":[{"index":0,"message":{"role":"assistant","content":'
  return [
    [`disguised_${disguise}`, (reply: Reply) => send(reply, 200, `{${choices}"${hidden(reply)}"}}]}`)],
    [
      `disguised_name_${disguise}`,
      (reply: Reply) => send(reply, 200, `{${choices}"x"}}],"${hidden(reply)}":1}`),
    ],
    [
      `disguised_error_${disguise}`,
      (reply: Reply) => send(reply, 400, `{"error":{"message":"Wrong use of ${hidden(reply)}"}}`),
    ],
  ] as const
})
/** The names of those behaviours. */
export const KEY_ECHOES: readonly string[] = ECHOES.map(([name]) => name)
const ECHOING = new Map<string, (reply: Reply) => void>(ECHOES)

export async function startFakeUpstream(port = 0): Promise<FakeUpstream> {
  const received: Received[] = []
  const onRequest: ((request: Received) => void)[] = []
  const onHangUp: (() => void)[] = []
  const server = createServer((request, response) => {
    request.socket.setMaxListeners(0).once('close', () => onHangUp.splice(0).forEach((resolve) => resolve()))
    response.on('error', () => {})
    void take(request, response, { received, onRequest })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    nextRequest: () => new Promise((resolve) => onRequest.push(resolve)),
    nextHangUp: () => new Promise((resolve) => onHangUp.push(resolve)),
    close: () => stop(server),
  }
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  log: { received: Received[]; onRequest: ((request: Received) => void)[] },
): Promise<void> {
  const body = await readAll(request)
  const taken: Received = {
    method: request.method ?? '',
    url: request.url ?? '',
    headers: request.headers,
    body,
  }
  if (taken.url === '/received') return sendJson(response, 200, log.received)
  log.received.push(taken)
  log.onRequest.splice(0).forEach((resolve) => resolve(taken))
  const model = modelOf(body)
  const name = /^\/behave\/(\w+)/.exec(taken.url)?.[1] ?? model
  const behave = Object.hasOwn(BEHAVIOURS, name) ? BEHAVIOURS[name] : ECHOING.get(name)
  if (behave !== undefined) return behave({ received: taken, model, response, socket: request.socket })
  sendJson(response, 200, completion(model, 'hello from the fake'), { 'x-upstream-secret': 'do-not-forward' })
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch {
    return ''
  }
  return Buffer.concat(chunks).toString()
}

function modelOf(body: string): string {
  try {
    return String((JSON.parse(body) as { model: unknown }).model)
  } catch {
    return ''
  }
}

function keyOf({ headers }: Received): string {
  return [headers['authorization'], headers['api-key']].flat().join(' ')
}

export function completion(model: string, content: string): object {
  return {
    id: 'chatcmpl-fake',
    object: 'chat.completion',
    created: 1_700_000_000,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content }, logprobs: null, finish_reason: 'stop' }],
    usage: { prompt_tokens: 9, completion_tokens: 4, total_tokens: 13 },
    vendor_extension: { kept: true },
  }
}

function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const fake = await startFakeUpstream(Number(process.argv[2] ?? 0))
  console.log(JSON.stringify({ origin: fake.origin, pid: process.pid }))
  process.on('SIGTERM', () => void fake.close().then(() => process.exit(0)))
}
