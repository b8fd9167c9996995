import { tokenize, type Token } from './tokens.ts'

/**
 * One way in which a source file reaches another module. `worker` is `new URL('./x.ts', import.meta.url)`, the form
 * workers are started with; `computed` names no module that can be checked; `require` is a way around imports.
 */
export interface Import {
  readonly kind: 'value' | 'type' | 'dynamic' | 'worker' | 'computed' | 'require'
  readonly specifier: string
  readonly line: number
}

const WAYS_AROUND = new Set(['createRequire', 'getBuiltinModule'])

/** Every import of a source text, of all forms. Throws a `SyntaxError` for text that is not TypeScript. */
export function findImports(source: string): Import[] {
  const tokens = tokenize(source)
  const found: Import[] = []
  const lineOf = (token: Token): number => source.slice(0, token.start).split('\n').length
  tokens.forEach((token, index) => {
    const hit = token.kind === 'word' && !isName(tokens, index) ? readAt(tokens, index) : undefined
    if (hit !== undefined) found.push({ ...hit, line: lineOf(token) })
  })
  return found
}

type Hit = Pick<Import, 'kind' | 'specifier'>

/** True for `x.import`, `{ import: 1 }` and the like, where a keyword is only a name; `...import(x)` is code. */
function isName(tokens: readonly Token[], index: number): boolean {
  const after = tokens[index + 1]?.text
  const isMember = tokens[index - 1]?.text === '.' && tokens[index - 2]?.text !== '.'
  return (isMember && !WAYS_AROUND.has(tokens[index]?.text ?? '')) || after === ':' || after === '='
}

function readAt(tokens: readonly Token[], index: number): Hit | undefined {
  const word = tokens[index]?.text ?? ''
  const next = tokens[index + 1]
  if (word === 'import') return readImport(tokens, index, next)
  if (word === 'export') return readExport(tokens, index + 1)
  if (word === 'new') return readWorker(tokens, index)
  if (WAYS_AROUND.has(word) || (word === 'require' && next?.text === '('))
    return { kind: 'require', specifier: word }
  return undefined
}

function readImport(tokens: readonly Token[], index: number, next: Token | undefined): Hit | undefined {
  if (next === undefined || next.text === '.') return undefined
  if (next.kind === 'string') return { kind: 'value', specifier: unquote(next.text) }
  if (next.text === '(') return readDynamic(tokens, index + 2)
  const second = tokens[index + 2]?.text
  const isType = next.text === 'type' && second !== 'from' && second !== ','
  return readFrom(tokens, index + 1, isType) ?? { kind: 'require', specifier: 'import =' }
}

function readDynamic(tokens: readonly Token[], index: number): Hit {
  const what = tokens[index]
  const end = tokens[index + 1]?.text
  const isPlain = what?.kind === 'string' || (what?.kind === 'template' && !what.text.includes('${'))
  if (what === undefined || !isPlain || (end !== ')' && end !== ','))
    return { kind: 'computed', specifier: 'import()' }
  return { kind: 'dynamic', specifier: unquote(what.text) }
}

function readExport(tokens: readonly Token[], index: number): Hit | undefined {
  const isType = tokens[index]?.text === 'type'
  const first = tokens[isType ? index + 1 : index]?.text
  return first === '*' || first === '{' ? readFrom(tokens, index, isType) : undefined
}

/** Reads on from inside an import or export clause to `from 'x'`; undefined when the clause ends without one. */
function readFrom(tokens: readonly Token[], index: number, isType: boolean): Hit | undefined {
  for (let at = index; at < tokens.length; at += 1) {
    const [token, next] = [tokens[at], tokens[at + 1]]
    if (token?.text === 'from' && next?.kind === 'string') {
      return { kind: isType ? 'type' : 'value', specifier: unquote(next.text) }
    }
    const isClause = token?.kind === 'word' || token?.kind === 'string' || '{},*'.includes(token?.text ?? ';')
    if (!isClause || (token?.text === '}' && next?.text !== 'from')) return undefined
  }
  return undefined
}

function readWorker(tokens: readonly Token[], index: number): Hit | undefined {
  const shape = tokens
    .slice(index + 1, index + 10)
    .map((token) => (token.kind === 'string' ? 'S' : token.text))
  if (shape.join('') !== 'URL(S,import.meta.url') return undefined
  const specifier = unquote(tokens[index + 3]?.text ?? '')
  // A URL is relative without a dot too.
  return { kind: 'worker', specifier: /^[./]|^\w+:/.test(specifier) ? specifier : `./${specifier}` }
}

function unquote(text: string): string {
  return text.slice(1, -1).replaceAll(/\\(.)/gs, '$1')
}
