import { isWithin, pointAt, pointBefore, unitsOf, type Range } from './ranges.ts'
import { TRAIT, traitsOf } from './scripts.ts'

/**
 * The uses that writing has for characters which show nothing. Each function is asked about one whole run of its kind, and
 * looks at no more than a few characters on either side of it.
 */

const SOFT_HYPHEN = 0xad
const GRAPHEME_JOINER = 0x34f
const MONGOLIAN_VOWEL_SEPARATOR = 0x180e
const NON_JOINER = 0x200c
const JOINER = 0x200d
const BYTE_ORDER_MARK = 0xfeff

/** True for a run of zero-width characters that its place asks for. Two of the same are one typed twice. */
export function isZeroWidthInPlace(text: string, start: number, end: number): boolean {
  const code = text.charCodeAt(start)
  const isPair = end - start === 2 && text.charCodeAt(start + 1) === code
  if (end - start > 1 && !isPair) return false
  const before = pointBefore(text, start)
  const after = pointAt(text, end)
  const traits = traitsOf(before) | traitsOf(after)
  if (code === JOINER || code === NON_JOINER)
    return (traits & TRAIT.joining) !== 0 || (!isPair && isJoinerElsewhere(text, start, code))
  if (code === BYTE_ORDER_MARK) return start === 0 && !isPair
  if (isPair) return code !== SOFT_HYPHEN && (traits & TRAIT.spaceless) !== 0
  if (code === SOFT_HYPHEN) return isWordLetter(before) && isWordLetter(after)
  if (code === GRAPHEME_JOINER) return (traitsOf(after) & TRAIT.mark) !== 0
  if (code === MONGOLIAN_VOWEL_SEPARATOR) return (traitsOf(before) & traitsOf(after) & TRAIT.mongolian) !== 0
  return (traits & TRAIT.spaceless) !== 0
}

/** Between two pictures, or before a point of Hebrew (as in the holam that belongs to a vav). */
function isJoinerElsewhere(text: string, at: number, code: number): boolean {
  const after = pointAt(text, at + 1)
  if ((traitsOf(pointBefore(text, at)) & TRAIT.hebrew) !== 0)
    return (traitsOf(after) & TRAIT.hebrew) !== 0 && (traitsOf(after) & TRAIT.mark) !== 0
  return code === JOINER && isPicture(after) && isPicture(pictureBefore(text, at))
}

const SKIN_TONES: Range = [0x1f3fb, 0x1f3ff]
const EMOJI_STYLE = 0xfe0f

/** What stands before a place, without the style and the skin tone that may follow a picture. */
function pictureBefore(text: string, at: number): number {
  let end = at
  if (pointBefore(text, end) === EMOJI_STYLE) end -= 1
  const tone = pointBefore(text, end)
  return isWithin([SKIN_TONES], tone) ? pointBefore(text, end - unitsOf(tone)) : tone
}

function isPicture(point: number): boolean {
  return point > 0xa8 && /\p{Extended_Pictographic}/u.test(String.fromCodePoint(point))
}

/** Marks of direction: at most two in a row, and not between two letters of ASCII. */
export function isDirectionMarkInPlace(text: string, start: number, end: number): boolean {
  return end - start <= 2 && !(isAsciiWord(pointBefore(text, start)) && isAsciiWord(pointAt(text, end)))
}

const ASCII_WORD: readonly Range[] = [
  [0x30, 0x39],
  [0x41, 0x5a],
  [0x61, 0x7a],
]

function isAsciiWord(point: number): boolean {
  return isWithin(ASCII_WORD, point)
}

function isAsciiLetter(point: number): boolean {
  return isAsciiWord(point) && point > 0x39
}

/** A letter of ASCII or one beyond Latin 1's signs. */
function isWordLetter(point: number): boolean {
  return isAsciiLetter(point) || (point >= 0xc0 && point < 0x2000)
}

const BLACK_FLAG = 0x1f3f4
/** All that are recommended for interchange; any other would be a way to send text. */
const SUBDIVISIONS: ReadonlySet<string> = new Set(['gbeng', 'gbsct', 'gbwls'].map((name) => tagged(name)))

