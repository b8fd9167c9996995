import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A real HTTP server that speaks Anthropic's Messages, and misbehaves when asked to by the name of the model. */
export interface FakeMessagesUpstream {
  readonly origin: string
  /** What has arrived, in order. */
  readonly received: readonly ReceivedMessage[]
  readonly close: () => Promise<void>
}

export interface ReceivedMessage {
  readonly url: string
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: { readonly model: string; readonly [name: string]: unknown }
}

export type Behave = (response: ServerResponse, received: ReceivedMessage) => void

function errorOf(status: number, type: string, headers: Readonly<Record<string, string>> = {}): Behave {
  return (response, { body }) =>
    send(response, status, { type: 'error', error: { type, message: JSON.stringify(body) } }, headers)
}

const BEHAVIOURS: Readonly<Record<string, Behave>> = {
  unauthorized: errorOf(401, 'authentication_error'),
  forbidden: errorOf(403, 'permission_error'),
  unpaid: errorOf(402, 'billing_error'),
  missing: errorOf(404, 'not_found_error'),
  rejecting: errorOf(400, 'invalid_request_error'),
  rejecting_oddly: errorOf(400, 'planted_error'),
  rejecting_with_key: (response, { headers }) =>
    send(response, 400, { type: 'error', error: { type: 'api_error', message: headers['x-api-key'] } }),
  too_large: errorOf(413, 'request_too_large'),
  limited: errorOf(429, 'rate_limit_error', { 'retry-after': '7' }),
  limited_for_ever: errorOf(429, 'rate_limit_error', { 'retry-after': '99999999' }),
  failing: errorOf(500, 'api_error'),
  slow: errorOf(504, 'timeout_error'),
  overloaded: errorOf(529, 'overloaded_error'),
  error_with_200: errorOf(200, 'api_error'),
  not_json: (response) => response.end('<html>Bad Gateway</html>'),
  no_content: (response) => send(response, 200, { type: 'message', role: 'assistant' }),
  a_list: (response) => send(response, 200, []),
  redirect: (response) => response.writeHead(307, { location: 'http://127.0.0.1:1/stolen' }).end(),
  silent: () => {},
  echo_key: (response, { headers }) => send(response, 200, message('x', String(headers['x-api-key']))),
  no_usage: (response) => send(response, 200, { ...message('x', 'hello'), usage: null }),
}

/** `more` are behaviours besides those above, by the name of the model. */
export async function startFakeMessagesUpstream(
  more: Readonly<Record<string, Behave>> = {},
): Promise<FakeMessagesUpstream> {
  const received: ReceivedMessage[] = []
  const behaviours = { ...BEHAVIOURS, ...more }
  const server = createServer((request, response) => void take(request, response, { received, behaviours }))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    close: () => stop(server),
  }
}

async function take(
  request: IncomingMessage,
  response: ServerResponse,
  { received, behaviours }: { received: ReceivedMessage[]; behaviours: Readonly<Record<string, Behave>> },
): Promise<void> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = JSON.parse(Buffer.concat(chunks).toString()) as ReceivedMessage['body']
  const taken = { url: request.url ?? '', headers: request.headers, body }
  received.push(taken)
  const behave = Object.hasOwn(behaviours, body.model) ? behaviours[body.model] : undefined
  if (behave !== undefined) behave(response, taken)
  else if (taken.url.includes('/count_tokens')) send(response, 200, { input_tokens: 21 })
  else send(response, 200, message(body.model, 'hello from the fake'))
}

/** Answers with server-sent events, each a piece of its own. */
export function events(...values: readonly (object | string)[]): Behave {
  return (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8' })
    for (const value of values)
      response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`)
    response.end()
  }
}

export function message(model: string, text: string): object {
  return {
    id: 'msg_fake',
    type: 'message',
    role: 'assistant',
    model,
    content: [{ type: 'text', text, citations: null }],
    stop_reason: 'end_turn',
    stop_sequence: null,
    stop_details: null,
    usage: {
      input_tokens: 9,
      cache_creation_input_tokens: 20,
      cache_read_input_tokens: 300,
      output_tokens: 4,
      service_tier: 'standard',
    },
  }
}

function send(
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
