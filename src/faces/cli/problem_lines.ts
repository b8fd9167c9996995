import type { PolicyProblem } from '#base/decider.ts'

/** Problems of policy files, one a line, in the form that editors understand. */
export function problemLines(problems: readonly PolicyProblem[]): readonly string[] {
  return problems.map(({ file, line, column, message }) => `${file}:${line}:${column}: ${message}`)
}
