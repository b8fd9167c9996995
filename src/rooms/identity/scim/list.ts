import { isJsonObject, type JsonObject } from '#base/json.ts'
import { toAttributePath } from './attribute_path.ts'
import type { Attribute } from './attribute.ts'
import type { Filter } from './filter.ts'
import { compareTexts, foldCase, matcherOf, valuesAt } from './filter_match.ts'
import { parseFilter } from './filter_reader.ts'
import { selectionOf, type ListRequest } from './list_request.ts'
import { isPrimary } from './read_value.ts'
import { findAttribute, resolve, type ResourceType } from './resource_type.ts'
import { scimFault } from './scim_fault.ts'
import { isSelected, select } from './selection.ts'

/** Where resources of one type come from. */
export interface Collection {
  readonly type: ResourceType
  /** Those that may match, one bunch after the other; a filter that names one of them is answered by a look-up. */
  candidates(filter: Filter | undefined): Iterable<readonly Listable[]>
}

/** One resource of a collection. */
export interface Listable {
  /** As it is answered; `isWhole` puts in what takes time, as the members of a group. */
  toResource(isWhole: boolean): JsonObject
  /** How many values the whole resource has that it has not otherwise. */
  readonly weight: number
}

/** Values of resources on one page; the page ends where there would be more, and the next one goes on from there. */
const PAGE_WEIGHT = 20_000
/** Resources that are looked at in one turn of the event loop: a millisecond of work. */
const LOOKED_AT_ONCE = 100

/** Lists resources of all collections together (RFC 7644 section 3.4.2). Gives way to other work as it goes. */
export async function list(
  collections: readonly Collection[],
  asked: ListRequest,
  pause: () => Promise<void>,
): Promise<JsonObject> {
  const filter = asked.filter === null ? undefined : parseFilter(asked.filter)
  const found: Found[] = []
  for (const collection of collections) await find(collection, { filter, asked, pause }, found)
  if (asked.sortBy !== null) sort(found, asked.isDescending)
  const start = asked.startIndex - 1
  const page = toPage(found.slice(start, start + asked.count), asked)
  return {
    schemas: ['urn:ietf:params:scim:api:messages:2.0:ListResponse'],
    totalResults: found.length,
    startIndex: asked.startIndex,
    itemsPerPage: page.length,
    Resources: page,
  }
}

interface Found {
  readonly item: Listable
  readonly type: ResourceType
  /** What it is sorted by. */
  readonly key: string | undefined
}

interface Search {
  readonly filter: Filter | undefined
  readonly asked: ListRequest
  readonly pause: () => Promise<void>
}

async function find(collection: Collection, { filter, asked, pause }: Search, found: Found[]): Promise<void> {
  const { type } = collection
  const matches = filter === undefined ? undefined : matcherOf(type, filter)
  const sorting = asked.sortBy === null ? undefined : sortingBy(type, asked.sortBy)
  const isWhole = filter !== undefined && isAbout(filter, 'members')
  let count = 0
  for (const bunch of collection.candidates(filter)) {
    for (const item of bunch) {
      count += 1
      if (count % LOOKED_AT_ONCE === 0) await pause()
      const resource = matches || sorting ? item.toResource(isWhole) : {}
      if (matches?.(resource) ?? true) found.push({ item, type, key: sorting?.(resource) })
    }
  }
}

function isAbout(filter: Filter, name: string): boolean {
  if ('parts' in filter) return filter.parts.some((part) => isAbout(part, name))
  if (filter.kind === 'not') return isAbout(filter.part, name)
  return filter.path.name.toLowerCase() === name
}

function toPage(found: readonly Found[], asked: ListRequest): readonly JsonObject[] {
  const selection = selectionOf(asked)
  const page: JsonObject[] = []
  let weight = 0
  for (const { item, type } of found) {
    const isWhole = isSelected(type, 'members', selection)
    weight += isWhole ? item.weight : 0
    if (page.length > 0 && weight > PAGE_WEIGHT) break
    page.push(select(type, item.toResource(isWhole), selection))
  }
  return page
}

/** RFC 7644 section 3.4.2.3: of several values the primary one counts, else the first. */
function sortingBy(type: ResourceType, name: string): (resource: JsonObject) => string | undefined {
  const path = toAttributePath(name)
  if (path === undefined) throw scimFault('invalidPath', '"sortBy" is not the name of an attribute.')
  const found = resolve(type, path)
  if (found === undefined) return () => undefined
  const steps = toCompared(found)
  const last = steps.at(-1)
  const outer = steps.slice(0, -1)
  return (resource) => {
    const holders = valuesAt(resource, outer)
    const holder = holders.find(isPrimary) ?? holders[0]
    const [value] = last !== undefined && isJsonObject(holder) ? valuesAt(holder, [last]) : []
    if (typeof value !== 'string') return typeof value === 'boolean' ? String(value) : undefined
    return last?.caseExact === false ? foldCase(value) : value
  }
}

function toCompared(steps: readonly Attribute[]): readonly Attribute[] {
  const last = steps.at(-1)
  const value = last?.type === 'complex' ? findAttribute(last.subAttributes, 'value') : undefined
  return value === undefined ? steps : [...steps, value]
}

/** Those without a value come last, and first where the order is turned round. */
function sort(found: Found[], isDescending: boolean): void {
  const sign = isDescending ? -1 : 1
  found.sort((left, right) => sign * compareKeys(left.key, right.key))
}

function compareKeys(left: string | undefined, right: string | undefined): number {
  if (left === undefined || right === undefined)
    return Number(left === undefined) - Number(right === undefined)
  return compareTexts(left, right)
}
