import type { Filter } from './filter.ts'

/** The text that an attribute must be equal to for the filter to match; undefined where the filter does not say so. */
export function factOf(filter: Filter, key: string): string | undefined {
  if (filter.kind === 'and') {
    for (const part of filter.parts) {
      const fact = factOf(part, key)
      if (fact !== undefined) return fact
    }
  }
  if (filter.kind !== 'compare' || filter.comparison !== 'eq' || typeof filter.value !== 'string')
    return undefined
  return filter.path.name.toLowerCase() === key && filter.path.sub === undefined ? filter.value : undefined
}
