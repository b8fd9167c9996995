/**
 * What stands in the place of what was taken out. Of hidden text that shows nothing, nothing: a mark in the middle of a word
 * would make it unreadable, and the search has seen the text without it already.
 */
export function markOf(rule: string): string {
  return SHOWS_NOTHING.has(rule) ? '' : `[redacted:${rule}]`
}

const SHOWS_NOTHING: ReadonlySet<string> = new Set([
  'hidden.tags',
  'hidden.variation_selectors',
  'hidden.zero_width',
  'hidden.bidi',
  'hidden.control',
  'hidden.invisible_operators',
  'hidden.fillers',
])
