import { Fault } from './fault.ts'
import type { JsonValue } from './json.ts'

/** `LIMITS` has this form. */
export interface JsonLimits {
  /** Objects and arrays inside each other, at most. */
  readonly jsonDepth: number
  /** Values of all kinds, at most. */
  readonly jsonNodes: number
}

/**
 * Reads one JSON text (RFC 8259) in one pass and gives it deeply frozen. What it accepts it reads as `JSON.parse` does.
 *
 * Two readers may understand these differently, so they are refused: a member that appears twice, `__proto__`, an
 * escaped lone surrogate, a byte order mark, a number beyond the range of a double, and an integer beyond ±(2^53 − 1).
 * An integer is a literal without fraction and exponent; one written as `1e22` is a double and says so itself.
 *
 * Throws `input.invalid`; its `say` names the byte, never the text.
 */
export function parseStrictJson(bytes: Uint8Array, limits: JsonLimits): JsonValue {
  return new Reader(decode(bytes), limits).read()
}

// The mark is kept, so that the reader meets it and refuses it.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decode(bytes: Uint8Array): string {
  try {
    return UTF8.decode(bytes)
  } catch {
    throw new Fault('input.invalid', { reason: 'json.not_utf8' }, { say: 'The body is not valid UTF-8.' })
  }
}

const PROBLEMS = {
  empty: 'it is empty',
  unexpected: 'there is an unexpected character',
  ended: 'it ends too early',
  trailing: 'something follows the value',
  control: 'a string holds an unescaped control character',
  escape: 'a string holds an unknown escape',
  surrogate: 'a string holds a lone surrogate',
  duplicate: 'an object has the same member twice',
  prototype: 'an object has a member named __proto__',
  integer: 'an integer is beyond 2^53 - 1',
  infinite: 'a number is beyond the range of a double',
  deep: 'it is nested too deep',
  large: 'it holds too many values',
} as const

const TAB = 0x09
const LINE_FEED = 0x0a
const RETURN = 0x0d
const SPACE = 0x20
const QUOTE = 0x22
const PLUS = 0x2b
const COMMA = 0x2c
const MINUS = 0x2d
const DOT = 0x2e
const ZERO = 0x30
const NINE = 0x39
const COLON = 0x3a
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const LOWER_A = 0x61
const LOWER_E = 0x65
const LOWER_F = 0x66
const LOWER_N = 0x6e
const LOWER_T = 0x74
const LOWER_U = 0x75
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** Setting this bit turns `E` into `e`. */
const LOWER_CASE_BIT = 0x20

/** What may follow a backslash besides `u`. */
const ESCAPED: ReadonlySet<number> = new Set(Array.from('"\\/bfnrt', (letter) => letter.charCodeAt(0)))
const UNICODE_ESCAPE_LENGTH = 6

class Reader {
  readonly #text: string
  readonly #limits: JsonLimits
  #at = 0
  #nodes = 0

  constructor(text: string, limits: JsonLimits) {
    this.#text = text
    this.#limits = limits
  }

