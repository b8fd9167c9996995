/**
 * What a field is to readers of a leaf: `public` is there in the clear, `pseudonym` as a keyed hash that is equal for
 * equal values, `sensitive` only as a salted commitment with value and salt in the encrypted sidecar.
 */
export type FieldClass = 'public' | 'pseudonym' | 'sensitive'

// A format cannot be mended later: moving a name out of `sensitive` publishes it for good.
const PUBLIC: ReadonlySet<string> = new Set([
  'aal',
  'action',
  'after',
  'before',
  'code',
  'cost',
  'cost_reserved',
  'count',
  'effect',
  'entities',
  'errors',
  'expires',
  'files',
  'findings',
  'issuer',
  'kid',
  'listener',
  'model',
  'ms',
  'policies',
  'provider',
  'reason',
  'region',
  'reserved_at',
  'resource',
  'route',
  'rule',
  'set',
  'settled',
  'stage',
  'status',
  'tokens_cached',
  'tokens_charged',
  'tokens_in',
  'tokens_out',
  'tokens_reserved',
  'tokens_written',
  'tries',
  'via',
  'what',
  'window_ms',
])

const PSEUDONYM: ReadonlySet<string> = new Set(['caller'])

/** The class of a field by its name. A name that is not in the table is sensitive. */
export function classOf(name: string): FieldClass {
  if (PUBLIC.has(name)) return 'public'
  return PSEUDONYM.has(name) ? 'pseudonym' : 'sensitive'
}
