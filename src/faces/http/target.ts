import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'

export type QueryPair = readonly [name: string, value: string]

/** A request target in the one form there is: nothing in it can be read in two ways. */
export interface RequestTarget {
  readonly path: string
  /** The path without its first slash, split; still percent-encoded. */
  readonly segments: readonly string[]
  /** Decoded, in order; a name may occur more than once. */
  readonly query: readonly QueryPair[]
}

/** Characters a path or query may hold (RFC 3986 section 3.3 and 3.4), and `%`. */
const PLAIN = /^[A-Za-z0-9\-._~!$&'()*+,;=:@/?%]+$/
const BROKEN_ESCAPE = /%(?![0-9A-Fa-f]{2})/
/** Escaped: `%`, `.`, `/`, `\`, control characters. Each is read differently by some program before or behind us. */
const HIDDEN_SYNTAX = /%(25|2e|2f|5c|7f|[01][0-9a-f])/i
const ABSOLUTE_FORM = /^https?:\/\/([^/?]*)(\/.*)$/i
const HOST = /^(\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._~-]{1,253})(:[0-9]{1,5})?$/

/** True for the value of a Host header (RFC 9110 section 7.2) of a host and perhaps a port. */
export function isHost(text: string): boolean {
  return HOST.test(text)
}

/**
 * Reads a request target: origin-form, or absolute-form whose authority is the Host header (RFC 9112 section 3.2).
 *
 * Throws `target.invalid` for everything that two programs could read differently.
 */
export function parseTarget(target: string, host: string): RequestTarget {
  if (target.length > LIMITS.targetBytes) throw invalid('length')
  const origin = target.startsWith('/') ? target : originOf(target, host)
  if (!PLAIN.test(origin)) throw invalid('character')
  if (BROKEN_ESCAPE.test(origin)) throw invalid('escape')
  const mark = origin.indexOf('?')
  const path = mark < 0 ? origin : origin.slice(0, mark)
  if (HIDDEN_SYNTAX.test(path)) throw invalid('escape')
  const segments = path.slice(1).split('/')
  if (segments.some((segment) => segment === '.' || segment === '..')) throw invalid('dots')
  if (path.includes('//')) throw invalid('slashes')
  return { path, segments, query: mark < 0 ? NO_QUERY : parseQuery(origin.slice(mark + 1)) }
}

/** Decodes percent-escapes as UTF-8. Throws `target.invalid` for other bytes. */
export function decodePart(text: string): string {
  if (!text.includes('%')) return text
  const decoded = Buffer.from(text.replaceAll(ESCAPE, fromEscape), 'latin1')
  const plain = decoded.toString('utf8')
  if (!Buffer.from(plain, 'utf8').equals(decoded)) throw invalid('encoding')
  return plain
}

/** Most requests have no query. */
export const NO_QUERY: readonly QueryPair[] = Object.freeze([])
const ESCAPE = /%([0-9A-Fa-f]{2})/g
const ESCAPED_CONTROL = /%(7f|[01][0-9a-f])/i

function originOf(target: string, host: string): string {
  const [, authority, origin] = ABSOLUTE_FORM.exec(target) ?? []
  if (authority === undefined || origin === undefined) throw invalid('form')
  if (authority.toLowerCase() !== host.toLowerCase()) throw invalid('host')
  return origin
}

function parseQuery(text: string): readonly QueryPair[] {
  if (text === '') return NO_QUERY
  if (ESCAPED_CONTROL.test(text)) throw invalid('control')
  const pairs = text.split('&', LIMITS.queryPairs + 1)
  if (pairs.length > LIMITS.queryPairs) throw invalid('pairs')
  return pairs.map((pair) => {
    const equals = pair.indexOf('=')
    const name = equals < 0 ? pair : pair.slice(0, equals)
    const value = equals < 0 ? '' : pair.slice(equals + 1)
    return [decodePart(name.replaceAll('+', ' ')), decodePart(value.replaceAll('+', ' '))]
  })
}

function fromEscape(_escape: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 16))
}

function invalid(reason: string): Fault {
  return new Fault('target.invalid', { reason })
}
