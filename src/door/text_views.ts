import { CLASS, classAt } from '#base/random_text.ts'
import { hasInvisible, isInvisible } from './invisible.ts'

/** A text as a reader further on may see it, with the way back to the places of the text that was sent. */
export interface View {
  readonly text: string
  /** The stretch of the original text that `start` to `end` of this view stands for. */
  readonly original: (start: number, end: number) => readonly [start: number, end: number]
}

/** True when a text may hold what `Undisguiser` undoes; most hold nothing of it. */
export function hasDisguise(text: string): boolean {
  if (text.includes('\\') && HAS_ESCAPE.test(text)) return true
  if (text.includes('%') && HAS_PERCENT.test(text)) return true
  if (text.includes('=') && HAS_QUOTED_PRINTABLE.test(text)) return true
  return hasInvisible(text)
}

/** True for most texts, and only for such as have no disguise: ASCII that shows itself, without the signs that escapes begin with. */
export function isPlain(text: string): boolean {
  return !NOT_PLAIN.test(text)
}

const NOT_PLAIN = /[^\t\n\r\x20-\x24\x26-\x3c\x3e-\x5b\x5d-\x7e]/
const HAS_ESCAPE = /\\(?:[uUx/nrtbf\-_.~+=:@]|[0-3][0-7]{2})/
const HAS_PERCENT = /%[\da-fA-F]{2}/
const HAS_QUOTED_PRINTABLE = /=(?:[\dA-F]{2}|\r?\n)/

/**
 * Gives a text without invisible characters and with one level of escapes undone: `\uXXXX`, `\u{X}`, `\UXXXXXXXX`, `\xXX`,
 * `\101`, `\n`, `\/`, `\_` of Markdown, `%XX`, and `=XX` of quoted-printable with its soft line ends.
 *
 * A text may be nothing but escapes, and there may be very many texts: the places are kept in arrays that serve one text
 * after the other. So a view is good until the next is asked for.
 */
export class Undisguiser {
  #text = ''
  #shown = new Uint16Array(0)
  #bytes = Buffer.alloc(0)
  /** Where each character of the view stands in the text, and the end of the text. */
  #places = new Uint32Array(1)
  #length = 0
  #isLatin1 = true

