import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout } from 'node:timers/promises'

/** What a request asks this server to do, as JSON in its last message. */
export interface Told {
  readonly in?: number
  readonly out?: number
  readonly cached?: number
  readonly written?: number
  /** A status other than 200 answers an error. */
  readonly status?: number
  /** False leaves the usage out. */
  readonly usage?: boolean
  /** Milliseconds before the answer; of a stream before its end. Negative for never. */
  readonly wait?: number
  /** Breaks the connection instead of answering. */
  readonly cut?: boolean
  readonly text?: string
}

export interface MeteredUpstream {
  readonly origin: string
  readonly received: readonly Readonly<Record<string, unknown>>[]
  /** Requests that were not answered to their end. */
  readonly open: () => number
  readonly close: () => Promise<void>
}

/** A real HTTP server that speaks OpenAI's chat and takes as many tokens as it is told to. */
export async function startMeteredUpstream(): Promise<MeteredUpstream> {
  const received: Record<string, unknown>[] = []
  const open = new Set<ServerResponse>()
  const server = createServer((request, response) => {
    open.add(response)
    response.on('close', () => open.delete(response))
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const body = JSON.parse(Buffer.concat(pieces).toString()) as Asked
      received.push(body)
      void answer(body, response)
    })
  })
  server.listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  return {
    origin: `http://127.0.0.1:${port}`,
    received,
    open: () => open.size,
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

interface Asked extends Record<string, unknown> {
  readonly model: string
  readonly stream?: boolean
  readonly messages: readonly { readonly content: string }[]
}

async function answer({ model, stream, messages }: Asked, response: ServerResponse): Promise<void> {
  const told = toldIn(messages.at(-1)?.content ?? '')
  if (stream === true) return streamed(model, told, response)
  if ((told.wait ?? 0) < 0) return
  if (told.wait !== undefined) await setTimeout(told.wait)
  if (told.cut === true) return void response.socket?.destroy()
  if (told.status !== undefined) return sendJson(response, told.status, { error: { message: 'no' } })
  const message = { role: 'assistant', content: told.text ?? 'ok' }
  sendJson(response, 200, {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message, finish_reason: 'stop' }],
    ...usageOf(told),
  })
}

async function streamed(model: string, told: Told, response: ServerResponse): Promise<void> {
  const send = (value: object | string): void =>
    void response.write(`data: ${typeof value === 'string' ? value : JSON.stringify(value)}\n\n`)
  const chunk = (choices: readonly object[], more: object = {}): object => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1,
    model,
    choices,
    ...more,
  })
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  send(chunk([{ index: 0, delta: { role: 'assistant', content: told.text ?? 'ok' }, finish_reason: null }]))
  if ((told.wait ?? 0) < 0) return
  if (told.wait !== undefined) await setTimeout(told.wait)
  if (told.cut === true) return void response.socket?.destroy()
  send(chunk([{ index: 0, delta: {}, finish_reason: 'stop' }]))
  send(chunk([], usageOf(told)))
  send('[DONE]')
  response.end()
}

function usageOf({ in: tokensIn = 0, out = 0, cached, written, usage = true }: Told): object {
  if (!usage) return {}
  const details = { cached_tokens: cached ?? 0, cache_write_tokens: written ?? 0 }
  return {
    usage: {
      prompt_tokens: tokensIn,
      completion_tokens: out,
      total_tokens: tokensIn + out,
      prompt_tokens_details: details,
    },
  }
}

function toldIn(content: string): Told {
  try {
    return JSON.parse(content) as Told
  } catch {
    return {}
  }
}

function sendJson(response: ServerResponse, status: number, value: object): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}
