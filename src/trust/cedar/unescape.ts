import { SyntaxProblem } from './syntax_problem.ts'
import type { Pattern, Place } from './syntax.ts'

const SIMPLE: ReadonlyMap<string, string> = new Map([
  ['n', '\n'],
  ['r', '\r'],
  ['t', '\t'],
  ['\\', '\\'],
  ['0', '\0'],
  ["'", "'"],
  ['"', '"'],
])
const HEX_ESCAPE = /x([0-7][0-9a-fA-F])/y
const UNICODE_ESCAPE = /u\{([0-9a-fA-F][0-9a-fA-F_]*)\}/y
const UNICODE_DIGITS = 6
const LAST_CHARACTER = 0x10ffff
/** What ends a run of characters that stand for themselves. */
const SPECIAL = /[\\\r*]/g

/** The string that stands between two quotes, with the escapes of Cedar (those of Rust). Throws SyntaxProblem. */
export function unescapeString(raw: string, at: Place): string {
  return read(raw, at, false).join('')
}

/** A pattern of `like`: `*` is a wildcard and `\*` a star. Throws SyntaxProblem. */
export function unescapePattern(raw: string, at: Place): Pattern {
  return read(raw, at, true)
}

/** The texts between the wildcards; in a string there are none. */
function read(raw: string, start: Place, isPattern: boolean): string[] {
  const texts: string[] = []
  let text = ''
  let at = 0
  while (at < raw.length) {
    SPECIAL.lastIndex = at
    const next = SPECIAL.exec(raw)?.index ?? raw.length
    text += raw.slice(at, next)
    at = next
    if (at === raw.length) break
    // The opening quote stands before the first character.
    const place = start + 1 + at
    const { value, length, isWildcard } = readSpecial(raw, at, place, isPattern)
    at += length
    if (isWildcard) {
      texts.push(text)
      text = ''
    } else text += value
  }
  texts.push(text)
  return texts
}

interface Special {
  readonly value: string
  readonly length: number
  readonly isWildcard: boolean
}

function readSpecial(raw: string, at: number, place: Place, isPattern: boolean): Special {
  const first = raw.charAt(at)
  if (first === '\r') throw new SyntaxProblem(place, 'a string cannot hold a bare carriage return; write \\r')
  if (first === '*') return { value: '*', length: 1, isWildcard: isPattern }
  if (isPattern && raw.charAt(at + 1) === '*') return { value: '*', length: 2, isWildcard: false }
  const { value, length } = readEscape(raw, at + 1, place)
  // The reference looks at the character, however it was written: `\u{2a}` is a wildcard too.
  return { value, length: length + 1, isWildcard: isPattern && value === '*' }
}

function readEscape(raw: string, at: number, place: Place): { value: string; length: number } {
  const simple = SIMPLE.get(raw.charAt(at))
  if (simple !== undefined) return { value: simple, length: 1 }
  HEX_ESCAPE.lastIndex = at
  const hex = HEX_ESCAPE.exec(raw)
  if (hex !== null) return { value: toCharacter(hex[1]), length: hex[0].length }
  UNICODE_ESCAPE.lastIndex = at
  const unicode = UNICODE_ESCAPE.exec(raw)
  const digits = unicode?.[1]?.replaceAll('_', '') ?? ''
  const code = Number.parseInt(digits, 16)
  const isSurrogate = code >= 0xd800 && code <= 0xdfff
  if (unicode === null || digits.length > UNICODE_DIGITS || code > LAST_CHARACTER || isSurrogate)
    throw new SyntaxProblem(place, 'expected an escape: \\n \\r \\t \\0 \\\\ \\" \\\' \\x41 or \\u{1f600}')
  return { value: toCharacter(digits), length: unicode[0].length }
}

function toCharacter(hex: string | undefined): string {
  return String.fromCodePoint(Number.parseInt(hex ?? '0', 16))
}
