/** First and last code point of a stretch of Unicode. */
export type Range = readonly [first: number, last: number]

/** True when a code point stands in one of a few ranges. */
export function isWithin(ranges: readonly Range[], point: number): boolean {
  for (const [first, last] of ranges) if (first <= point && point <= last) return true
  return false
}

/** The code point that ends right before a place; -1 at the start of the text. */
export function pointBefore(text: string, at: number): number {
  const code = at > 0 ? text.charCodeAt(at - 1) : -1
  if (code < 0xdc00 || code > 0xdfff || at < 2) return code
  const point = text.codePointAt(at - 2) ?? -1
  return point > 0xffff ? point : code
}

/** The code point at a place; -1 at the end of the text. */
export function pointAt(text: string, at: number): number {
  return text.codePointAt(at) ?? -1
}

/** UTF-16 code units of a code point. */
export function unitsOf(point: number): number {
  return point > 0xffff ? 2 : 1
}
