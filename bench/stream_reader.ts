/** What one streamed answer has brought so far. */
export interface StreamPiece {
  /** What was said, as a client puts it together. */
  readonly text: string
  /** An event that is no chunk of a completion: how a stream tells that it was cut. */
  readonly refusal: string | undefined
  /** The answer is complete, and the next one may follow on the same connection. */
  readonly isEnd: boolean
}

/**
 * Reads streamed chat completions from the bytes of a connection: HTTP/1.1 with chunks, server-sent events in them, JSON in
 * those. Only for ASCII, as the providers of the bench speak it: a character is a byte then.
 */
export class StreamReader {
  #bytes = ''
  #events = ''
  #isInBody = false
  #status = 0

  /** Of the answer that is being read; 0 before it is known. */
  get status(): number {
    return this.#status
  }

  push(bytes: string): StreamPiece {
    this.#bytes += bytes
    if (!this.#isInBody && !this.#readHead()) return { text: '', refusal: undefined, isEnd: false }
    const isEnd = this.#readChunks()
    const piece = { ...this.#readEvents(), isEnd }
    if (isEnd) {
      this.#isInBody = false
      this.#events = ''
    }
    return piece
  }

  #readHead(): boolean {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end === -1) return false
    const head = this.#bytes.slice(0, end)
    this.#status = Number(head.slice(9, 12))
    if (!/\r\ntransfer-encoding: *chunked/i.test(head))
      throw new Error(`no stream: ${this.#bytes.slice(0, 500)}`)
    this.#bytes = this.#bytes.slice(end + 4)
    this.#isInBody = true
    return true
  }

  /** True with the last chunk. */
  #readChunks(): boolean {
    let at = 0
    let isEnd = false
    for (;;) {
      const line = this.#bytes.indexOf('\r\n', at)
      if (line === -1) break
      const length = Number.parseInt(this.#bytes.slice(at, line), 16)
      if (Number.isNaN(length)) throw new Error(`no chunk: ${this.#bytes.slice(at, at + 100)}`)
      const next = line + 2 + length + 2
      if (next > this.#bytes.length) break
      this.#events += this.#bytes.slice(line + 2, line + 2 + length)
      at = next
      isEnd = length === 0
      if (isEnd) break
    }
    this.#bytes = this.#bytes.slice(at)
    return isEnd
  }

  #readEvents(): Pick<StreamPiece, 'text' | 'refusal'> {
    const events = this.#events.split('\n\n')
    this.#events = events.pop() ?? ''
    let text = ''
    let refusal: string | undefined
    for (const event of events) {
      const at = event.indexOf('data: ')
      if (at === -1 || event.endsWith('data: [DONE]')) continue
      const chunk = JSON.parse(event.slice(at + 6)) as {
        readonly choices?: readonly { readonly delta?: { readonly content?: string } }[]
      }
      if (chunk.choices === undefined) refusal ??= event.slice(at + 6)
      else text += chunk.choices[0]?.delta?.content ?? ''
    }
    return { text, refusal }
  }
}
