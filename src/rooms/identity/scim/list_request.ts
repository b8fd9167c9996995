import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseFilter } from './filter_reader.ts'
import { memberOf } from './read_value.ts'
import { scimFault } from './scim_fault.ts'
import { checkSelection, type Selection } from './selection.ts'

/** What a client asks of a list (RFC 7644 section 3.4.2), in one form for a query and for the body of a search. */
export interface ListRequest extends JsonObject {
  /** Checked, but a text: what is authorized and dispatched is plain JSON. */
  readonly filter: string | null
  readonly sortBy: string | null
  readonly isDescending: boolean
  /** From 1. */
  readonly startIndex: number
  readonly count: number
  readonly attributes: readonly string[] | null
  readonly excluded: readonly string[] | null
}

type Query = readonly (readonly [name: string, value: string])[]

const DEFAULT_COUNT = 100
const SEARCH_REQUEST = 'urn:ietf:params:scim:api:messages:2.0:searchrequest'
const PARAMETERS: ReadonlySet<string> = new Set([
  'filter',
  'sortby',
  'sortorder',
  'startindex',
  'count',
  'attributes',
  'excludedattributes',
])

/** Reads a query. Parameters that nobody knows are left out; one that is there twice is refused. */
export function parseListQuery(query: Query): ListRequest {
  return toRequest(toParameters(query))
}

/** Reads the body of a search (RFC 7644 section 3.4.3). */
export function parseSearch(sent: JsonObject): ListRequest {
  const schemas = memberOf(sent, 'schemas')
  const isSearch =
    schemas !== undefined &&
    isJsonArray(schemas) &&
    schemas.some((id) => typeof id === 'string' && id.toLowerCase() === SEARCH_REQUEST)
  if (!isSearch)
    throw scimFault(
      'invalidSyntax',
      '"schemas" must name "urn:ietf:params:scim:api:messages:2.0:SearchRequest".',
    )
  return toRequest((name) => memberOf(sent, name))
}

/** What of one resource is asked for; the other parameters mean nothing there. */
export function parseSelection(query: Query): Pick<ListRequest, 'attributes' | 'excluded'> {
  const { attributes, excluded } = toRequest(toParameters(query, SELECTING))
  return { attributes, excluded }
}

export function selectionOf({
  attributes,
  excluded,
}: Pick<ListRequest, 'attributes' | 'excluded'>): Selection {
  return { attributes: attributes ?? undefined, excluded: excluded ?? undefined }
}

const SELECTING: ReadonlySet<string> = new Set(['attributes', 'excludedattributes'])

type Parameters = (name: string) => JsonValue | undefined

function toParameters(query: Query, known = PARAMETERS): Parameters {
  const given = new Map<string, string>()
  for (const [name, value] of query) {
    const key = name.toLowerCase()
    if (!known.has(key)) continue
    if (given.has(key)) throw scimFault('invalidSyntax', 'A parameter of the query is there twice.')
    given.set(key, value)
  }
  return (name) => given.get(name.toLowerCase())
}

function toRequest(parameter: Parameters): ListRequest {
  const filter = textOf(parameter, 'filter')
  if (filter !== null) parseFilter(filter)
  const attributes = namesOf(parameter, 'attributes')
  const excluded = namesOf(parameter, 'excludedAttributes')
  checkSelection({ attributes: attributes ?? undefined, excluded: excluded ?? undefined })
  return {
    filter,
    sortBy: textOf(parameter, 'sortBy'),
    isDescending: isDescending(textOf(parameter, 'sortOrder')),
    // RFC 7644 section 3.4.2.4: less than 1 is 1, and a negative count is 0.
    startIndex: Math.max(1, integerOf(parameter, 'startIndex') ?? 1),
    count: Math.min(LIMITS.scimPage, Math.max(0, integerOf(parameter, 'count') ?? DEFAULT_COUNT)),
    attributes,
    excluded,
  }
}

function textOf(parameter: Parameters, name: string): string | null {
  const value = parameter(name) ?? null
  if (value === null || value === '') return null
  if (typeof value !== 'string') throw scimFault('invalidValue', `"${name}" is a text.`)
  return value
}

function isDescending(order: string | null): boolean {
  const word = order?.toLowerCase() ?? 'ascending'
  if (word !== 'ascending' && word !== 'descending')
    throw scimFault('invalidValue', '"sortOrder" is ascending or descending.')
  return word === 'descending'
}

/** At most nine digits: no home holds more. */
const INTEGER = /^[+-]?[0-9]{1,9}$/

function integerOf(parameter: Parameters, name: string): number | undefined {
  const value = parameter(name) ?? ''
  if (value === '') return undefined
  const text = typeof value === 'number' ? String(value) : value
  if (typeof text !== 'string' || !INTEGER.test(text))
    throw scimFault('invalidValue', `"${name}" is a whole number.`)
  return Number(text)
}

/** Names between commas, or a list of names in the body of a search. */
function namesOf(parameter: Parameters, name: string): readonly string[] | null {
  const value = parameter(name) ?? null
  if (value === null || value === '') return null
  const names = typeof value === 'string' ? value.split(',') : value
  if (!isJsonArray(names) || !names.every((each) => typeof each === 'string'))
    throw scimFault('invalidValue', `"${name}" is a list of names.`)
  return names
}
