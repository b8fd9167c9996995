import { connect, type Socket } from 'node:net'

/** One reply as it came, with nothing interpreted beyond its length. */
export interface RawReply {
  readonly status: number
  /** Names in lower case. */
  readonly headers: ReadonlyMap<string, string>
  readonly body: string
}

/** How long a reply or the end of a connection is waited for before a test fails. */
const PATIENCE_MS = 10_000

/** A TCP connection on which a test can write anything at all. */
export class RawConnection {
  readonly socket: Socket
  #received = Buffer.alloc(0)
  #isClosed = false
  #wake: () => void = () => undefined

  private constructor(socket: Socket) {
    this.socket = socket
    socket.on('data', (bytes: Buffer) => {
      this.#received = Buffer.concat([this.#received, bytes])
      this.#wake()
    })
    // A reset is an end like any other here; what was received before it stays.
    socket.on('error', () => undefined)
    socket.on('close', () => {
      this.#isClosed = true
      this.#wake()
    })
  }

  static open(
    at: { readonly port: number; readonly host?: string } | { readonly path: string },
  ): Promise<RawConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ ...at, noDelay: true })
      socket.once('error', reject)
      socket.once('connect', () => resolve(new RawConnection(socket)))
    })
  }

  /** Everything received that no reply has taken yet. */
  get rest(): string {
    return this.#received.toString('latin1')
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  write(bytes: string | Uint8Array): this {
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    return this
  }

  /** The next complete reply; undefined when the connection ends without one. An interim 100 is a reply too. */
  async reply(): Promise<RawReply | undefined> {
    for (;;) {
      const reply = this.#take()
      if (reply !== undefined) return reply
      if (this.#isClosed) return undefined
      await this.#change()
    }
  }

  /** Waits until the other side has closed; gives what came and was not taken. */
  async closed(): Promise<string> {
    while (!this.#isClosed) await this.#change()
    return this.rest
  }

  destroy(): void {
    this.socket.destroy()
  }

  #change(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => reject(new Error(`nothing came in time; so far: ${this.rest}`)),
        PATIENCE_MS,
      )
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #take(): RawReply | undefined {
    const text = this.#received.toString('latin1')
    const end = text.indexOf('\r\n\r\n')
    if (end < 0) return undefined
    const [first = '', ...lines] = text.slice(0, end).split('\r\n')
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':')
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
      }),
    )
    const from = end + 4
    const length = Number(headers.get('content-length') ?? 0)
    if (this.#received.length < from + length) return undefined
    const body = this.#received.subarray(from, from + length).toString('utf8')
    this.#received = this.#received.subarray(from + length)
    return { status: Number(first.split(' ')[1]), headers, body }
  }
}
