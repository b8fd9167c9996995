/**
 * Sensitive fields whose values are the caller's own: where it called from, what it named, hashes of what it sent and got,
 * and the trace that it said to be part of. All others are the door's (what limits count, whom a token names, why a provider
 * failed) and are never shown to a caller, whatever policy says. A name that is not here is not shown.
 */
export const OWN_FIELDS: ReadonlySet<string> = new Set([
  'address',
  'asked',
  'content',
  'trace',
  'trace_state',
])

/** Kinds of entries that tell of one request. Changes that a request led to are about others. */
export const REQUEST_KINDS: ReadonlySet<unknown> = new Set(['intent', 'outcome', 'refusal'])
