import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import net from 'node:net'
import {
  eventsOf,
  wholeOf,
  type Script,
  type SpokenApi,
  type SpokenEvent,
} from '../test/fakes/streamed_answers.ts'

/** What reached the provider. */
export interface Received {
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

export interface Exchange extends Received {
  readonly response: ServerResponse
  /** Where the inner host is. */
  readonly canary: string
}

/** How the provider answers one request. */
export type Says = (exchange: Exchange) => void | Promise<void>

/** A model provider that does what an attack wants. */
export class AttackProvider {
  readonly #server = createServer((request, response) => void this.#answer(request, response))
  says: Says = script({ text: 'hello' })
  received: Received[] = []
  /** Bytes that were written for endless answers. */
  written = 0
  canary = ''
  readonly #open = new Set<ServerResponse>()

  /** Answers that are under way. */
  get open(): number {
    return this.#open.size
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return (this.#server.address() as net.AddressInfo).port
  }

  close(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }

  /** Ends what is under way, so that the next attack begins with nothing open. */
  dropAll(): void {
    for (const response of this.#open) response.destroy()
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open.add(response)
    response.on('error', () => undefined).on('close', () => this.#open.delete(response))
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const received = {
      url: request.url ?? '',
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    }
    this.received.push(received)
    await this.says({ ...received, response, canary: this.canary })
  }
}

/** Says a script in the way of the API that was asked, streamed if that was wished. */
export function script(said: Script): Says {
  return async (exchange) => {
    const { url, body, response } = exchange
    const api = apiOf(url)
    if (!/"stream": ?true/.test(body)) return json(wholeOf(api, said))(exchange)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of eventsOf(api, said)) {
      response.write(print(event))
      // Each event in a packet of its own, as models send them.
      await new Promise((resolve) => void setTimeout(resolve, 2))
    }
    response.end()
  }
}

export function json(value: object, headers: Readonly<Record<string, string>> = {}): Says {
  return ({ response }) =>
    void response
      .writeHead(200, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify(value))
}

/** Streams without an end, as fast as it is taken, or an event every so many milliseconds. */
export function endless(provider: AttackProvider, everyMs = 0): Says {
  const event = print(
    eventsOf('chat', { text: 'so it goes on ', pieceLength: 14 })[1] ?? [undefined, ''],
  ).repeat(everyMs > 0 ? 1 : 100)
  return async ({ response }) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    while (!response.destroyed) {
      provider.written += event.length
      if (!response.write(event))
        await Promise.race(['drain', 'close'].map((name) => once(response, name).catch(() => undefined)))
      if (everyMs > 0) await new Promise((resolve) => void setTimeout(resolve, everyMs))
    }
  }
}

function print([name, data]: SpokenEvent): string {
  const text = typeof data === 'string' ? data : JSON.stringify(data)
  return `${name === undefined ? '' : `event: ${name}\n`}data: ${text}\n\n`
}

function apiOf(url: string): SpokenApi {
  if (url.includes('/messages')) return 'messages'
  return url.includes('/responses') ? 'responses' : 'chat'
}

/** A server inside the network that nobody outside may reach through a gateway. It keeps what it is told. */
export class Canary {
  readonly #server = net.createServer((socket) => {
    const at = this.heard.push('') - 1
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => {
      this.heard[at] += bytes.toString('latin1')
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}')
    })
  })
  /** One text for each connection. */
  heard: string[] = []

  /** On an address of this machine that is none of those which are taken for harmless. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.2')
    await once(this.#server, 'listening')
    return `127.0.0.2:${(this.#server.address() as net.AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
  }
}
