import { listFiles, readText, ROOT } from './files.ts'

/** A place where a tool is told to look away. */
export interface Suppression {
  readonly place: string
  readonly hasReason: boolean
}

// Written in pieces, so that this file does not count itself.
const WORDS = [
  ['oxlint', 'disable'],
  ['eslint', 'disable'],
  ['oxfmt', 'ignore'],
  ['prettier', 'ignore'],
  ['@ts', 'ignore'],
  ['@ts', 'nocheck'],
  ['@ts', 'expect-error'],
  ['node:coverage', 'ignore'],
  ['node:coverage', 'disable'],
]
const PATTERN = new RegExp(`(?:${WORDS.map((pair) => pair.join('[- ]')).join('|')})(.*)`)

/** A reason is a sentence after `: ` or ` -- ` on the same line. */
const REASON = /(?:: | -- )\S.{8,}\S/

/** Every suppression in the given sources. */
export function findSuppressions(files: readonly string[], read: (file: string) => string): Suppression[] {
  return files.flatMap((file) =>
    read(file)
      .split('\n')
      .flatMap((line, index) => {
        const rest = PATTERN.exec(line)?.[1]
        return rest === undefined ? [] : [{ place: `${file}:${index + 1}`, hasReason: REASON.test(rest) }]
      }),
  )
}

/** What is wrong: a reason that is missing, or a count that is not the allowed one, which may only fall. */
export function judgeSuppressions(found: readonly Suppression[], allowed: number): string[] {
  const wrong = found
    .filter(({ hasReason }) => !hasReason)
    .map(({ place }) => `${place}: a suppression needs its reason on the same line, after ": " or " -- "`)
  if (found.length > allowed) {
    const places = found.map(({ place }) => place).join(', ')
    wrong.push(`${found.length} suppressions, and ${allowed} are allowed; the count may only fall: ${places}`)
  }
  if (found.length < allowed) {
    wrong.push(
      `${found.length} suppressions: write ${found.length} into tools/suppressions.count, it may only fall`,
    )
  }
  return wrong
}

if (import.meta.main) {
  const files = listFiles().filter((file) => /\.(ts|mjs|js|json)$/.test(file) && file !== 'package-lock.json')
  const allowed = Number(readText('tools/suppressions.count', ROOT))
  const wrong = judgeSuppressions(
    findSuppressions(files, (file) => readText(file)),
    allowed,
  )
  for (const line of wrong) console.error(line)
  process.exitCode = wrong.length === 0 ? 0 : 1
}
