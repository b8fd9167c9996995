import { SyntaxProblem } from './syntax_problem.ts'

export type TokenKind = 'word' | 'number' | 'string' | 'slot' | 'mark' | 'end'

/** `text` is the token as written; of a string, what stands between the quotes. */
export interface Token {
  readonly kind: TokenKind
  readonly text: string
  readonly at: number
}

const MARKS = new Set('@.,;:(){}[]<>+-*/%!=?&|'.split(''))
const LONG_MARKS = new Set(['::', '==', '!=', '<=', '>=', '||', '&&'])
/** What a long mark begins with. */
const PAIRED = new Set(':=!<>|&'.split(''))

// Sticky patterns without nested repetition: each takes time in proportion to what it matches.
const WORD = /[_a-zA-Z][_a-zA-Z0-9]*/y
const DIGITS = /[0-9]+/y
// The white space of Unicode, which is not the one of JavaScript: without U+FEFF, with U+0085.
const SPACE = /[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/y
const COMMENT = /\/\/[^\n\r]*/y
const STRING_PART = /[^"\\]*/y

/** Cuts a policy text into tokens, with an `end` as the last. Throws SyntaxProblem. */
export function readTokens(text: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  while (at < text.length) {
    const first = text.charAt(at)
    // Most characters begin a token, so white space and comments are looked for only where they can be.
    const skipped = MARKS.has(first) && first !== '/' ? 0 : take(SPACE, text, at) || take(COMMENT, text, at)
    if (skipped > 0) {
      at += skipped
      continue
    }
    const token = readToken(text, at, first)
    tokens.push(token)
    at += token.text.length + (token.kind === 'string' ? 2 : 0)
  }
  tokens.push({ kind: 'end', text: '', at })
  return tokens
}

function readToken(text: string, at: number, first: string): Token {
  if (MARKS.has(first)) return readMark(text, at, first)
  if (first === '"') return { kind: 'string', text: text.slice(at + 1, endOfString(text, at)), at }
  const word = take(WORD, text, at)
  if (word > 0) return { kind: 'word', text: text.slice(at, at + word), at }
  const digits = take(DIGITS, text, at)
  if (digits > 0) return { kind: 'number', text: text.slice(at, at + digits), at }
  throw new SyntaxProblem(at, 'this character has no meaning in a policy')
}

function readMark(text: string, at: number, first: string): Token {
  const two = PAIRED.has(first) ? text.slice(at, at + 2) : first
  if (LONG_MARKS.has(two)) return { kind: 'mark', text: two, at }
  const slot = first === '?' ? take(WORD, text, at + 1) : 0
  if (slot > 0) return { kind: 'slot', text: text.slice(at, at + 1 + slot), at }
  if (first !== '&' && first !== '|') return { kind: 'mark', text: first, at }
  throw new SyntaxProblem(at, 'this character has no meaning in a policy')
}

/** Where the closing quote stands. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  for (;;) {
    at += take(STRING_PART, text, at)
    const next = text.charAt(at)
    if (next === '"') return at
    if (next === '') throw new SyntaxProblem(start, 'the string does not end; expected a closing "')
    if (text.charAt(at + 1) === '\n') throw new SyntaxProblem(at, 'a line end cannot be escaped')
    at += 2
  }
}

function take(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at
  return pattern.test(text) ? pattern.lastIndex - at : 0
}
