import net from 'node:net'
import {
  StreamConnection,
  PacedLoad,
  requestOf,
  type StreamOrder,
  type StreamResult,
  type Target,
} from './stream_load.ts'
import { StreamMock } from './stream_mock.ts'

/** What the process aside is asked, one at a time. */
export type AsideOrder =
  | { readonly do: 'paced'; readonly order: StreamOrder }
  /** Opens streams that stay: of a silent provider, and of one that never ends and is not read. */
  | { readonly do: 'hold'; readonly target: Target; readonly idle: number; readonly slow: number }
  /** Brings the slow readers that were given up back to their number, and asks for one ordinary answer. */
  | { readonly do: 'look'; readonly target: Target; readonly slow: number }

export interface Held {
  /** Streams that the provider has open. */
  readonly idle: number
  readonly slow: number
  /** Slow readers that the server gave up since the last look. */
  readonly given_up: number
  /** Of one ordinary request meanwhile; status 0 for none in time. */
  readonly status: number
  readonly ms: number
}

const ANSWER_MS = 10_000

class Aside {
  readonly #mock = new StreamMock()
  readonly #held: StreamConnection[] = []

  listen(): Promise<number> {
    return this.#mock.listen()
  }

  async obey(order: AsideOrder): Promise<StreamResult | Held> {
    if (order.do === 'paced') return new PacedLoad(order.order, this.#mock).run()
    const { target, slow } = order
    if (order.do === 'hold') await this.#hold(target, 'silent', order.idle)
    const given_up = order.do === 'look' ? slow - this.#mock.open.endless : 0
    await this.#hold(target, 'endless', slow - this.#mock.open.endless)
    const answered = await askOnce(target)
    const { silent, endless } = this.#mock.open
    return { idle: silent, slow: endless, given_up, ...answered }
  }

  async #hold(target: Target, way: 'silent' | 'endless', count: number): Promise<void> {
    for (let at = 0; at < count; at += 1) {
      const connection = new StreamConnection(target, at)
      this.#held.push(connection)
      const begun = new Promise<void>((resolve) => {
        void connection
          .ask({ way }, ({ text }) => {
            if (text === '') return
            if (way === 'endless') connection.socket.pause()
            resolve()
          })
          .then(() => resolve())
      })
      await begun
    }
  }
}

function askOnce(target: Target): Promise<Pick<Held, 'status' | 'ms'>> {
  return new Promise((resolve) => {
    const began = performance.now()
    const socket = net.connect({ port: target.port, host: '127.0.0.1', noDelay: true })
    const settle = (status: number): void => {
      socket.destroy()
      resolve({ status, ms: Math.round((performance.now() - began) * 10) / 10 })
    }
    socket.setTimeout(ANSWER_MS, () => settle(0))
    socket.on('error', () => settle(0))
    socket.on('data', (bytes: Buffer) => settle(Number(bytes.toString('latin1', 9, 12))))
    socket.write(requestOf(target, target.models[0] ?? ''))
  })
}

if (import.meta.main) {
  const aside = new Aside()
  process.on('message', (order: AsideOrder) => {
    void aside.obey(order).then((result) => process.send?.(result))
  })
  console.log(JSON.stringify({ port: await aside.listen() }))
}