  view(text: string): View {
    this.#begin(text)
    for (let at = 0; at < text.length;) at = this.#step(at, text.charCodeAt(at))
    const places = this.#places
    places[this.#length] = text.length
    return { text: this.#print(), original: (start, end) => [places[start] ?? 0, places[end] ?? text.length] }
  }

  #begin(text: string): void {
    this.#text = text
    this.#length = 0
    this.#isLatin1 = true
    if (text.length <= this.#shown.length) return
    const capacity = Math.max(LEAST_CAPACITY, text.length)
    this.#shown = new Uint16Array(capacity)
    this.#bytes = Buffer.alloc(capacity)
    this.#places = new Uint32Array(capacity + 1)
  }

  /** Shows what stands at one place, and gives the next. */
  #step(at: number, code: number): number {
    if (code === BACKSLASH) return this.#backslashes(at)
    if (code === PERCENT) return this.#hex(at, at + 1, 2)
    if (code === EQUALS) return this.#quotedPrintable(at)
    const point = code < FIRST_BEYOND_LATIN_1 ? code : (this.#text.codePointAt(at) ?? 0)
    const next = point < FIRST_ASTRAL ? at + 1 : at + 2
    return isInvisible(point) ? next : this.#show(at, point, next)
  }

  /** JSON inside JSON doubles backslashes, so any number of them stands before one escape. */
  #backslashes(first: number): number {
    let at = first
    while (this.#text.charCodeAt(at) === BACKSLASH) at += 1
    const code = this.#text.charCodeAt(at)
    const control = CONTROLS.get(code)
    if (control !== undefined) return this.#show(first, control, at + 1)
    if (ESCAPED_SIGNS.has(code)) return this.#show(first, code, at + 1)
    if (code === LOWER_X) return this.#hex(first, at + 1, 2)
    if (code === UPPER_U) return this.#hex(first, at + 1, 8)
    if (code !== LOWER_U) return this.#octal(first, at)
    if (this.#text.charCodeAt(at + 1) !== OPEN_BRACE) return this.#hex(first, at + 1, 4)
    const digits = hexDigits(this.#text, at + 2, 6)
    const isClosed = this.#text.charCodeAt(at + 2 + digits) === CLOSE_BRACE
    return isClosed ? this.#hex(first, at + 2, digits, 1) : this.#keep(first, at)
  }

  #hex(first: number, from: number, digits: number, after = 0): number {
    const to = from + digits
    if (digits === 0 || hexDigits(this.#text, from, digits) < digits) return this.#keep(first, from)
    const point = Number.parseInt(this.#text.slice(from, to), 16)
    return point > LAST_CODE_POINT ? this.#keep(first, to) : this.#show(first, point, to + after)
  }

  #octal(first: number, from: number): number {
    const to = from + 3
    const digits = this.#text.slice(from, to)
    return /^[0-3][0-7]{2}$/.test(digits)
      ? this.#show(first, Number.parseInt(digits, 8), to)
      : this.#keep(first, from)
  }

  #quotedPrintable(at: number): number {
    const text = this.#text
    if (text.charCodeAt(at + 1) === LINE_FEED) return at + 2
    if (text.charCodeAt(at + 1) === RETURN && text.charCodeAt(at + 2) === LINE_FEED) return at + 3
    // RFC 2045 section 6.7 has upper case only; lower case stands in many a URL.
    const isUpper = ((classAt(text, at + 1) | classAt(text, at + 2)) & CLASS.lower) === 0
    return isUpper ? this.#hex(at, at + 1, 2) : this.#keep(at, at + 1)
  }

  /** Shows a stretch as it is. */
  #keep(from: number, to: number): number {
    const end = Math.min(to, this.#text.length)
    for (let at = from; at < end; at++) this.#put(at, this.#text.charCodeAt(at))
    return end
  }

  #show(at: number, point: number, next: number): number {
    if (point < FIRST_ASTRAL) this.#put(at, point)
    else {
      const pair = String.fromCodePoint(point)
      this.#put(at, pair.charCodeAt(0))
      this.#put(at, pair.charCodeAt(1))
    }
    return next
  }

  #put(at: number, code: number): void {
    this.#shown[this.#length] = code
    this.#bytes[this.#length] = code
    this.#places[this.#length] = at
    this.#length += 1
    if (code >= FIRST_BEYOND_LATIN_1) this.#isLatin1 = false
  }

  #print(): string {
    // Searching a string of one-byte characters is several times as fast.
    if (this.#isLatin1) return this.#bytes.toString('latin1', 0, this.#length)
    return Buffer.from(this.#shown.buffer).toString('utf16le', 0, 2 * this.#length)
  }
}

const LINE_FEED = 0x0a
const RETURN = 0x0d
const PERCENT = 0x25
const EQUALS = 0x3d
const UPPER_U = 0x55
const BACKSLASH = 0x5c
const LOWER_U = 0x75
const LOWER_X = 0x78
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const LAST_CODE_POINT = 0x10ffff
const FIRST_ASTRAL = 0x10000
const FIRST_BEYOND_LATIN_1 = 0x100
const LEAST_CAPACITY = 1_024

const CONTROLS: ReadonlyMap<number, number> = new Map(
  Object.entries({ n: '\n', r: '\r', t: '\t', b: '\b', f: '\f' }).map(([letter, shown]) => [
    letter.charCodeAt(0),
    shown.charCodeAt(0),
  ]),
)
/** Markdown puts a backslash before these, and JSON before a slash; they stand in credentials and before them. */
const ESCAPED_SIGNS: ReadonlySet<number> = new Set(Array.from('/-_.~+=:@', (sign) => sign.charCodeAt(0)))

/** How many hexadecimal digits stand from a place on, at most `most`. */
function hexDigits(text: string, from: number, most: number): number {
  let count = 0
  while (count < most && isHexDigit(text.charCodeAt(from + count))) count += 1
  return count
}

function isHexDigit(code: number): boolean {
  return (code >= 0x30 && code <= 0x39) || ((code | 0x20) >= 0x61 && (code | 0x20) <= 0x66)
}
