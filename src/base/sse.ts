import { Fault } from './fault.ts'
import { LIMITS } from './limits.ts'

/** One event of a stream of server-sent events. */
export interface ServerSentEvent {
  /** Undefined where the stream gives the event no name. */
  readonly event: string | undefined
  readonly data: string
}

/**
 * Reads server-sent events from pieces of any size, as WHATWG HTML section 9.2.6 ("Interpreting an event stream") says. `id`
 * and `retry` are for clients that connect again; we do not.
 */
export class EventReader {
  // Left to the decoder, a second byte order mark is taken away too where the bytes of the first come in two pieces.
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  #isStarted = false
  /** A line whose end has not come. */
  #line = ''
  #event = ''
  /** Lines of data, with line feeds between them; undefined where there is none. */
  #data: string | undefined
  /** A line feed that comes next belongs to a carriage return that has ended its line already. */
  #isAfterReturn = false

  /**
   * Gives the events that end in this piece. Throws `upstream.invalid` for bytes that are not UTF-8 and
   * `upstream.oversized` for an event longer than `LIMITS.eventCharacters`; it is of no use after that.
   */
  push(piece: Uint8Array): readonly ServerSentEvent[] {
    const text = this.#decode(piece)
    if (text === '') return NOTHING
    const events: ServerSentEvent[] = []
    let from = this.#isAfterReturn && text.startsWith('\n') ? 1 : 0
    LINE_END.lastIndex = from
    while (LINE_END.test(text)) {
      const next = LINE_END.lastIndex
      const line = this.#line + text.slice(from, startOfLineEnd(text, from, next))
      this.#line = ''
      from = next
      const event = this.#read(line)
      if (event !== undefined) events.push(event)
    }
    this.#isAfterReturn = text.endsWith('\r')
    if (from < text.length) this.#line += text.slice(from)
    this.#checkSize()
    return events
  }

  /** Nothing more comes. An event without its end is dropped, and `isCut` says that there was one. */
  end(): { readonly isCut: boolean } {
    return {
      isCut: this.#line !== '' || this.#event !== '' || this.#data !== undefined || this.#isInCharacter(),
    }
  }

  #decode(piece: Uint8Array): string {
    const text = this.#decodeAll(piece)
    if (this.#isStarted || text === '') return text
    this.#isStarted = true
    return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
  }

  #decodeAll(piece: Uint8Array): string {
    try {
      return this.#decoder.decode(piece, { stream: true })
    } catch {
      throw new Fault('upstream.invalid', { reason: 'stream_not_text' })
    }
  }

  #read(line: string): ServerSentEvent | undefined {
    if (line === '') return this.#dispatch()
    const colon = line.indexOf(':')
    // A comment.
    if (colon === 0) return undefined
    const name = colon < 0 ? line : line.slice(0, colon)
    if (name === 'data') this.#addData(valueOf(line, colon))
    else if (name === 'event') this.#event = valueOf(line, colon)
    this.#checkSize()
    return undefined
  }

  #addData(value: string): void {
    this.#data = this.#data === undefined ? value : `${this.#data}\n${value}`
  }

  #dispatch(): ServerSentEvent | undefined {
    const event = this.#event
    const data = this.#data
    this.#event = ''
    this.#data = undefined
    if (data === undefined) return undefined
    return { event: event === '' ? undefined : event, data }
  }

  #checkSize(): void {
    const dataLength = this.#data?.length ?? 0
    if (this.#line.length + this.#event.length + dataLength > LIMITS.eventCharacters)
      throw new Fault('upstream.oversized', { reason: 'event_characters' })
  }

  #isInCharacter(): boolean {
    try {
      this.#decoder.decode()
      return false
    } catch {
      return true
    }
  }
}

/** An event as it is sent. A name without data reaches nobody, and one with a line end in it would be two lines. */
export function writeEvent(event: string | undefined, data: string): string {
  if (event !== undefined && HAS_LINE_END.test(event)) throw new TypeError('a name has one line')
  const name = event === undefined ? '' : `event: ${event}\n`
  const lines = HAS_LINE_END.test(data) ? data.replace(LINE_END, '\ndata: ') : data
  return `${name}data: ${lines}\n\n`
}

const NOTHING: readonly ServerSentEvent[] = Object.freeze([])
const BYTE_ORDER_MARK = '\u{feff}'
const LINE_END = /\r\n?|\n/g
const HAS_LINE_END = /[\r\n]/

/** A line feed may have a carriage return before it. */
function startOfLineEnd(text: string, from: number, end: number): number {
  const isPair = end - 2 >= from && text[end - 1] === '\n' && text[end - 2] === '\r'
  return isPair ? end - 2 : end - 1
}

/** A single space behind the colon is not part of the value. */
function valueOf(line: string, colon: number): string {
  if (colon < 0) return ''
  return line.slice(line.startsWith(' ', colon + 1) ? colon + 2 : colon + 1)
}
