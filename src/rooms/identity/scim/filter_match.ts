import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Attribute } from './attribute.ts'
import type { AttributePath } from './attribute_path.ts'
import { toBoolean } from './boolean.ts'
import type { Comparison, Filter } from './filter.ts'
import { findAttribute, resolve, type ResourceType } from './resource_type.ts'
import { scimFault } from './scim_fault.ts'

export type Matcher = (resource: JsonObject) => boolean

/**
 * Makes a function of a filter, for resources whose members have the names of their schema. An attribute that is not known
 * has no value (RFC 7644 section 3.4.2.2). Throws `input.invalid` with `invalidFilter` for what cannot be compared so.
 */
export function matcherOf(type: ResourceType, filter: Filter): Matcher {
  return compile(filter, (path) => resolve(type, path))
}

/** The same for the values of one complex attribute: what stands between brackets. */
export function valueMatcherOf(attribute: Attribute, filter: Filter): Matcher {
  return compile(filter, ({ urn, name, sub }) => {
    const found = findAttribute(attribute.subAttributes, name)
    return found === undefined || urn !== undefined || sub !== undefined ? undefined : [found]
  })
}

type Find = (path: AttributePath) => readonly Attribute[] | undefined

function compile(filter: Filter, find: Find): Matcher {
  switch (filter.kind) {
    case 'compare':
      return comparing(filter, find(filter.path))
    case 'present':
      return presence(find(filter.path))
    case 'not': {
      const part = compile(filter.part, find)
      return (resource) => !part(resource)
    }
    case 'values':
      return ofValues(filter.part, find(filter.path))
    default: {
      const parts = filter.parts.map((part) => compile(part, find))
      return filter.kind === 'and'
        ? (resource) => parts.every((part) => part(resource))
        : (resource) => parts.some((part) => part(resource))
    }
  }
}

function presence(steps: readonly Attribute[] | undefined): Matcher {
  if (steps === undefined) return () => false
  return (resource) => valuesAt(resource, steps).some(isPresent)
}

// Empty objects hold nothing, and neither do values that are only marked as the primary one.
function isPresent(value: JsonValue): boolean {
  return (
    !isJsonObject(value) || Object.values(value).some((part) => part !== null && typeof part !== 'boolean')
  )
}

function ofValues(part: Filter, steps: readonly Attribute[] | undefined): Matcher {
  const last = steps?.at(-1)
  if (steps === undefined || last === undefined) return () => false
  if (last.type !== 'complex') throw scimFault('invalidFilter', `"${last.name}" has no parts to filter by.`)
  const matches = valueMatcherOf(last, part)
  return (resource) => valuesAt(resource, steps).some((value) => isJsonObject(value) && matches(value))
}

function comparing(
  { comparison, value }: Extract<Filter, { kind: 'compare' }>,
  found: readonly Attribute[] | undefined,
): Matcher {
  // Nothing is not equal to anything, and equal to null (RFC 7643 section 2.5).
  const ofNothing = value === null ? comparison === 'eq' : comparison === 'ne'
  if (found === undefined) return () => ofNothing
  if (value === null) {
    if (comparison !== 'eq' && comparison !== 'ne') throw scimFault('invalidFilter', 'null has no order.')
    return (resource) => valuesAt(resource, found).some(isPresent) !== ofNothing
  }
  const { steps, last } = toCompared(found)
  const test = testOf(last, comparison, value)
  return (resource) => {
    const values = valuesAt(resource, steps)
    return values.length === 0 ? ofNothing : values.some(test)
  }
}

/** Of a complex attribute its `value` is compared, as in `members eq "…"`. */
function toCompared(found: readonly Attribute[]): {
  readonly steps: readonly Attribute[]
  readonly last: Attribute | undefined
} {
  const last = found.at(-1)
  if (last?.type !== 'complex') return { steps: found, last }
  const value = findAttribute(last.subAttributes, 'value')
  if (value === undefined) throw scimFault('invalidFilter', `"${last.name}" is compared by its parts.`)
  return { steps: [...found, value], last: value }
}

type Test = (value: JsonValue) => boolean

function testOf(
  attribute: Attribute | undefined,
  comparison: Comparison,
  asked: string | number | boolean,
): Test {
  if (attribute === undefined) return () => false
  if (attribute.type === 'boolean') return booleanTest(attribute, comparison, asked)
  if (typeof asked !== 'string')
    throw scimFault('invalidFilter', `"${attribute.name}" is compared to a text.`)
  const fold = attribute.caseExact ? (text: string) => text : foldCase
  const folded = fold(asked)
  if (comparison === 'co') return (value) => typeof value === 'string' && fold(value).includes(folded)
  if (comparison === 'sw') return (value) => typeof value === 'string' && fold(value).startsWith(folded)
  if (comparison === 'ew') return (value) => typeof value === 'string' && fold(value).endsWith(folded)
  const holds = ORDERS[comparison]
  if (attribute.type !== 'dateTime')
    return (value) => typeof value === 'string' && holds(compareTexts(fold(value), folded))
  const time = Date.parse(asked)
  if (Number.isNaN(time)) throw scimFault('invalidFilter', `"${attribute.name}" is compared to a time.`)
  // Two texts may mean the same time.
  return (value) => typeof value === 'string' && holds(Date.parse(value) - time)
}

/** Whether what is known of two values makes a comparison true: below 0 when the first one comes first. */
const ORDERS: Readonly<Record<Exclude<Comparison, 'co' | 'sw' | 'ew'>, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  ge: (order) => order >= 0,
  lt: (order) => order < 0,
  le: (order) => order <= 0,
}

/** By UTF-16 code units: the same on every machine. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0
  return left < right ? -1 : 1
}

/** RFC 7644 section 3.4.2.2: booleans have no order. */
function booleanTest({ name }: Attribute, comparison: Comparison, asked: string | number | boolean): Test {
  const wanted = toBoolean(asked)
  if (wanted === undefined || (comparison !== 'eq' && comparison !== 'ne'))
    throw scimFault('invalidFilter', `"${name}" is true or false: compare it with eq or ne.`)
  return comparison === 'eq' ? (value) => value === wanted : (value) => value !== wanted
}

/** Texts that differ in this alone are one where an attribute does not tell cases apart. */
export function foldCase(text: string): string {
  return text.normalize('NFC').toLowerCase()
}

/** All values that an attribute has, those of all values of what it is part of. */
export function valuesAt(resource: JsonObject, steps: readonly Attribute[]): readonly JsonValue[] {
  let values: readonly JsonValue[] = [resource]
  for (const { name } of steps) values = values.flatMap((value) => partsOf(value, name))
  return values
}

function partsOf(value: JsonValue, name: string): readonly JsonValue[] {
  const part = isJsonObject(value) ? value[name] : undefined
  if (part === undefined || part === null) return []
  return isJsonArray(part) ? part : [part]
}
