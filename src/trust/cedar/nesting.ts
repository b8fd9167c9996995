import type { PolicyFile, PolicyProblem } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { placeOf } from './problem.ts'

/** Strings and comments whole, so that what stands in them is not counted; then all that nests or chains. */
const TOKEN = /"[^"\\]*(?:\\[^][^"\\]*)*"|\/\/[^\n]*|\|\||&&|[()[\]{}+\-*.!;]|\b(?:if|when|unless)\b/g
const OPENS = '([{'
const CLOSES = ')]}'

/**
 * The first place where a policy nests or chains deeper than the limits, if any.
 *
 * Engines walk expressions by recursion. A text of a few kilobytes can run them out of stack, which for the
 * WebAssembly engine is the end of its memory and of every later decision, so such a text must not reach it.
 */
export function findNesting({ name, text }: PolicyFile): PolicyProblem | undefined {
  let depth = 0
  let operators = 0
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    if (token.startsWith('"') || token.startsWith('//')) continue
    if (token === ';') operators = 0
    else if (OPENS.includes(token)) depth++
    else if (CLOSES.includes(token)) depth--
    else operators++
    if (depth > LIMITS.policyDepth)
      return problem(name, text, index, `nests deeper than ${LIMITS.policyDepth} brackets`)
    if (operators > LIMITS.policyOperators)
      return problem(name, text, index, `has more than ${LIMITS.policyOperators} operators in one policy`)
  }
  return undefined
}

function problem(file: string, text: string, place: number, message: string): PolicyProblem {
  return { file, ...placeOf(text, place), message: `the policy ${message}` }
}
