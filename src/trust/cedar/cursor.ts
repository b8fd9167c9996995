import { SyntaxProblem } from './syntax_problem.ts'
import { readTokens, type Token } from './tokens.ts'
import { RESERVED_WORDS } from './entity_type_name.ts'

const FOUND_CHARACTERS = 32
const END: Token = { kind: 'end', text: '', at: 0 }

/** Where a parser stands in the tokens of a text. All that fails throws SyntaxProblem. */
export class Cursor {
  readonly #tokens: readonly Token[]
  #index = 0

  constructor(text: string) {
    this.#tokens = readTokens(text)
  }

  get token(): Token {
    return this.#tokens[this.#index] ?? END
  }

  /** The token that stands `distance` after this one. */
  ahead(distance: number): Token {
    return this.#tokens[this.#index + distance] ?? this.#tokens.at(-1) ?? END
  }

  next(): Token {
    const { token } = this
    if (token.kind !== 'end') this.#index += 1
    return token
  }

  isMark(text: string): boolean {
    return this.token.kind === 'mark' && this.token.text === text
  }

  isWord(text: string): boolean {
    return this.token.kind === 'word' && this.token.text === text
  }

  /** Steps over the mark or the word if it is there. */
  take(text: string): boolean {
    if (this.token.text !== text || (this.token.kind !== 'mark' && this.token.kind !== 'word')) return false
    this.next()
    return true
  }

  expect(text: string): void {
    if (!this.take(text)) this.refuse(`"${text}"`)
  }

  /** The next token, which must be of this kind. */
  expectKind(kind: Token['kind'], what: string): Token {
    return this.token.kind === kind ? this.next() : this.refuse(what)
  }

  /** A word that may name something. */
  expectName(what: string): string {
    if (this.token.kind !== 'word' || RESERVED_WORDS.has(this.token.text)) this.refuse(what)
    return this.next().text
  }

  /** Items between commas up to the closing mark, which is stepped over; a comma may stand after the last. */
  list<T>(close: string, item: () => T): T[] {
    const items: T[] = []
    while (!this.take(close)) {
      items.push(item())
      if (this.take(close)) return items
      if (!this.take(',')) this.refuse(`"," or "${close}"`)
    }
    return items
  }

  /** A name with its namespaces, as in `Gate::Model`. */
  path(what: string): string {
    const parts = [this.expectName(what)]
    while (this.isMark('::') && this.ahead(1).kind === 'word') {
      this.next()
      parts.push(this.expectName(what))
    }
    return parts.join('::')
  }

  /** Goes to where the next policy may begin: behind the next ";". */
  skipPolicy(): void {
    while (this.token.kind !== 'end') if (this.take(';') || this.next().kind === 'end') return
  }

  refuse(expected: string): never {
    const { kind, text, at } = this.token
    const shown = kind === 'string' ? `"${text.slice(0, FOUND_CHARACTERS)}"` : text.slice(0, FOUND_CHARACTERS)
    throw new SyntaxProblem(at, `expected ${expected}, found ${kind === 'end' ? 'the end' : shown}`)
  }
}
