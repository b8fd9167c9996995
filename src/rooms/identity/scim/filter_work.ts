import { LIMITS } from '#base/limits.ts'
import type { Attribute } from './attribute.ts'
import type { Filter } from './filter.ts'
import { valueMatcherOf, type Matcher } from './filter_match.ts'
import { scimFault } from './scim_fault.ts'

/**
 * The filters of one PATCH on one list. Its operations are applied in one turn, so that nothing comes in between: all that
 * they compare together is bounded.
 */
export class FilterWork {
  readonly #attribute: Attribute
  #left: number = LIMITS.scimComparisons

  constructor(attribute: Attribute) {
    this.#attribute = attribute
  }

  /** For a look at so many values. Throws `input.invalid` with `invalidFilter`, beyond the bound too. */
  matcherOf(filter: Filter, values: number): Matcher {
    this.#left -= values * comparisonsIn(filter)
    if (this.#left < 0)
      throw scimFault(
        'invalidFilter',
        `The filters of a PATCH may compare ${LIMITS.scimComparisons} values of "${this.#attribute.name}" in all.`,
      )
    return valueMatcherOf(this.#attribute, filter)
  }
}

function comparisonsIn(filter: Filter): number {
  if ('parts' in filter) return filter.parts.reduce((sum, part) => sum + comparisonsIn(part), 0)
  return 'part' in filter ? comparisonsIn(filter.part) : 1
}