  read(): JsonValue {
    this.#skipSpace()
    if (this.#at === this.#text.length) throw this.#refusal('empty')
    const value = this.#value(0)
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#refusal('trailing')
    return value
  }

  #value(depth: number): JsonValue {
    this.#nodes += 1
    if (this.#nodes > this.#limits.jsonNodes) throw this.#refusal('large')
    switch (this.#text.charCodeAt(this.#at)) {
      case QUOTE:
        return this.#string()
      case OPEN_BRACE:
        return this.#object(depth + 1)
      case OPEN_BRACKET:
        return this.#array(depth + 1)
      case LOWER_T:
        return this.#literal('true', true)
      case LOWER_F:
        return this.#literal('false', false)
      case LOWER_N:
        return this.#literal('null', null)
      default:
        return this.#number()
    }
  }

  #object(depth: number): JsonValue {
    if (depth > this.#limits.jsonDepth) throw this.#refusal('deep')
    const object: Record<string, JsonValue> = {}
    this.#at += 1
    if (this.#skipSpace() === CLOSE_BRACE) {
      this.#at += 1
      return Object.freeze(object)
    }
    for (;;) {
      const name = this.#memberName(object)
      this.#skipSpace()
      object[name] = this.#value(depth)
      if (this.#hasMore(CLOSE_BRACE)) this.#skipSpace()
      else return Object.freeze(object)
    }
  }

  #memberName(object: Readonly<Record<string, JsonValue>>): string {
    const start = this.#at
    if (this.#text.charCodeAt(start) !== QUOTE) throw this.#refusal('unexpected')
    const name = this.#string()
    if (name === '__proto__') throw this.#refusal('prototype', start)
    if (Object.hasOwn(object, name)) throw this.#refusal('duplicate', start)
    if (this.#skipSpace() !== COLON) throw this.#refusal('unexpected')
    this.#at += 1
    return name
  }

  #array(depth: number): JsonValue {
    if (depth > this.#limits.jsonDepth) throw this.#refusal('deep')
    const array: JsonValue[] = []
    this.#at += 1
    if (this.#skipSpace() === CLOSE_BRACKET) {
      this.#at += 1
      return Object.freeze(array)
    }
    for (;;) {
      array.push(this.#value(depth))
      if (this.#hasMore(CLOSE_BRACKET)) this.#skipSpace()
      else return Object.freeze(array)
    }
  }

  /** Steps over the comma, or over the closing bracket. */
  #hasMore(close: number): boolean {
    const code = this.#skipSpace()
    if (code !== COMMA && code !== close) throw this.#refusal('unexpected')
    this.#at += 1
    return code === COMMA
  }

  #literal<T extends JsonValue>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw this.#refusal('unexpected')
    this.#at += word.length
    return value
  }

  #number(): number {
    const text = this.#text
    const start = this.#at
    if (text.charCodeAt(this.#at) === MINUS) this.#at += 1
    // After a leading zero no digit may follow; one that does meets the reader as an unexpected character.
    if (text.charCodeAt(this.#at) === ZERO) this.#at += 1
    else this.#digits()
    let isInteger = true
    if (text.charCodeAt(this.#at) === DOT) {
      isInteger = false
      this.#at += 1
      this.#digits()
    }
    if ((text.charCodeAt(this.#at) | LOWER_CASE_BIT) === LOWER_E) {
      isInteger = false
      this.#at += 1
      const sign = text.charCodeAt(this.#at)
      if (sign === PLUS || sign === MINUS) this.#at += 1
      this.#digits()
    }
    const value = Number(text.slice(start, this.#at))
    if (!Number.isFinite(value)) throw this.#refusal(isInteger ? 'integer' : 'infinite', start)
    if (isInteger && !Number.isSafeInteger(value)) throw this.#refusal('integer', start)
    return value
  }

  #digits(): void {
    const start = this.#at
    while (isDigit(this.#text.charCodeAt(this.#at))) this.#at += 1
    if (this.#at === start) throw this.#refusal('unexpected')
  }

  #string(): string {
    const text = this.#text
    const start = this.#at + 1
    const end = endOfPlain(text, start)
    const code = text.charCodeAt(end)
    if (code === BACKSLASH) return this.#escapedString(start, end)
    if (code !== QUOTE) throw this.#refusal(end < text.length ? 'control' : 'ended', end)
    this.#at = end + 1
    return text.slice(start, end)
  }

  /** Finds the end and judges each escape; what the escapes stand for is left to the engine, which is many times as fast. */
  #escapedString(start: number, firstEscape: number): string {
    const text = this.#text
    let end = firstEscape
    let hasUnicodeEscape = false
    while (text.charCodeAt(end) === BACKSLASH) {
      hasUnicodeEscape ||= text.charCodeAt(end + 1) === LOWER_U
      end = endOfPlain(text, this.#endOfEscape(end))
    }
    if (text.charCodeAt(end) !== QUOTE) throw this.#refusal(end < text.length ? 'control' : 'ended', end)
    const value: string = JSON.parse(text.slice(start - 1, end + 1))
    // Decoded UTF-8 holds no lone surrogate, so only an escape can have brought one.
    if (hasUnicodeEscape && !value.isWellFormed()) throw this.#refusal('surrogate', start)
    this.#at = end + 1
    return value
  }

  #endOfEscape(at: number): number {
    const letter = this.#text.charCodeAt(at + 1)
    if (ESCAPED.has(letter)) return at + 2
    const end = at + UNICODE_ESCAPE_LENGTH
    if (letter !== LOWER_U) throw this.#refusal('escape', at)
    for (let digit = at + 2; digit < end; digit++)
      if (!isHexDigit(this.#text.charCodeAt(digit))) throw this.#refusal('escape', at)
    return end
  }

  /** Steps over white space and gives the code unit that follows; NaN at the end. */
  #skipSpace(): number {
    for (;;) {
      const code = this.#text.charCodeAt(this.#at)
      if (code !== SPACE && code !== LINE_FEED && code !== RETURN && code !== TAB) return code
      this.#at += 1
    }
  }

  #refusal(problem: keyof typeof PROBLEMS, at = this.#at): Fault {
    const found = problem === 'unexpected' && at >= this.#text.length ? 'ended' : problem
    const byte = Buffer.byteLength(this.#text.slice(0, at))
    return new Fault(
      'input.invalid',
      { reason: `json.${found}` },
      { say: `The body is not acceptable JSON: ${PROBLEMS[found]} (at byte ${byte}).` },
    )
  }
}

/** Most strings are names and end at once; in a long one the engine's own search is twice as fast. */
const SOON = 24
/** Quote, backslash and controls are all that is left out here. */
const NOT_PLAIN = /[^ !#-[\]-\uffff]/g

/** Where the next quote, backslash or control character stands, or the end of the text. */
function endOfPlain(text: string, from: number): number {
  const soon = Math.min(from + SOON, text.length)
  for (let at = from; at < soon; at++) {
    const code = text.charCodeAt(at)
    if (code < SPACE || code === QUOTE || code === BACKSLASH) return at
  }
  NOT_PLAIN.lastIndex = soon
  return NOT_PLAIN.test(text) ? NOT_PLAIN.lastIndex - 1 : text.length
}

function isDigit(code: number): boolean {
  return code >= ZERO && code <= NINE
}

function isHexDigit(code: number): boolean {
  const lower = code | LOWER_CASE_BIT
  return isDigit(code) || (lower >= LOWER_A && lower <= LOWER_F)
}
