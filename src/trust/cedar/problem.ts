import type { DetailedError } from '@cedar-policy/cedar-wasm/nodejs'
import type { PolicyProblem } from '#base/decider.ts'

/**
 * What the engine says is wrong, with its place in the file. `start` is where the text that the engine saw begins in
 * the file's `text`; the engine counts UTF-8 bytes from there.
 */
export function problemAt(file: string, text: string, start: number, error: DetailedError): PolicyProblem {
  const label = error.sourceLocations?.[0]
  const place = label === undefined ? start : start + charactersIn(text.slice(start), label.start)
  return { file, ...placeOf(text, place), message: sentence([error.message, label?.label, error.help]) }
}

/** The 1-based line and column, in UTF-16 code units, of a place in a text. */
export function placeOf(text: string, place: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, place)
  return { line: before.split('\n').length, column: place - before.lastIndexOf('\n') }
}

function charactersIn(text: string, bytes: number): number {
  return Buffer.from(text).subarray(0, bytes).toString().length
}

function sentence(parts: readonly (string | null | undefined)[]): string {
  return parts.filter((part) => typeof part === 'string' && part !== '').join('; ')
}
