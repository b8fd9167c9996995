import { LIMITS } from '#base/limits.ts'
import { toAttributePath, type AttributePath } from './attribute_path.ts'
import { COMPARISONS, type ComparedValue, type Comparison, type Filter } from './filter.ts'
import { scimFault } from './scim_fault.ts'

/** What an operation of a PATCH is about: an attribute, perhaps those values of it that match, perhaps a part of them. */
export interface TargetPath {
  readonly path: AttributePath
  readonly filter: Filter | undefined
}

/** Reads the text of a filter (RFC 7644 section 3.4.2.2). Throws `input.invalid` with `invalidFilter`. */
export function parseFilter(text: string): Filter {
  return new FilterReader(text, 'invalidFilter').filter()
}

/** Reads the path of an operation (RFC 7644 section 3.5.2, figure 7). Throws `input.invalid` with `invalidPath`. */
export function parseTargetPath(text: string): TargetPath {
  return new FilterReader(text, 'invalidPath').target()
}

const WORD = /[^ ()[\]"]*/y
const NUMBER = /^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/
const STRING = /"(?:[^"\\]|\\.)*"/y
const SUB = /^\.(\$ref|[A-Za-z][A-Za-z0-9_-]*)$/

class FilterReader {
  readonly #text: string
  readonly #reason: 'invalidFilter' | 'invalidPath'
  #at = 0
  #depth = 0
  /** Inside the brackets of a complex attribute there are no others. */
  #isInValues = false

  constructor(text: string, reason: 'invalidFilter' | 'invalidPath') {
    this.#text = text
    this.#reason = reason
    if (text.length > LIMITS.scimFilterCharacters)
      throw scimFault(reason, `A filter or path may have ${LIMITS.scimFilterCharacters} characters.`)
  }

  filter(): Filter {
    const filter = this.#or()
    this.#skipSpace()
    if (this.#at < this.#text.length) throw this.#refusal()
    return filter
  }

  target(): TargetPath {
    const path = this.#path(this.#word())
    if (this.#at === this.#text.length) return { path, filter: undefined }
    if (path.sub !== undefined || !this.#takes('[')) throw this.#refusal()
    const filter = this.#values()
    const sub = this.#sub()
    if (this.#at < this.#text.length) throw this.#refusal()
    return { path: { ...path, sub }, filter }
  }

  #or(): Filter {
    return this.#chain('or', () => this.#chain('and', () => this.#term()))
  }

  #chain(kind: 'and' | 'or', part: () => Filter): Filter {
    const first = part()
    const parts = [first]
    while (this.#takesWord(kind)) parts.push(part())
    return parts.length === 1 ? first : { kind, parts }
  }

  #term(): Filter {
    this.#skipSpace()
    if (this.#takes('(')) return this.#group()
    const start = this.#at
    const word = this.#word()
    if (word.toLowerCase() === 'not') {
      this.#skipSpace()
      if (!this.#takes('(')) throw this.#refusal()
      return { kind: 'not', part: this.#group() }
    }
    const path = this.#path(word, start)
    return this.#takes('[') ? this.#ofValues(path) : this.#comparison(path)
  }

  #group(): Filter {
    const filter = this.#nested(() => this.#or())
    this.#skipSpace()
    if (!this.#takes(')')) throw this.#refusal()
    return filter
  }

  /** Also `emails[type eq "work"].value eq "x"`, which is in no standard but is sent: it says this of the same value. */
  #ofValues(path: AttributePath): Filter {
    if (this.#isInValues || path.sub !== undefined) throw this.#refusal()
    const part = this.#values()
    const sub = this.#sub()
    if (sub === undefined) return { kind: 'values', path, part }
    const second = this.#comparison({ urn: undefined, name: sub, sub: undefined })
    const parts = part.kind === 'and' ? [...part.parts, second] : [part, second]
    return { kind: 'values', path, part: { kind: 'and', parts } }
  }

  #values(): Filter {
    this.#isInValues = true
    const part = this.#nested(() => this.#or())
    this.#isInValues = false
    this.#skipSpace()
    if (!this.#takes(']')) throw this.#refusal()
    return part
  }

  #sub(): string | undefined {
    const word = this.#word()
    if (word === '') return undefined
    const name = SUB.exec(word)?.[1]
    if (name === undefined) throw this.#refusal()
    return name
  }

  #comparison(path: AttributePath): Filter {
    this.#needSpace()
    const start = this.#at
    const word = this.#word().toLowerCase()
    if (word === 'pr') return { kind: 'present', path }
    if (!isComparison(word)) throw this.#refusal(start)
    this.#needSpace()
    return { kind: 'compare', path, comparison: word, value: this.#value() }
  }

  #value(): ComparedValue {
    const start = this.#at
    const text = this.#text[start] === '"' ? this.#match(STRING) : this.#word()
    if (text.startsWith('"')) return this.#string(text, start)
    const word = text.toLowerCase()
    if (word === 'true' || word === 'false') return word === 'true'
    if (word === 'null') return null
    const number = NUMBER.test(text) ? Number(text) : Number.NaN
    if (!Number.isFinite(number)) throw this.#refusal(start)
    return number
  }

  #string(text: string, start: number): string {
    try {
      const value: unknown = JSON.parse(text)
      if (typeof value === 'string' && value.isWellFormed()) return value
    } catch {
      // Said below.
    }
    throw this.#refusal(start)
  }

  #path(word: string, start = 0): AttributePath {
    const path = toAttributePath(word)
    if (path === undefined) throw this.#refusal(start)
    return path
  }

  #nested(read: () => Filter): Filter {
    this.#depth += 1
    if (this.#depth > LIMITS.scimFilterDepth)
      throw scimFault(this.#reason, `A filter may be nested ${LIMITS.scimFilterDepth} deep.`)
    const filter = read()
    this.#depth -= 1
    return filter
  }

  #takesWord(word: string): boolean {
    const start = this.#at
    this.#skipSpace()
    if (this.#at > start && this.#word().toLowerCase() === word) return true
    this.#at = start
    return false
  }

  #takes(character: string): boolean {
    if (this.#text[this.#at] !== character) return false
    this.#at += 1
    return true
  }

  #word(): string {
    return this.#match(WORD)
  }

  #match(form: RegExp): string {
    form.lastIndex = this.#at
    const found = form.exec(this.#text)?.[0] ?? ''
    this.#at += found.length
    return found
  }

  #needSpace(): void {
    if (this.#text[this.#at] !== ' ') throw this.#refusal()
    this.#skipSpace()
  }

  #skipSpace(): void {
    while (this.#text[this.#at] === ' ') this.#at += 1
  }

  #refusal(at = this.#at): Error {
    const what = this.#reason === 'invalidFilter' ? 'filter' : 'path'
    return scimFault(this.#reason, `The ${what} is not valid at character ${at + 1}.`)
  }
}

function isComparison(word: string): word is Comparison {
  const known: readonly string[] = COMPARISONS
  return known.includes(word)
}
