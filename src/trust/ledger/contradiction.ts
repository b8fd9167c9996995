/** How it is with somebody who holds checkpoints of a log outside. */
export interface HolderState {
  /** What is wrong, in words that follow their name. */
  readonly problem: string | undefined
  /** True where that says that the log here is not what it was: evidence, and no outage. */
  readonly contradicts: boolean
}

export interface HolderProblem extends HolderState {
  readonly problem: string
}

export const NO_PROBLEM: HolderState = { problem: undefined, contradicts: false }

/** They are away, or answer what cannot be used: nothing follows for the log. */
export function outage(problem: string): HolderProblem {
  return { problem, contradicts: false }
}

/** They have more entries of the log than are here. `verb`: how they come to have them. */
export function rolledBack(verb: string, held: number, here: number): HolderProblem {
  const problem = `${verb} ${held} entries of this log, of which ${here} are here: it was rolled back`
  return { problem, contradicts: true }
}

/** They have other entries of the log than are here. */
export function forked(verb: string): HolderProblem {
  return { problem: `${verb} another history of this log: one of the two is a fork`, contradicts: true }
}
