import { isLuhn } from './luhn.ts'

/** The first digits of the numbers of one issuer (ISO/IEC 7812-1), from and to, and the lengths that its numbers have. */
type Issuer = readonly [first: number, last: number, ...lengths: readonly number[]]

const LONG = [16, 17, 18, 19] as const

/** Issuers of cards that shops take, by what they publish. */
const ISSUERS: readonly Issuer[] = [
  // Visa, with Dankort and Elo inside it.
  [4, 4, 13, 16, 18, 19],
  // Mastercard.
  [51, 55, 16],
  [2221, 2720, 16],
  // American Express.
  [34, 34, 15],
  [37, 37, 15],
  // Discover, RuPay, Troy and Hipercard share its ranges.
  [6011, 6011, ...LONG],
  [60, 60, 16],
  [636, 639, ...LONG],
  [644, 649, ...LONG],
  [65, 65, ...LONG],
  // Diners Club.
  [300, 305, 14, ...LONG],
  [3095, 3095, 14, ...LONG],
  [36, 36, 14, ...LONG],
  [38, 39, 14, ...LONG],
  // JCB.
  [3528, 3589, ...LONG],
  // UnionPay and RuPay.
  [62, 62, ...LONG],
  [81, 82, ...LONG],
  // Maestro, Verve and Elo.
  [500, 509, 13, 14, 15, ...LONG],
  [5893, 5893, 13, 14, 15, ...LONG],
  [6304, 6304, 13, 14, 15, ...LONG],
  [6703, 6703, 13, 14, 15, ...LONG],
  [6759, 6763, 13, 14, 15, ...LONG],
  // Mir and Borica.
  [2200, 2205, ...LONG],
  // Troy, Uzcard and Humo.
  [9792, 9792, 16],
  [5614, 5614, 16],
  [8600, 8600, 16],
  [9860, 9860, 16],
]

const LEAST_DIGITS = 13
const MOST_DIGITS = 19

/** How people and cards group the digits; one group is a number in one piece. The longest come first. */
const GROUPINGS: readonly (readonly number[])[] = [
  [4, 4, 4, 4, 3],
  [6, 13],
  [4, 4, 4, 4, 2],
  [4, 4, 4, 4, 1],
  [4, 4, 4, 4],
  [4, 6, 5],
  [4, 4, 4, 3],
  [4, 6, 4],
  [4, 4, 4, 2],
  [4, 4, 4, 1],
  [4, 3, 3, 3],
]
const MOST_GROUPS = 5

/**
 * Where the number of a payment card that begins at a place ends, or -1. The place is the first of a run of digits. The number
 * has 13 to 19 digits, an issuer and the right check digit, stands in one piece or in groups with single spaces or hyphens,
 * and is neither a part of a word nor one of a decimal fraction.
 */
export function endOfCard(text: string, start: number): number {
  const lengths = LENGTHS_OF[Number(text.slice(start, start + PREFIX_DIGITS))] ?? 0
  if (lengths === 0 || isGluedBefore(text, start)) return -1
  const ends = endsOfGroups(text, start)
  if ((ends[0] ?? start) - start >= LEAST_DIGITS) return endIfCard(text, start, ends[0], lengths)
  for (const grouping of GROUPINGS) {
    if (!isGrouped(start, ends, grouping)) continue
    const end = endIfCard(text, start, ends[grouping.length - 1], lengths)
    if (end >= 0) return isInTable(text, start, end) ? -1 : end
  }
  return -1
}

/**
 * True for a row of seven numbers of four digits or more: any four of them stand where a card could, and one in thirty pass
 * for one. Two numbers beside a card, such as its expiry, are no row; nor are cards in a row.
 */
function isInTable(text: string, start: number, end: number): boolean {
  const before = text.slice(Math.max(0, start - ROW), start)
  const behind = text.slice(end, end + ROW)
  const left = COLUMNS_BEFORE.exec(before)?.[0] ?? ''
  const right = COLUMNS_BEHIND.exec(behind)?.[0] ?? ''
  if (left.length + right.length <= MOST_BESIDE * COLUMN) return false
  return !isCardOfFours(left.slice(0, -1)) && !isCardOfFours(right.slice(1))
}

