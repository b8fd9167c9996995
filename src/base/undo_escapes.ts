const DIGIT_0 = 0x30
const DIGIT_9 = 0x39
const PERCENT = 0x25
const AMPERSAND = 0x26
const HASH = 0x23
const SEMICOLON = 0x3b
const LOWER_X = 0x78
const UPPER_X = 0x58
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
const QUOTE = 0x22
const SLASH = 0x2f
const BACKSLASH = 0x5c
const LOWER_U = 0x75
const ASCII_END = 0x80
const LAST_CODE_POINT = 0x10_ffff

/**
 * UTF-8 bytes with `\uXXXX`, `\u{X…}`, `\xXX`, `\/`, `\"`, `%XX`, `&#D…;` and `&#xX…;` undone, however many backslashes
 * stand in front: JSON inside JSON doubles them. Undefined when there is nothing to undo. For searching only: other
 * escapes stay as they are.
 */
export function undoEscapes(bytes: Buffer): Buffer | undefined {
  if (!mayHoldEscapes(bytes)) return undefined
  const first = bytes.toString('latin1').search(ESCAPE)
  if (first < 0) return undefined
  const undone = Buffer.allocUnsafe(bytes.length)
  let to = bytes.copy(undone, 0, 0, first)
  const reader = new EscapeReader(bytes)
  let at = first
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    at += 1
    if (byte !== BACKSLASH && byte !== PERCENT && byte !== AMPERSAND) {
      undone[to++] = byte
      continue
    }
    const code = reader.read(byte, at)
    at = reader.at
    // Never longer than the escape was.
    if (code >= ASCII_END && byte !== PERCENT) to += undone.write(String.fromCodePoint(code), to)
    else undone[to++] = code < 0 ? byte : code
  }
  return to < bytes.length ? undone.subarray(0, to) : undefined
}

/** False when no escape begins in the bytes. */
export function mayHoldEscapes(bytes: Uint8Array): boolean {
  return BEGINNINGS.some((beginning) => bytes.includes(beginning))
}

const BEGINNINGS = [BACKSLASH, PERCENT, AMPERSAND]

/** What may be one. Most texts hold none that is left after one layer, and this is quicker than to go through all bytes. */
const ESCAPE = /\\["/\\ux]|%[\da-fA-F]{2}|&#/

/** Reads escapes. `at` is behind the last one, or behind the beginning of what was none. */
class EscapeReader {
  readonly #bytes: Buffer
  at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  /** What the escape stands for that begins with this byte, just before `at`: a code point, of `%XX` a byte; -1 if it is none. */
  read(beginning: number, at: number): number {
    this.at = at
    if (beginning === PERCENT) return this.#exactly(2, 0)
    return beginning === AMPERSAND ? this.#entity() : this.#afterBackslashes()
  }

  #afterBackslashes(): number {
    while (this.#bytes[this.at] === BACKSLASH) this.at += 1
    const kind = this.#bytes[this.at] ?? 0
    if (kind === LOWER_X) return this.#exactly(2, 1)
    if (kind === LOWER_U)
      return this.#bytes[this.at + 1] === OPEN_BRACE ? this.#number(2, HEX, CLOSE_BRACE) : this.#exactly(4, 1)
    if (kind !== SLASH && kind !== QUOTE) return -1
    this.at += 1
    return kind
  }

  /** Readers of HTML do without the semicolon. */
  #entity(): number {
    if (this.#bytes[this.at] !== HASH) return -1
    const mark = this.#bytes[this.at + 1]
    const code = mark === LOWER_X || mark === UPPER_X ? this.#number(2, HEX) : this.#number(1, DECIMAL)
    if (code >= 0 && this.#bytes[this.at] === SEMICOLON) this.at += 1
    return code
  }

  /** So many hexadecimal digits, `skip` bytes from here. */
  #exactly(digits: number, skip: number): number {
    const from = this.at + skip
    let value = 0
    for (let index = from; index < from + digits; index += 1) {
      const digit = HEX.digits[this.#bytes[index] ?? 0] ?? -1
      if (digit < 0) return -1
      value = value * 16 + digit
    }
    this.at = from + digits
    return value
  }

  /** All digits, `skip` bytes from here, of a code point, and then `end` if one is asked for. */
  #number(skip: number, { base, digits }: System, end?: number): number {
    let value = -1
    let index = this.at + skip
    for (; value <= LAST_CODE_POINT; index += 1) {
      const digit = digits[this.#bytes[index] ?? 0] ?? -1
      if (digit < 0) break
      value = Math.max(value, 0) * base + digit
    }
    const isWhole = end === undefined || this.#bytes[index] === end
    if (value < 0 || value > LAST_CODE_POINT || !isWhole) return -1
    this.at = end === undefined ? index : index + 1
    return value
  }
}

interface System {
  readonly base: number
  /** The value of each byte as a digit, -1 for what is none. */
  readonly digits: Int8Array
}

const HEX: System = { base: 16, digits: digitsWhere((byte) => /[0-9a-fA-F]/.test(String.fromCharCode(byte))) }
const DECIMAL: System = { base: 10, digits: digitsWhere((byte) => byte >= DIGIT_0 && byte <= DIGIT_9) }

function digitsWhere(isDigit: (byte: number) => boolean): Int8Array {
  return Int8Array.from({ length: 256 }, (_, byte) =>
    isDigit(byte) ? Number.parseInt(String.fromCharCode(byte), 16) : -1,
  )
}
