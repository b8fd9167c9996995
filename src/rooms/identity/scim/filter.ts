import { printAttributePath, type AttributePath } from './attribute_path.ts'

/** RFC 7644 section 3.4.2.2, table 3. */
export const COMPARISONS = ['eq', 'ne', 'co', 'sw', 'ew', 'gt', 'ge', 'lt', 'le'] as const
export type Comparison = (typeof COMPARISONS)[number]

export type ComparedValue = string | number | boolean | null

/** What resources are asked for. `and` and `or` have two parts at least. */
export type Filter =
  | {
      readonly kind: 'compare'
      readonly path: AttributePath
      readonly comparison: Comparison
      readonly value: ComparedValue
    }
  | { readonly kind: 'present'; readonly path: AttributePath }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Filter[] }
  | { readonly kind: 'not'; readonly part: Filter }
  /** True when one value of a complex attribute matches as a whole. */
  | { readonly kind: 'values'; readonly path: AttributePath; readonly part: Filter }

/** The text of a filter; reading it gives the same filter. */
export function printFilter(filter: Filter): string {
  switch (filter.kind) {
    case 'compare':
      return `${printAttributePath(filter.path)} ${filter.comparison} ${JSON.stringify(filter.value)}`
    case 'present':
      return `${printAttributePath(filter.path)} pr`
    case 'not':
      return `not (${printFilter(filter.part)})`
    case 'values':
      return `${printAttributePath(filter.path)}[${printFilter(filter.part)}]`
    default:
      return filter.parts.map((part) => printPart(part)).join(` ${filter.kind} `)
  }
}

function printPart(part: Filter): string {
  return part.kind === 'and' || part.kind === 'or' ? `(${printFilter(part)})` : printFilter(part)
}