/** Four digits with what parts them from the next. */
const COLUMN = 5
const CARD_COLUMNS = 4
const MOST_BESIDE = 2
const ROW = CARD_COLUMNS * COLUMN
const COLUMNS_BEFORE = /(?<!\d)(?:\d{4}[ \u00a0\u202f\u2010\u2011-])+$/
const COLUMNS_BEHIND = /^(?:[ \u00a0\u202f\u2010\u2011-]\d{4}(?!\d))+/

function isCardOfFours(columns: string): boolean {
  const digits = columns.replaceAll(/\D/g, '')
  const lengths = LENGTHS_OF[Number(digits.slice(0, PREFIX_DIGITS))] ?? 0
  return (
    digits.length === CARD_COLUMNS * PREFIX_DIGITS && ((lengths >> digits.length) & 1) === 1 && isLuhn(digits)
  )
}

/** Where each of the groups ends that stand in a row with the same separator. */
function endsOfGroups(text: string, start: number): readonly number[] {
  let end = endOfDigits(text, start)
  const ends = [end]
  const separator = text.charCodeAt(end)
  if (!SEPARATORS.has(separator)) return ends
  while (ends.length < MOST_GROUPS && text.charCodeAt(end) === separator) {
    const next = endOfDigits(text, end + 1)
    if (next === end + 1) break
    ends.push(next)
    end = next
  }
  return ends
}

function isGrouped(start: number, ends: readonly number[], grouping: readonly number[]): boolean {
  let from = start
  for (let group = 0; group < grouping.length; group++) {
    const end = ends[group] ?? 0
    if (end - from !== grouping[group]) return false
    from = end + 1
  }
  return true
}

function endIfCard(text: string, start: number, end = start, lengths = 0): number {
  const digits = text.slice(start, end).replaceAll(/\D/g, '')
  const isIssued = ((lengths >> digits.length) & 1) === 1
  return isIssued && isFree(text, end) && isLuhn(digits) && !isArticle(digits) ? end : -1
}

/** Space, no-break space, the narrow one, hyphen, the two of Unicode. */
const SEPARATORS: ReadonlySet<number> = new Set([0x20, 0xa0, 0x202f, 0x2d, 0x2010, 0x2011])

/** Behind a run that is longer than the longest number, there is no need to know where it ends. */
function endOfDigits(text: string, from: number): number {
  let end = from
  while (end <= from + MOST_DIGITS && isDigit(text.charCodeAt(end))) end += 1
  return end
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

function isWord(code: number): boolean {
  const lower = code | 0x20
  return isDigit(code) || (lower >= 0x61 && lower <= 0x7a) || code === UNDERSCORE
}

const UNDERSCORE = 0x5f
const POINT = 0x2e

function isGluedBefore(text: string, start: number): boolean {
  const code = text.charCodeAt(start - 1)
  return isWord(code) || (code === POINT && isDigit(text.charCodeAt(start - 2)))
}

function isFree(text: string, end: number): boolean {
  const code = text.charCodeAt(end)
  return !isWord(code) && !(code === POINT && isDigit(text.charCodeAt(end + 1)))
}

const PREFIX_DIGITS = 4
/** The lengths that numbers with these first four digits have, as bits. */
const LENGTHS_OF = new Uint32Array(10 ** PREFIX_DIGITS)
for (const [first, last, ...lengths] of ISSUERS) {
  const size = 10 ** (PREFIX_DIGITS - String(first).length)
  for (let prefix = first * size; prefix < (last + 1) * size; prefix++)
    for (const length of lengths) LENGTHS_OF[prefix] = (LENGTHS_OF[prefix] ?? 0) | (1 << length)
}

const ARTICLE_DIGITS = 13
const ZERO = 0x30

/**
 * True for the number of an article of trade (GS1 GTIN-13). Those of several countries begin with 4, as Visa's do, and Visa has
 * given out none of 13 digits for decades.
 */
function isArticle(digits: string): boolean {
  if (digits.length !== ARTICLE_DIGITS) return false
  let sum = 0
  for (let at = 0; at < ARTICLE_DIGITS; at++) sum += (digits.charCodeAt(at) - ZERO) * (at % 2 === 0 ? 1 : 3)
  return sum % 10 === 0
}
