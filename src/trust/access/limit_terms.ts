import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { toNanoDollars } from '#base/nano_dollars.ts'

/** What can be limited, by the names that configuration, keys, the ledger and metrics have for it. */
export const LIMIT_NAMES = [
  'requests_per_minute',
  'tokens_per_minute',
  'concurrent',
  'requests_per_day',
  'tokens_per_day',
  'dollars_per_day',
  'requests_per_month',
  'tokens_per_month',
  'dollars_per_month',
] as const

export type LimitName = (typeof LIMIT_NAMES)[number]

/** How much at most; what is left out is not limited. Dollars as they are written, all else whole numbers. */
export type LimitTerms = { readonly [Name in LimitName]?: number | undefined }

/** A greater number is no limit. */
export const MOST_COUNT = 1_000_000_000_000
/** What nano-dollars in whole numbers can tell apart. */
export const MOST_DOLLARS = 9_000_000

/** The limits of a key as they were asked for or stored, frozen; undefined for none. Throws `input.invalid` and names the field. */
export function toLimitTerms(asked: JsonObject | undefined): LimitTerms | undefined {
  if (asked === undefined) return undefined
  const terms: Record<string, number> = {}
  for (const [name, value] of Object.entries(asked)) {
    const known = LIMIT_NAMES.find((each) => each === name)
    if (known === undefined) throw invalid('limits', `takes ${LIMIT_NAMES.join(', ')}`)
    if (typeof value !== 'number' || !isLimit(known, value)) throw invalid(known, ruleOf(known))
    terms[known] = value
  }
  return Object.keys(terms).length === 0 ? undefined : Object.freeze(terms)
}

/** Whether a number may stand for this limit. */
export function isLimit(name: LimitName, value: number): boolean {
  if (name.startsWith('dollars')) {
    const nano = toNanoDollars(value)
    return nano !== undefined && nano > 0 && value <= MOST_DOLLARS
  }
  return Number.isSafeInteger(value) && value >= 1 && value <= MOST_COUNT
}

/** What may, as the end of a sentence. */
export function ruleOf(name: LimitName): string {
  return name.startsWith('dollars')
    ? `takes dollars from 0.000001 to ${MOST_DOLLARS}, with at most six digits after the point`
    : `takes a whole number from 1 to ${MOST_COUNT}`
}

function invalid(field: string, rule: string): Fault {
  return new Fault('input.invalid', { field }, { say: `"${field}" ${rule}.` })
}
