import type { JsonValue } from '#base/json.ts'

/** What a provider told of the tokens of an answer. */
export interface Usage {
  /** All of the input, cached or not; undefined where it was not told. */
  readonly tokensIn: number | undefined
  readonly tokensOut: number | undefined
  /** Of the input, what was read from a cache and what was written to one. */
  readonly cached: number
  readonly written: number
}

export function usageIn(facts: Readonly<Record<string, JsonValue>>): Usage {
  const tokensIn = countOf(facts['tokens_in'])
  const cached = countOf(facts['tokens_cached']) ?? 0
  const written = countOf(facts['tokens_written']) ?? 0
  // Parts that are more than the whole are a mistake of the provider, and would make the rest less than nothing.
  const arePart = tokensIn !== undefined && cached + written <= tokensIn
  return {
    tokensIn,
    tokensOut: countOf(facts['tokens_out']),
    cached: arePart ? cached : 0,
    written: arePart ? written : 0,
  }
}

/** No answer has a thousand million tokens: a greater number is a mistake, and as good as none. */
const MOST_TOKENS = 1_000_000_000

function countOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= MOST_TOKENS
    ? value
    : undefined
}
