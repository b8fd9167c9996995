import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate, setTimeout } from 'node:timers/promises'
import {
  errorEvent,
  eventsOf,
  TOKENS_IN,
  wholeOf,
  type Script,
  type SpokenApi,
  type SpokenEvent,
} from './streamed_answers.ts'

/**
 * A real HTTP server that speaks chat completions, responses, embeddings and messages, streamed and whole. It says what a
 * test puts into `says`, and the name of the model tells the way in which it does.
 */
export interface StreamingUpstream {
  readonly origin: string
  says: Script
  /** What has arrived, in order. */
  readonly received: readonly StreamedRequest[]
  /** Answers that are still being sent. */
  readonly open: () => number
  /** Bytes that were handed to the sockets. */
  readonly sent: () => number
  /** Resolves when the next answer was left by the other side before its end. */
  readonly nextHangUp: () => Promise<void>
  readonly close: () => Promise<void>
}

export interface StreamedRequest {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Readonly<Record<string, unknown>> & { readonly model: string }
}

interface Answering {
  readonly api: SpokenApi
  readonly script: Script
  readonly response: ServerResponse
  readonly write: (bytes: string | Uint8Array) => Promise<void>
}

type Way = (answering: Answering) => Promise<void>

/** Headers that are nobody's business but ours. */
const UNWANTED = { 'x-upstream-secret': 'do-not-forward', 'set-cookie': 'a=b' }
const HUGE = 9_000_000
const SO_ON = 'and so on '

/** How an answer can be sent. */
export const WAYS = {
  /** Each event by itself. */
  normal: async ({ api, script, response, write }) => {
    for (const event of eventsOf(api, script)) await write(print(event))
    response.end()
  },
  /** A byte at a time, which cuts every character, escape and line. */
  bytes: async ({ api, script, response, write }) => {
    const bytes = Buffer.from(eventsOf(api, script).map(print).join(''))
    for (const byte of bytes) {
      await write(Buffer.of(byte))
      await setImmediate()
    }
    response.end()
  },
  /** Every letter that is not plain ASCII, and every third one, is written as an escape, in pieces of five bytes. */
  escaped: async ({ api, script, response, write }) => {
    const bytes = Buffer.from(
      eventsOf(api, script)
        .map((event) => escape(print(event)))
        .join(''),
    )
    for (let at = 0; at < bytes.length; at += 5) {
      await write(bytes.subarray(at, at + 5))
      await setImmediate()
    }
    response.end()
  },
  /** Comments, other line ends and fields that nobody needs, all in one piece. */
  odd: async ({ api, script, response, write }) => {
    const text = eventsOf(api, script)
      .map((event) => `: keep-alive\r\nid: 7\r\nretry: 1\r\n${print(event).replaceAll('\n', '\r\n')}`)
      .join(':\r\n\r\n')
    await write(text)
    response.end()
  },
  /** The connection breaks in the middle of an event. */
  cut: async ({ api, script, response, write }) => {
    await write(firstHalf(api, script))
    await write('data: {"type":')
    await setTimeout(20)
    response.destroy()
  },
  /** A good end of the connection, but not of the answer. */
  early: async ({ api, script, response, write }) => {
    await write(firstHalf(api, script))
    response.end()
  },
  error: async ({ api, script, response, write }) => {
    await write(firstHalf(api, script))
    await write(print(errorEvent(api, `It failed with ${script.text ?? ''}`)))
    response.end()
  },
  malformed: async ({ api, script, response, write }) => {
    await write(firstHalf(api, script))
    await write('data: {"choices": [}\n\n')
    response.end()
  },
  silent: async ({ api, script, write }) => {
    await write(firstHalf(api, script))
  },
  headless: async () => Promise.resolve(),
  slow: async ({ api, script, response, write }) => {
    for (const event of eventsOf(api, script)) {
      await write(print(event))
      await setTimeout(5)
    }
    response.end()
  },
  endless: async ({ api, script, response, write }) => {
    const events = eventsOf(api, { ...script, text: SO_ON, pieceLength: SO_ON.length })
    const at = events.findIndex((event) => print(event).includes(SO_ON))
    const [before, more] = [events.slice(0, at), events[at]]
    await write(before.map(print).join(''))
    const so = more === undefined ? '' : print(more).repeat(50)
    while (!response.destroyed) await write(so)
  },
  huge: async ({ api, script, response, write }) => {
    for (const event of eventsOf(api, { ...script, text: 'so long '.repeat(HUGE / 8), pieceLength: HUGE }))
      await write(print(event))
    response.end()
  },
  rejecting: async ({ script, response }) => {
    const error = { type: 'invalid_request_error', code: 'invalid_value', message: script.text ?? '' }
    response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ error }))
    return Promise.resolve()
  },
  /** No stream, although one was asked for. */
  whole: async ({ api, script, response }) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(wholeOf(api, script)))
    return Promise.resolve()
  },
} satisfies Readonly<Record<string, Way>>

