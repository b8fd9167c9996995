import { LIMITS } from './limits.ts'

/** Where a request comes from in a trace, as W3C Trace Context level 1 has it. Nothing in it is trusted or secret. */
export interface TraceContext {
  /** 32 hexadecimal digits in lower case. */
  readonly traceId: string
  /** 16 hexadecimal digits: the span of whoever called. */
  readonly parentId: string
  readonly isSampled: boolean
  /** The members of `tracestate` as one list, as they came; empty where there are none, or where they are not well-formed. */
  readonly state: string
}

/**
 * Reads `traceparent` and `tracestate`, each with all its header lines joined by commas; undefined where `traceparent` is
 * not what the specification says, and then `tracestate` counts for nothing either (sections 3.2 and 3.3).
 */
export function parseTraceContext(
  parent: string | undefined,
  state: string | undefined,
): TraceContext | undefined {
  const parts = parent === undefined ? null : TRACEPARENT.exec(parent)
  if (parts === null) return undefined
  const [, version = '', traceId = '', parentId = '', flags = '', more] = parts
  // Version 00 ends here; what a higher one has behind it is not ours to read (section 3.2.4).
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (traceId === NO_TRACE || parentId === NO_SPAN) return undefined
  const isSampled = (Number.parseInt(flags, 16) & SAMPLED) === SAMPLED
  return { traceId, parentId, isSampled, state: parseTraceState(state) }
}

/** The value of a `traceparent` of version 00. */
export function printTraceParent(traceId: string, spanId: string, isSampled: boolean): string {
  return `00-${traceId}-${spanId}-${isSampled ? '01' : '00'}`
}

// A second header line comes behind a comma, which a value never has: whichever of two is meant, it is not ours to say.
const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-[^,]*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
const SAMPLED = 1

/** Section 3.3.1: a simple key, or one of a tenant with the system behind "@". */
const KEY = /^(?:[a-z][a-z0-9_\-*/]{0,255}|[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13})$/
/** Printable ASCII without comma and equals sign, no space at its end. */
const VALUE = /^[ -+\--<>-~]{0,255}[!-+\--<>-~]$/

/** A list that is too long, has a key twice or any member that is not well-formed is worth nothing as a whole. */
function parseTraceState(state: string | undefined): string {
  if (state === undefined || state.length > LIMITS.traceStateCharacters) return ''
  const members = state.split(',').map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
  // Empty members are allowed, and say nothing.
  const said = members.filter((member) => member !== '')
  if (said.length > LIMITS.traceStateMembers) return ''
  const keys = new Set<string>()
  for (const member of said) {
    const at = member.indexOf('=')
    const key = member.slice(0, at)
    if (at < 0 || !KEY.test(key) || !VALUE.test(member.slice(at + 1)) || keys.has(key)) return ''
    keys.add(key)
  }
  return said.join(',')
}
