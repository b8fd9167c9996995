import { isJsonArray, type JsonValue } from '#base/json.ts'

/**
 * What a field is to readers of a leaf: `public` is there in the clear, `pseudonym` as a keyed hash that is equal for
 * equal values, `sensitive` only as a salted commitment with value and salt in the encrypted sidecar.
 */
export type FieldClass = 'public' | 'pseudonym' | 'sensitive'

/** What a public field holds. A value that was cut is `{cut, length}` in its place, one that was not there null. */
export type PublicType = 'text' | 'number' | 'number or text' | 'list' | 'value'

// A format cannot be mended later: moving a name out of `sensitive` publishes it for good.
export const PUBLIC_TYPES: ReadonlyMap<string, PublicType> = new Map([
  ['aal', 'number'],
  ['action', 'text'],
  ['after', 'value'],
  ['before', 'value'],
  ['code', 'text'],
  ['cost', 'number'],
  ['cost_reserved', 'number'],
  ['count', 'number'],
  ['effect', 'text'],
  ['entities', 'text'],
  ['errors', 'list'],
  ['expires', 'text'],
  ['files', 'number'],
  ['findings', 'list'],
  ['issuer', 'text'],
  ['kid', 'text'],
  ['listener', 'text'],
  ['model', 'text'],
  ['ms', 'number'],
  ['policies', 'list'],
  ['provider', 'text'],
  ['reason', 'text'],
  ['region', 'text'],
  ['reserved_at', 'number'],
  ['resource', 'text'],
  ['route', 'text'],
  ['rule', 'text'],
  ['set', 'text'],
  ['settled', 'text'],
  ['stage', 'text'],
  ['status', 'number or text'],
  ['tokens_cached', 'number'],
  ['tokens_charged', 'number'],
  ['tokens_in', 'number'],
  ['tokens_out', 'number'],
  ['tokens_reserved', 'number'],
  ['tokens_written', 'number'],
  ['tries', 'number'],
  ['via', 'text'],
  ['what', 'text'],
  ['window_ms', 'number'],
])

const PSEUDONYM: ReadonlySet<string> = new Set(['caller'])

const IS_OF_TYPE: Readonly<Record<PublicType, (value: JsonValue) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  'number or text': (value) => typeof value === 'number' || typeof value === 'string',
  list: isJsonArray,
  value: () => true,
}

/** Whether a public field of this name may hold the value, before anything of it is cut. */
export function isOfPublicType(name: string, value: JsonValue): boolean {
  const type = PUBLIC_TYPES.get(name)
  return value === null || (type !== undefined && IS_OF_TYPE[type](value))
}

/** The class of a field by its name. A name that is not in the table is sensitive. */
export function classOf(name: string): FieldClass {
  if (PUBLIC_TYPES.has(name)) return 'public'
  return PSEUDONYM.has(name) ? 'pseudonym' : 'sensitive'
}
