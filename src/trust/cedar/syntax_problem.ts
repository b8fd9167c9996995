import type { Place } from './syntax.ts'

/** What is wrong with a policy, and where. The parsers throw nothing else. */
export class SyntaxProblem extends Error {
  readonly at: Place

  constructor(at: Place, message: string) {
    super(message)
    this.name = 'SyntaxProblem'
    this.at = at
  }
}
