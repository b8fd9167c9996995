import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type ErrorCode, type Node } from 'yaml'
import type { JsonValue } from '#base/json.ts'
import { looksLikeSecret } from './config_literals.ts'

/** Something wrong in a configuration file. Never holds a value from it. */
export interface Problem {
  /** Dotted, as in `models.echo.region`; empty for the file as a whole. */
  readonly path: string
  /** 1-based. */
  readonly line: number
  readonly column: number
  readonly message: string
}

export type Path = readonly (string | number)[]

export interface YamlRead {
  readonly value: JsonValue
  readonly problems: readonly Problem[]
  /** False when the text is not YAML, so that `value` means nothing. */
  readonly isReadable: boolean
  /** A problem at the place of a value, or of its key; at the nearest parent where the value is missing. */
  problemAt(path: Path, message: string, at?: 'key' | 'value'): Problem
}

/** A configuration of hundreds of models is some 100 KB. */
const TEXT_CHARACTERS = 1_048_576
const DEPTH = 16
const HIDDEN = '[hidden]'

/**
 * Reads the subset of YAML 1.2 that is plain data: maps with text keys, lists, scalars. What makes YAML surprising
 * (aliases, merge keys, tags, directives, several documents, duplicate keys) is a problem with its place.
 */
export function readYaml(text: string): YamlRead {
  const walk = new Walk()
  if (text.length > TEXT_CHARACTERS) {
    walk.problem([], 0, `is longer than ${TEXT_CHARACTERS} characters`)
    return walk.read(null, false)
  }
  const document = parseDocument(text, {
    lineCounter: walk.lines,
    prettyErrors: false,
    version: '1.2',
    merge: false,
  })
  const isBroken = document.errors.some(({ code }) => code !== 'DUPLICATE_KEY')
  for (const { code, pos } of document.errors) walk.problem([], pos[0], sayYaml(code))
  if (document.directives.yaml.explicit === true)
    walk.problem([], 0, 'has a %YAML directive; YAML 1.2 is what is read, so remove the line')
  return walk.read(isBroken ? null : walk.plain(document.contents, [], 0), !isBroken)
}

class Walk {
  readonly lines = new LineCounter()
  readonly #problems: Problem[] = []
  readonly #offsets = new Map<string, { key: number; value: number }>()

  read(value: JsonValue, isReadable: boolean): YamlRead {
    return {
      value,
      isReadable,
      problems: this.#problems,
      problemAt: (path, message, at = 'value') => this.#toProblem(path, this.#offsetOf(path, at), message),
    }
  }

  problem(path: Path, offset: number, message: string): void {
    this.#problems.push(this.#toProblem(path, offset, message))
  }

  plain(node: Node | null, path: Path, depth: number): JsonValue {
    if (node === null) return null
    const offset = node.range?.[0] ?? 0
    if (depth > DEPTH) {
      this.problem(path, offset, `is nested deeper than ${DEPTH} levels`)
      return null
    }
    if (isAlias(node)) {
      this.problem(path, offset, 'is an alias; write the value out')
      return null
    }
    this.#checkNode(node, path, offset)
    if (isMap<Node, Node>(node)) return this.#plainMap(node.items, path, depth)
    if (isSeq<Node>(node)) return node.items.map((item, at) => this.#plainItem(item, [...path, at], depth))
    return isScalar(node) ? this.#plainScalar(node.value, path, offset) : null
  }

  #checkNode(
    node: { readonly anchor?: string | undefined; readonly tag?: string | undefined },
    path: Path,
    offset: number,
  ): void {
    if (node.anchor !== undefined) this.problem(path, offset, 'has an anchor; write the value out')
    if (node.tag !== undefined) this.problem(path, offset, 'has a tag; plain values need none')
  }

  #plainMap(
    items: readonly { readonly key: Node; readonly value: Node | null }[],
    path: Path,
    depth: number,
  ): JsonValue {
    const plain: Record<string, JsonValue> = {}
    for (const { key, value } of items) {
      const offset = this.#offset(key)
      const name = isScalar(key) ? key.value : undefined
      if (typeof name !== 'string') {
        this.problem(path, offset, 'has a key that is not text; put it in quotes')
      } else if (name === '<<') {
        this.problem(path, offset, 'has a merge key; write the values out')
      } else if (name === '__proto__') {
        this.problem(path, offset, 'has a key that may not be used')
      } else {
        const inner = [...path, name]
        if (looksLikeSecret(name)) this.problem(inner, offset, 'has a key that looks like a secret')
        this.#offsets.set(JSON.stringify(inner), { key: offset, value: this.#offset(value, offset) })
        plain[name] = this.plain(value, inner, depth + 1)
      }
    }
    return plain
  }

  #plainItem(item: Node, path: Path, depth: number): JsonValue {
    const offset = this.#offset(item)
    this.#offsets.set(JSON.stringify(path), { key: offset, value: offset })
    return this.plain(item, path, depth + 1)
  }

  #plainScalar(value: unknown, path: Path, offset: number): JsonValue {
    if (typeof value === 'string' && looksLikeSecret(value)) this.problem(path, offset, LITERAL_SECRET)
    if (typeof value === 'string' || typeof value === 'boolean' || value === null) return value
    if (typeof value === 'number' && Number.isFinite(value)) return value
    this.problem(path, offset, 'is not a text, a finite number, true or false')
    return null
  }

  #offset(node: Node | null, otherwise = 0): number {
    return node?.range?.[0] ?? otherwise
  }

  #offsetOf(path: Path, at: 'key' | 'value'): number {
    for (let length = path.length; length > 0; length -= 1) {
      const offsets = this.#offsets.get(JSON.stringify(path.slice(0, length)))
      // A missing value has no place, so its parent's key stands for it.
      if (offsets !== undefined) return length === path.length ? offsets[at] : offsets.key
    }
    return 0
  }

  #toProblem(path: Path, offset: number, message: string): Problem {
    const { line, col } = this.lines.linePos(offset)
    return { path: printPath(path), line: Math.max(1, line), column: Math.max(1, col), message }
  }
}

export const LITERAL_SECRET =
  'looks like a literal secret, and is refused; give a reference: { from_env: NAME } or { from_file: PATH }'

// A name in the path is text from the file: one that could be a secret is not repeated.
function printPath(path: Path): string {
  return path
    .map((part) =>
      /^[\w.:/@ -]{1,80}$/.test(String(part)) && !looksLikeSecret(String(part)) ? part : HIDDEN,
    )
    .join('.')
}

/** Our own words for each: the library's sentences may quote the file. */
function sayYaml(code: ErrorCode): string {
  return SENTENCES[code] ?? 'is not valid YAML here'
}

const SENTENCES: Partial<Record<ErrorCode, string>> = {
  BAD_INDENT: 'is not indented as the lines around it',
  BLOCK_AS_IMPLICIT_KEY: 'has two keys on one line; put the second on its own line, or quote the value',
  DUPLICATE_KEY: 'has this key twice; keep one',
  MISSING_CHAR: 'lacks a character here, such as a closing quote, bracket or colon',
  MULTIPLE_DOCS: 'holds more than one document; keep one, without "---" in between',
  TAB_AS_INDENT: 'is indented with a tab; use spaces',
  RESOURCE_EXHAUSTION: 'is nested too deeply',
  BAD_SCALAR_START: 'has a value that starts with a reserved character; put it in quotes',
}
