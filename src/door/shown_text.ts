import { isInvisible } from './invisible.ts'

/**
 * What `Undisguiser` shows of a text, one character after the other: without invisible characters, and with one level of
 * escapes undone. It never needs more of the text than has come; the beginning of an escape is kept until it is one or none.
 */
export class ShownText {
  readonly #show: (unit: number) => void
  /** The beginning of an escape; any number of backslashes stands here as one. */
  #escape = ''
  #doubled = 0
  /** A high surrogate, or 0. */
  #high = 0
  /** What was shown differently from how it stands. */
  #hasEscapes = false
  #hasInvisible = false

  /** `show` is called for each code unit that is shown. */
  constructor(show: (unit: number) => void) {
    this.#show = show
  }

  /** How many characters are kept for the next ones to tell what they are. */
  get kept(): number {
    return this.#escape.length + this.#doubled + (this.#high === 0 ? 0 : 1)
  }

  /** Of them, backslashes behind the first one. */
  get doubled(): number {
    return this.#doubled
  }

  /** True when an escape was undone since `settle`. */
  get hasEscapes(): boolean {
    return this.#hasEscapes
  }

  /** True when something invisible was left out since `settle`. */
  get hasInvisible(): boolean {
    return this.#hasInvisible
  }

  settle(): void {
    this.#hasEscapes = false
    this.#hasInvisible = false
  }

  take(unit: number): void {
    if (this.#escape === '') this.#begin(unit)
    else if (unit === BACKSLASH && this.#escape === '\\') this.#doubled += 1
    else this.#goOn(unit)
  }

  #begin(unit: number): void {
    if (this.#high !== 0 && this.#pair(unit)) return
    if (unit === BACKSLASH || unit === PERCENT || unit === EQUALS) {
      this.#escape = String.fromCharCode(unit)
    } else if (unit >= FIRST_HIGH && unit <= LAST_HIGH) this.#high = unit
    else if (isInvisible(unit)) this.#hasInvisible = true
    else this.#show(unit)
  }

  /** True when a pair was made. */
  #pair(low: number): boolean {
    const high = this.#high
    this.#high = 0
    if (low <= LAST_HIGH || low > LAST_LOW) {
      this.#show(high)
      return false
    }
    if (isInvisible(((high - FIRST_HIGH) << 10) + (low - LAST_HIGH - 1) + FIRST_ASTRAL))
      this.#hasInvisible = true
    else {
      this.#show(high)
      this.#show(low)
    }
    return true
  }

  #goOn(unit: number): void {
    const escape = this.#escape + String.fromCharCode(unit)
    if (PARTIAL.test(escape)) {
      this.#escape = escape
      return
    }
    const shown = shownBy(escape)
    if (shown !== undefined) {
      this.#hasEscapes = true
      this.#endEscape()
      this.#showAll(shown)
      return
    }
    const [first = '', ...rest] = this.#escape
    // Two are as good as any number: no pattern counts them.
    const before = this.#doubled > 0 ? '\\\\' : first
    this.#endEscape()
    this.#showAll(before + rest.join(''))
    this.#begin(unit)
  }

  #endEscape(): void {
    this.#escape = ''
    this.#doubled = 0
  }

  #showAll(text: string): void {
    for (let at = 0; at < text.length; at++) this.#show(text.charCodeAt(at))
  }
}

const PERCENT = 0x25
const EQUALS = 0x3d
const BACKSLASH = 0x5c
const FIRST_HIGH = 0xd800
const LAST_HIGH = 0xdbff
const LAST_LOW = 0xdfff
const FIRST_ASTRAL = 0x10000
const LAST_POINT = 0x10ffff

/** May still become an escape. */
const PARTIAL =
  /^(?:\\(?:u[\da-fA-F]{0,3}|u\{[\da-fA-F]{0,6}|U[\da-fA-F]{0,7}|x[\da-fA-F]?|[0-3][0-7]?)|%[\da-fA-F]?|=[\dA-F]?|=\r)$/
/** The digits of a whole escape, by system. */
const HEX =
  /^(?:\\u([\da-fA-F]{4})|\\u\{([\da-fA-F]{1,6})\}|\\U([\da-fA-F]{8})|\\x([\da-fA-F]{2})|%([\da-fA-F]{2})|=([\dA-F]{2}))$/
const OCTAL = /^\\([0-3][0-7]{2})$/
const SOFT_LINE_END = /^=\r?\n$/
const SIGN = /^\\[/\-_.~+=:@]$/
const CONTROLS: ReadonlyMap<string, string> = new Map(
  Object.entries({ '\\n': '\n', '\\r': '\r', '\\t': '\t', '\\b': '\b', '\\f': '\f' }),
)

/** What a whole escape stands for; undefined for what is none. */
function shownBy(escape: string): string | undefined {
  const control = CONTROLS.get(escape)
  if (control !== undefined) return control
  if (SIGN.test(escape)) return escape.slice(1)
  if (SOFT_LINE_END.test(escape)) return ''
  const octal = OCTAL.exec(escape)?.[1]
  if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8))
  const digits = HEX.exec(escape)?.slice(1).join('')
  const point = digits === undefined ? Infinity : Number.parseInt(digits, 16)
  return point > LAST_POINT ? undefined : String.fromCodePoint(point)
}
