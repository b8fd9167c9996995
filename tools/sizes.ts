import path from 'node:path'
import { listFiles, readText } from './files.ts'

/** A file that does not fit on a few screens hides things; a table of tests may be long. Lint holds functions to 70 lines. */
export const LINES_MAX = 400

/** Names that say nothing, so that anything could be put there. */
const EMPTY_NAMES = /^(utils?|helpers?|commons?|misc|types?|managers?|services?|handlers?|index)$/

/** What is wrong with the length or the name of a source file. */
export function judgeFile(file: string, text: string): string[] {
  const wrong: string[] = []
  const lines = text.split('\n').length - 1
  const isHeld = file.startsWith('src/') && !file.endsWith('.test.ts')
  if (lines > LINES_MAX && isHeld) wrong.push(`${file}: ${lines} lines, ${LINES_MAX} at most`)
  const name = path.basename(file).replace(/(\.test)?\.ts$/, '')
  if (!/^[a-z0-9]+(_[a-z0-9]+)*$/.test(name)) wrong.push(`${file}: names are snake_case`)
  if (EMPTY_NAMES.test(name)) wrong.push(`${file}: name it for its main export`)
  return wrong
}

/** The verifier is to be read by whoever wants to trust it, whole and within an hour. */
export const VERIFIER_LINES_MAX = 400

/** What is wrong with the length of the verifier, given all that it runs. */
export function judgeVerifier(texts: readonly string[]): string[] {
  const lines = texts.reduce((sum, text) => sum + text.split('\n').length - 1, 0)
  if (lines > 0 && lines <= VERIFIER_LINES_MAX) return []
  return [`verifier: ${lines} lines in all, 1 to ${VERIFIER_LINES_MAX}`]
}

if (import.meta.main) {
  const files = listFiles(['src', 'test', 'tools', 'bench']).filter((file) => file.endsWith('.ts'))
  const program = listFiles(['verifier']).filter((file) => !file.endsWith('.md'))
  const wrong = [
    ...files.flatMap((file) => judgeFile(file, readText(file))),
    ...judgeVerifier(program.map((file) => readText(file))),
  ]
  for (const line of wrong) console.error(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
