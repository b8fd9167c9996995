/**
 * True for a character that shows nothing: controls other than tab and line ends, format characters, fillers, joiners,
 * selectors and tags (Unicode: Cc, Cf and Default_Ignorable_Code_Point). A test holds the table against the engine's.
 */
export function isInvisible(point: number): boolean {
  if (point < 0x20) return point !== 0x09 && point !== 0x0a && point !== 0x0d
  if (point < FIRST_ABOVE_ASCII) return false
  let low = 0
  let high = RANGES.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((RANGES[middle]?.[0] ?? 0) <= point) low = middle
    else high = middle - 1
  }
  const [first, last] = RANGES[low] ?? [0, 0]
  return first <= point && point <= last
}

/** True for a text with such a character in it. */
export function hasInvisible(text: string): boolean {
  return INVISIBLE.test(text)
}

const INVISIBLE = /[[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]--[\t\n\r]]/v
const FIRST_ABOVE_ASCII = 0x7f

/** For one character after the other the engine would take too long. */
const RANGES: readonly (readonly [first: number, last: number])[] = [
  [0x7f, 0x9f],
  [0xad, 0xad],
  [0x34f, 0x34f],
  [0x600, 0x605],
  [0x61c, 0x61c],
  [0x6dd, 0x6dd],
  [0x70f, 0x70f],
  [0x890, 0x891],
  [0x8e2, 0x8e2],
  [0x115f, 0x1160],
  [0x17b4, 0x17b5],
  [0x180b, 0x180f],
  [0x200b, 0x200f],
  [0x202a, 0x202e],
  [0x2060, 0x206f],
  [0x3164, 0x3164],
  [0xfe00, 0xfe0f],
  [0xfeff, 0xfeff],
  [0xffa0, 0xffa0],
  [0xfff0, 0xfffb],
  [0x110bd, 0x110bd],
  [0x110cd, 0x110cd],
  [0x13430, 0x1343f],
  [0x1bca0, 0x1bca3],
  [0x1d173, 0x1d17a],
  [0xe0000, 0xe0fff],
]
