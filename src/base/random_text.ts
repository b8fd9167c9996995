/** Classes of ASCII characters, as bits, so that a set of classes is one number. */
export const CLASS = {
  upper: 1,
  lower: 2,
  digit: 4,
  dash: 8,
  underscore: 16,
  plus: 32,
  slash: 64,
  dot: 128,
  equals: 256,
  tilde: 512,
  /** Space and tab. */
  space: 1_024,
} as const

export const ALPHANUMERIC = CLASS.upper | CLASS.lower | CLASS.digit
export const BASE64URL = ALPHANUMERIC | CLASS.dash | CLASS.underscore
export const BASE64 = ALPHANUMERIC | CLASS.plus | CLASS.slash

const CLASS_OF = new Uint16Array(128)
for (let code = 0x30; code <= 0x39; code++) CLASS_OF[code] = CLASS.digit
for (let code = 0x41; code <= 0x5a; code++) CLASS_OF[code] = CLASS.upper
for (let code = 0x61; code <= 0x7a; code++) CLASS_OF[code] = CLASS.lower
for (const [character, bit] of [
  ['-', CLASS.dash],
  ['_', CLASS.underscore],
  ['+', CLASS.plus],
  ['/', CLASS.slash],
  ['.', CLASS.dot],
  ['=', CLASS.equals],
  ['~', CLASS.tilde],
  [' ', CLASS.space],
  ['\t', CLASS.space],
] as const) {
  CLASS_OF[character.charCodeAt(0)] = bit
}

/** The class of the character at `at`; 0 for any other character and outside the text. */
export function classAt(text: string, at: number): number {
  return CLASS_OF[text.charCodeAt(at)] ?? 0
}

/** Where the run of characters of these classes that starts at `from` ends. */
export function endOfRun(text: string, from: number, classes: number): number {
  let end = from
  while ((classAt(text, end) & classes) !== 0) end += 1
  return end
}

/** More says nothing more about how a text was made, and costs time. */
const SAMPLE_LENGTH = 64
const LEAST_DISTINCT = 10
/** Random base 62 changes between digit, upper and lower case at 62 % of its places, base 36 at 40 %, words hardly. */
const LEAST_CHANGES = 0.1
/** `abcdef`, `123456` and `xxxxxx` step by 1 or 0 at every place; random base 62 at 3 %, hexadecimal at 12 %. */
const MOST_STEPS = 0.4
/** Short enough words would stand in random text by chance: five letters do in one of a million. */
const PLACEHOLDER = /example|placeholder|redacted|xxxxx|dummy|change-?me|your[-_]|insert[-_]|[-_]here/i

/**
 * True for a text that a generator of secrets may have made: no words, no sequences, no placeholder. Of 20,000 random
 * texts it misses none of 20 characters of base 62, 6 of 32 hexadecimal digits and 27 of 32 characters of base 36.
 */
export function looksRandom(text: string, start: number, end: number): boolean {
  const sampleEnd = Math.min(end, start + SAMPLE_LENGTH)
  return (
    endOfDull(text, start, sampleEnd) < sampleEnd &&
    isIrregular(text, start, sampleEnd) &&
    !PLACEHOLDER.test(text.slice(start, sampleEnd))
  )
}

/** A search for placeholders goes on for this long, to serve the next stretches too. */
const PLACEHOLDER_AHEAD = 256

/**
 * `looksRandom` for many stretches of one text, to be asked for in the order of their starts. What rules out one stretch
 * is remembered for the next, so that a text of nothing but beginnings of tokens is not read again for each.
 */
export class RandomStretches {
  readonly #text: string
  /** Up to here the characters since the last stretch asked for are too few different ones. */
  #dullEnd = 0
  /** The first placeholder that the last search found, and how far it has looked for one. */
  #placeholder = { start: -1, end: 0, searched: 0 }

  constructor(text: string) {
    this.#text = text
  }

  looksRandom(start: number, end: number): boolean {
    const sampleEnd = Math.min(end, start + SAMPLE_LENGTH)
    return (
      !this.#isDull(start, sampleEnd) &&
      isIrregular(this.#text, start, sampleEnd) &&
      !this.#hasPlaceholder(start, sampleEnd)
    )
  }

  #isDull(start: number, end: number): boolean {
    if (end > this.#dullEnd) this.#dullEnd = endOfDull(this.#text, start, this.#text.length)
    return end <= this.#dullEnd
  }

  #hasPlaceholder(start: number, end: number): boolean {
    if (start > this.#placeholder.start || end > this.#placeholder.searched) this.#search(start)
    return this.#placeholder.end <= end
  }

  #search(from: number): void {
    const searched = from + PLACEHOLDER_AHEAD
    const match = PLACEHOLDER.exec(this.#text.slice(from, searched))
    const start = match === null ? Infinity : from + match.index
    this.#placeholder = {
      start,
      end: match === null ? Infinity : start + match[0].length,
      searched: match === null ? searched : Infinity,
    }
  }
}

/** Where the last of `LEAST_DISTINCT` different characters stands first, or `end`; those outside ASCII count as one of ASCII each. */
function endOfDull(text: string, start: number, end: number): number {
  let distinct = 0
  // The 128 characters of ASCII, as bits.
  let low = 0
  let digits = 0
  let upper = 0
  let lower = 0
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const part = (code >> 5) & 3
    const bit = 1 << (code & 31)
    if (((part === 3 ? lower : part === 2 ? upper : part === 1 ? digits : low) & bit) !== 0) continue
    distinct += 1
    if (distinct === LEAST_DISTINCT) return at
    if (part === 3) lower |= bit
    else if (part === 2) upper |= bit
    else if (part === 1) digits |= bit
    else low |= bit
  }
  return end
}

/** True for a stretch that neither stays in one class of characters, as words do, nor steps on in order. */
function isIrregular(text: string, start: number, end: number): boolean {
  let counted = 0
  let changes = 0
  let steps = 0
  let lastClass = 0
  let lastCode = -2
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    const step = code - lastCode
    if (step === 0 || step === 1) steps += 1
    lastCode = code
    const kind = (CLASS_OF[code] ?? 0) & ALPHANUMERIC
    if (kind === 0) continue
    if (lastClass !== 0 && kind !== lastClass) changes += 1
    lastClass = kind
    counted += 1
  }
  return changes >= counted * LEAST_CHANGES && steps <= (end - start) * MOST_STEPS
}