/** True for the tags from `start` to `end` when they make a flag of England, Scotland or Wales, as UTS #51 annex C has it. */
export function isSubdivisionFlag(text: string, start: number, end: number): boolean {
  return pointBefore(text, start) === BLACK_FLAG && SUBDIVISIONS.has(text.slice(start, end))
}

function tagged(name: string): string {
  const points = Array.from(name, (letter) => 0xe0000 + (letter.codePointAt(0) ?? 0))
  return String.fromCodePoint(...points, 0xe007f)
}

const LAST_MONGOLIAN_SELECTOR = 0x180f
const FIRST_UNUSED_SELECTOR = 0xfe03
const LAST_UNUSED_SELECTOR = 0xfe0d
const LAST_ROTATION = 0xfe06
const HIEROGLYPHS: readonly Range[] = [[0x13000, 0x143ff]]

/** True for one selector behind a character that has variants, or may have some. */
export function isSelectorInPlace(text: string, at: number): boolean {
  const selector = pointAt(text, at)
  const base = pointBefore(text, at)
  const traits = traitsOf(base)
  if (selector <= LAST_MONGOLIAN_SELECTOR) return (traits & TRAIT.mongolian) !== 0
  if (selector > 0xffff) return (traits & TRAIT.ideograph) !== 0
  if (selector >= FIRST_UNUSED_SELECTOR && selector <= LAST_UNUSED_SELECTOR)
    return selector <= LAST_ROTATION && isWithin(HIEROGLYPHS, base)
  return base > 0x20 && !isAsciiLetter(base) && (traits & TRAIT.generalMark) === 0 && !isBlank(base)
}

/** Spaces, controls and format characters have no variants. */
function isBlank(point: number): boolean {
  return /[\p{Z}\p{C}\p{Default_Ignorable_Code_Point}]/u.test(String.fromCodePoint(point))
}

const FUNCTION_APPLICATION = 0x2061
const LAST_OPERATOR = 0x2064
const LONGEST_FUNCTION = 6

/** True for one operator that stands between two terms of a formula: numbers, signs, brackets and names of one letter. */
export function isOperatorInPlace(text: string, at: number): boolean {
  const operator = text.charCodeAt(at)
  if (operator > LAST_OPERATOR) return false
  const longest = operator === FUNCTION_APPLICATION ? LONGEST_FUNCTION : 1
  return isTermBefore(text, at, longest) && isTermAfter(text, at + 1, operator === FUNCTION_APPLICATION)
}

function isTermBefore(text: string, at: number, longest: number): boolean {
  let start = at
  while (start > 0 && at - start <= longest && isAsciiLetter(text.charCodeAt(start - 1))) start -= 1
  return start === at ? isMathSign(pointBefore(text, at)) : at - start <= longest
}

/** A function may stand before another: `log sin x`. */
function isTermAfter(text: string, at: number, mayBeName: boolean): boolean {
  const longest = mayBeName ? LONGEST_FUNCTION : 1
  let end = at
  while (end - at <= longest && isAsciiLetter(text.charCodeAt(end))) end += 1
  return end === at ? isMathSign(pointAt(text, at)) : end - at <= longest
}

const MATH_SIGNS =
  /[\p{N}\p{Sm}\p{Ps}\p{Pe}\p{Script=Greek}\u2032-\u2037\u2100-\u214f\u{1d400}-\u{1d7ff}|/^_!√-]/u

function isMathSign(point: number): boolean {
  return point > 0 && MATH_SIGNS.test(String.fromCodePoint(point))
}

const CHOSEONG_FILLER = 0x115f
const JUNGSEONG_FILLER = 0x1160
const INITIALS: readonly Range[] = [
  [0x1100, 0x115e],
  [0xa960, 0xa97c],
]
const VOWELS: readonly Range[] = [
  [0x1161, 0x11a7],
  [0xd7b0, 0xd7c6],
]

/** True for a filler that stands for the one missing part of a syllable of old Korean (Unicode section 18.6). */
export function isFillerInPlace(text: string, start: number, end: number): boolean {
  if (end - start !== 1) return false
  const code = text.charCodeAt(start)
  if (code === CHOSEONG_FILLER) return isWithin(VOWELS, pointAt(text, end))
  return code === JUNGSEONG_FILLER && isWithin(INITIALS, pointBefore(text, start))
}
