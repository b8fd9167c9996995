/**
 * What a field is to readers of a leaf: `public` is there in the clear, `pseudonym` as a keyed hash that is equal for
 * equal values, `sensitive` only as a salted commitment with value and salt in the encrypted sidecar.
 */
export type FieldClass = 'public' | 'pseudonym' | 'sensitive'

// A format cannot be mended later: moving a name out of `sensitive` publishes it for good.
const PUBLIC: ReadonlySet<string> = new Set([
  'action',
  'after',
  'before',
  'code',
  'count',
  'effect',
  'entities',
  'errors',
  'expires',
  'files',
  'findings',
  'kid',
  'listener',
  'model',
  'ms',
  'policies',
  'provider',
  'reason',
  'region',
  'resource',
  'route',
  'rule',
  'set',
  'stage',
  'status',
  'tokens_in',
  'tokens_out',
  'tries',
  'what',
  'window_ms',
])

const PSEUDONYM: ReadonlySet<string> = new Set(['caller'])

/** The class of a field by its name. A name that is not in the table is sensitive. */
export function classOf(name: string): FieldClass {
  if (PUBLIC.has(name)) return 'public'
  return PSEUDONYM.has(name) ? 'pseudonym' : 'sensitive'
}