export type WayName = keyof typeof WAYS

export async function startStreamingUpstream(): Promise<StreamingUpstream> {
  const received: StreamedRequest[] = []
  const onHangUp: (() => void)[] = []
  let open = 0
  let sent = 0
  const server = createServer((request, response) => {
    open += 1
    response
      .on('error', () => undefined)
      .on('close', () => {
        open -= 1
        if (!response.writableEnded) onHangUp.splice(0).forEach((resolve) => resolve())
      })
    void answer(request, response)
  })
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const taken = await readAll(request)
    received.push(taken)
    const api = apiOf(taken.url)
    const script = fake.says
    if (taken.url.endsWith('/count_tokens')) return sendJson(response, { input_tokens: TOKENS_IN })
    if (api === undefined) return sendJson(response, embeddings())
    if (taken.body['stream'] !== true) return sendJson(response, wholeOf(api, script))
    const write = async (bytes: string | Uint8Array): Promise<void> => {
      if (response.destroyed) return
      if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream', ...UNWANTED })
      sent += bytes.length
      if (response.write(bytes)) return
      await new Promise((resolve) => response.once('drain', resolve).once('close', resolve))
    }
    await WAYS[taken.body.model as WayName]({ api, script, response, write })
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: StreamingUpstream = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    says: {},
    received,
    open: () => open,
    sent: () => sent,
    nextHangUp: () => new Promise((resolve) => onHangUp.push(resolve)),
    close: () => stop(server),
  }
  return fake
}

function print([name, data]: SpokenEvent): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${text}\n\n`
}

function firstHalf(api: SpokenApi, script: Script): string {
  const events = eventsOf(api, script)
  return events
    .slice(0, Math.ceil(events.length / 2))
    .map(print)
    .join('')
}

/** Only inside strings, and no letter that is part of an escape already. */
function escape(event: string): string {
  let at = 0
  return event.replaceAll(/(?<=": ?)"(?:[^"\\]|\\.)*"/g, (text) =>
    text.replaceAll(/\\u....|\\.|[^"]/gsu, (one) => {
      at += 1
      if (one.startsWith('\\') || (one <= '~' && at % 3 > 0)) return one
      return Array.from({ length: one.length }, (_, unit) => hexEscape(one.charCodeAt(unit))).join('')
    }),
  )
}

function hexEscape(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}

function apiOf(url: string): SpokenApi | undefined {
  if (url.endsWith('/chat/completions')) return 'chat'
  if (url.endsWith('/responses')) return 'responses'
  return url.includes('/messages') ? 'messages' : undefined
}

function embeddings(): object {
  return {
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }],
    model: 'upstream',
    usage: { prompt_tokens: TOKENS_IN, total_tokens: TOKENS_IN },
  }
}

async function readAll(request: IncomingMessage): Promise<StreamedRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  const body = JSON.parse(Buffer.concat(chunks).toString()) as StreamedRequest['body']
  return { url: request.url ?? '', headers: request.headers, body }
}

function sendJson(response: ServerResponse, value: object): void {
  response.writeHead(200, { 'content-type': 'application/json', ...UNWANTED }).end(JSON.stringify(value))
}

async function stop(server: Server): Promise<void> {
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
}
