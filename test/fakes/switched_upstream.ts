import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A real HTTP server that answers every request as it was told last, so that a test can let a provider fail and come back. */
export interface SwitchedUpstream {
  readonly origin: string
  /** Method and path of what has arrived, in order. */
  readonly received: readonly string[]
  /** What it does from now on. */
  does(behaviour: SwitchedBehaviour): void
  /** Resolves when the next connection has been closed by the other side. */
  nextHangUp(): Promise<void>
  close(): Promise<void>
}

export type SwitchedBehaviour = (response: ServerResponse, body: { readonly stream?: boolean }) => void

/** Says a text, as a whole or as a stream of chunks. */
export function saying(text: string): SwitchedBehaviour {
  return (response, { stream }) => {
    if (stream === true) streamOf(response, ['hel', 'lo ', text], 'end')
    else
      json(response, 200, {
        id: 'chatcmpl-1',
        object: 'chat.completion',
        created: 1,
        model: 'x',
        choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
        usage: { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 },
      })
  }
}

export function failing(status: number, headers: Readonly<Record<string, string>> = {}): SwitchedBehaviour {
  return (response) => json(response, status, { error: { message: 'no' } }, headers)
}

/** Takes the request and says nothing. */
export const silent: SwitchedBehaviour = () => {}

/** Begins a stream, says some pieces, and then breaks off or says nothing more. */
export function breaking(pieces: readonly string[], how: 'cut' | 'stall'): SwitchedBehaviour {
  return (response) => streamOf(response, pieces, how)
}

export async function startSwitchedUpstream(first: SwitchedBehaviour): Promise<SwitchedUpstream> {
  let behaviour = first
  const received: string[] = []
  const onHangUp: (() => void)[] = []
  const server = createServer((request, response) => {
    request.socket.setMaxListeners(0).once('close', () => onHangUp.splice(0).forEach((resolve) => resolve()))
    response.on('error', () => {})
    const chunks: Buffer[] = []
    request
      .on('data', (chunk: Buffer) => chunks.push(chunk))
      .on('end', () => {
        received.push(`${request.method ?? ''} ${request.url ?? ''}`)
        const text = Buffer.concat(chunks).toString()
        behaviour(response, text === '' ? {} : (JSON.parse(text) as { stream?: boolean }))
      })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    does: (next) => void (behaviour = next),
    nextHangUp: () => new Promise((resolve) => onHangUp.push(resolve)),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function streamOf(response: ServerResponse, pieces: readonly string[], how: 'end' | 'cut' | 'stall'): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const chunk = (delta: object, finish: string | null): string =>
    `data: ${JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1,
      model: 'x',
      choices: [{ index: 0, delta, finish_reason: finish }],
    })}\n\n`
  for (const piece of pieces) response.write(chunk({ content: piece }, null))
  if (how === 'end') response.end(`${chunk({}, 'stop')}data: [DONE]\n\n`)
  // Only once all was sent: what is still in a buffer would be thrown away.
  else if (how === 'cut') response.write(': \n\n', () => response.destroy())
  else response.flushHeaders()
}

function json(
  response: ServerResponse,
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))
}
