import net from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { AttackProvider, Canary, Received, Says } from './attack_provider.ts'
import { memoryOf } from './processes.ts'

/** A gateway that is attacked, and what a good request to it has. */
export interface Side {
  readonly port: number
  readonly pid: number
  /** Those of a good request; with the guard switched on, if the caller has to. */
  readonly headers: (api: 'openai' | 'anthropic', isGuarded: boolean) => Readonly<Record<string, string>>
}

/** What a request is made of; the rest is that of a good one. In all texts `CANARY` stands for an address. */
export interface Asked {
  readonly method?: string
  readonly target?: string
  readonly host?: string
  /** `undefined` leaves one out. */
  readonly headers?: Readonly<Record<string, string | undefined>>
  readonly body?: string | object
  readonly api?: 'openai' | 'anthropic'
  readonly isGuarded?: boolean
  /** What the caller does when the answer has begun: reads on, hangs up, or reads no more for this long. */
  readonly afterwards?: 'hang up' | { readonly waitMs: number }
}

/** What came over the wire on all sides. */
export interface Seen {
  /** 0 when nothing came. */
  readonly status: number
  readonly head: string
  readonly body: string
  readonly bytes: number
  readonly ms: number
  /** Whether the answer came to its end in time. */
  readonly isOver: boolean
  readonly received: readonly Received[]
  readonly heard: readonly string[]
  /** Bytes that the provider wrote. */
  readonly written: number
  /** Milliseconds from the end of the caller to the end of the call to the provider; undefined when that went on. */
  readonly leftMs: number | undefined
  readonly grownMb: number
}

export interface Stage {
  readonly provider: AttackProvider
  readonly canary: Canary
  readonly canaryAddress: string
}

export const PATIENCE_MS = 6_000
/** Of an answer, for looking at; the rest is counted. */
const KEPT_BYTES = 1 << 20
export const CHAT = '/v1/chat/completions'

export function chat(more: object = {}): object {
  return { model: 'house', messages: [{ role: 'user', content: 'hi' }], ...more }
}

/** Sends one attack to one gateway and gives what happened. */
export async function attack(
  stage: Stage,
  side: Side,
  { asked, says }: { asked: Asked; says: Says },
): Promise<Seen> {
  const { provider, canary } = stage
  while (provider.open > 0) await delay(20)
  Object.assign(provider, { says, received: [], written: 0 })
  canary.heard = []
  const rss = (): number => memoryOf(side.pid)?.rss_mb ?? 0
  const [before, began] = [rss(), performance.now()]
  const answer = await send(side.port, requestOf(stage, side, asked), asked.afterwards)
  const ended = performance.now()
  const grownMb = rss() - before
  const written = provider.written
  answer.socket.destroy()
  while (provider.open > 0 && performance.now() - ended < PATIENCE_MS) await delay(5)
  const leftMs = provider.open > 0 ? undefined : Math.round(performance.now() - ended)
  provider.dropAll()
  const { head, body } = parse(answer.text)
  return {
    status: Number(head.slice(9, 12)),
    head,
    body,
    bytes: answer.bytes,
    ms: Math.round(ended - began),
    isOver: answer.isOver,
    received: provider.received,
    heard: canary.heard,
    written,
    leftMs,
    grownMb,
  }
}

function requestOf({ canaryAddress }: Stage, side: Side, asked: Asked): string {
  const { method = 'POST', target = CHAT, host = `127.0.0.1:${side.port}`, body = chat() } = asked
  const place = (text: string): string => text.replaceAll('CANARY', canaryAddress)
  const bytes = place(typeof body === 'string' ? body : JSON.stringify(body))
  const headers = {
    'content-type': 'application/json',
    'content-length': method === 'GET' ? undefined : String(Buffer.byteLength(bytes)),
    connection: 'close',
    ...side.headers(asked.api ?? 'openai', asked.isGuarded ?? false),
    ...asked.headers,
  }
  const lines = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}: ${place(value)}\r\n`],
  )
  return `${method} ${place(target)} HTTP/1.1\r\nHost: ${host}\r\n${lines.join('')}\r\n${method === 'GET' ? '' : bytes}`
}

interface Answer {
  readonly text: string
  readonly bytes: number
  readonly isOver: boolean
  readonly socket: net.Socket
}

function send(port: number, request: string, afterwards: Asked['afterwards']): Promise<Answer> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1', noDelay: true })
    let [text, bytes] = ['', 0]
    const settle = (isOver: boolean): void => {
      clearTimeout(timer)
      resolve({ text, bytes, isOver, socket })
    }
    const timer = setTimeout(() => settle(false), PATIENCE_MS)
    socket.on('error', () => settle(true))
    socket.on('close', () => settle(true))
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (text.length < KEPT_BYTES) text += chunk.toString('latin1')
      if (isComplete(text, bytes, chunk)) return settle(true)
      if (afterwards === undefined || !text.includes('data: ')) return
      if (afterwards === 'hang up') return settle(false)
      socket.pause()
      setTimeout(() => settle(false), afterwards.waitMs)
    })
    socket.write(request)
  })
}

/** Not every server closes a connection when it is asked to. */
function isComplete(text: string, bytes: number, last: Buffer): boolean {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return false
  const length = /\r\ncontent-length: *(\d+)/i.exec(text.slice(0, end))?.[1]
  return length === undefined
    ? last.toString('latin1').endsWith('0\r\n\r\n')
    : bytes >= end + 4 + Number(length)
}

/** Without the sizes of chunks, which stand on lines of their own. */
function parse(text: string): { readonly head: string; readonly body: string } {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return { head: text, body: '' }
  const head = text.slice(0, end)
  const rest = text.slice(end + 2)
  return {
    head,
    body: /transfer-encoding: *chunked/i.test(head)
      ? rest.replaceAll(/\r\n[\da-f]+\r\n/g, '')
      : rest.slice(2),
  }
}
