import { SyntaxProblem } from './syntax_problem.ts'
import { readTokens } from './tokens.ts'

const BEYOND_ASCII = /[^\0-\x7f]/
/** What turns the direction of text, so that a line reads as something else (Unicode UTS #55, "Trojan Source"). */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g
const WORD = /[\p{L}\p{M}]+/gu
/** Scripts with letters that look like those of another one of them. Others may stand beside Latin letters. */
const LOOK_ALIKE = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
]

/**
 * Places where a text that parses reads as something else to people: marks of direction anywhere, and in strings words
 * with letters of two scripts that look alike, as in `раypal` with two Cyrillic letters. Who means such a name can write
 * the letters as `\u{…}`.
 */
export function deceptionsIn(text: string): readonly SyntaxProblem[] {
  if (!BEYOND_ASCII.test(text)) return []
  const problems: SyntaxProblem[] = []
  for (const { index } of text.matchAll(DIRECTION))
    problems.push(
      new SyntaxProblem(index, 'a character that changes the direction of text; write it as \\u{…}'),
    )
  for (const token of readTokens(text))
    if (token.kind === 'string' && hasMixedWord(token.text))
      problems.push(new SyntaxProblem(token.at, 'a word that mixes letters of scripts that look alike'))
  return problems
}

function hasMixedWord(text: string): boolean {
  for (const [word] of text.matchAll(WORD))
    if (LOOK_ALIKE.filter((script) => script.test(word)).length > 1) return true
  return false
}
