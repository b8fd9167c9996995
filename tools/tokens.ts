/** One piece of TypeScript source that is neither space nor comment. */
export interface Token {
  readonly kind: 'word' | 'string' | 'template' | 'number' | 'regex' | 'mark'
  readonly text: string
  readonly start: number
}

const SPACE = /\s+/y
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?\*\//y
const WORD = /#?[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/uy
const NUMBER = /\.?\d(?:[\w.]|(?<=[eE])[+-])*/y
const STRING = /'(?:[^'\\\n]|\\[\s\S])*'|"(?:[^"\\\n]|\\[\s\S])*"/y
const REGEX = /\/(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*/y

/** Words after which a slash begins a regular expression, because a value cannot end with them. */
const BEFORE_VALUE = new Set(
  'return typeof instanceof in of new delete void throw case do else await yield default extends'.split(' '),
)
const CONDITION = new Set(['if', 'while', 'for', 'with'])

/**
 * Splits source into tokens. Text inside strings, templates, comments and regular expressions is never taken for code;
 * code inside `${}` of a template is. Throws a `SyntaxError` where nothing fits.
 */
export function tokenize(source: string): Token[] {
  return new Reader(source).readAll()
}

class Reader {
  readonly #source: string
  readonly #tokens: Token[] = []
  /** For each open bracket: whether a slash after its end begins a regular expression. */
  readonly #open: { mark: string; valueFollows: boolean }[] = []
  #at = 0

  constructor(source: string) {
    this.#source = source
  }

  readAll(): Token[] {
    if (this.#source.startsWith('#!')) this.#at = this.#source.indexOf('\n') + 1 || this.#source.length
    while (this.#at < this.#source.length) this.#step()
    return this.#tokens
  }

  #step(): void {
    if (this.#match(SPACE) !== undefined || this.#match(COMMENT) !== undefined) return
    const start = this.#at
    const put = (kind: Token['kind'], text: string): number => this.#tokens.push({ kind, text, start })
    const character = this.#source.charAt(start)
    if (character === '`') return void put('template', this.#template())
    for (const [kind, pattern] of [
      ['word', WORD],
      ['number', NUMBER],
      ['string', STRING],
    ] as const) {
      const text = this.#match(pattern)
      if (text !== undefined) return void put(kind, text)
    }
    if (character === '/' && this.#isValueExpected()) {
      const text = this.#match(REGEX)
      if (text !== undefined) return void put('regex', text)
    }
    if (character === '"' || character === "'") throw new SyntaxError(`string without an end at ${start}`)
    this.#mark(character)
    put('mark', character)
    this.#at += 1
  }

  #mark(character: string): void {
    const before = this.#tokens.at(-1)
    if ('([{'.includes(character)) {
      const isCondition = character === '(' && before?.kind === 'word' && CONDITION.has(before.text)
      this.#open.push({ mark: character, valueFollows: isCondition })
      this.#closedBeforeValue = false
    } else if (')]}'.includes(character)) {
      this.#closedBeforeValue = this.#open.pop()?.valueFollows ?? false
    }
  }

  #closedBeforeValue = false

  #isValueExpected(): boolean {
    const before = this.#tokens.at(-1)
    if (before === undefined) return true
    if (before.kind === 'word') return BEFORE_VALUE.has(before.text)
    if (before.kind !== 'mark') return false
    return ')]}'.includes(before.text) ? this.#closedBeforeValue : true
  }

  /** A template as one token; the code inside its `${}` becomes tokens too, which come before it. */
  #template(): string {
    const start = this.#at
    this.#at += 1
    while (this.#at < this.#source.length) {
      const character = this.#source.charAt(this.#at)
      if (character === '`') {
        this.#at += 1
        return this.#source.slice(start, this.#at)
      }
      if (this.#source.startsWith('${', this.#at)) this.#substitution()
      else this.#at += character === '\\' ? 2 : 1
    }
    throw new SyntaxError(`template without an end at ${start}`)
  }

  #substitution(): void {
    const depth = this.#open.length
    this.#tokens.push({ kind: 'mark', text: '{', start: this.#at })
    this.#mark('{')
    this.#at += 2
    while (this.#at < this.#source.length) {
      this.#step()
      if (this.#open.length === depth) return
    }
    throw new SyntaxError('substitution without an end')
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at
    const text = pattern.exec(this.#source)?.[0]
    if (text !== undefined) this.#at += text.length
    return text
  }
}
