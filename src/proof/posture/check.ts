import type { Facts } from './facts.ts'

/** How a check came out. `unknown` is a state of its own: what was not looked at is never green. */
export type CheckState = 'ok' | 'warn' | 'fail' | 'unknown'

export interface Verdict {
  readonly state: CheckState
  /** One sentence on what was found. */
  readonly says: string
  /** What to do about it; empty only when the state is `ok`. */
  readonly fix: string
}

/** One question that `doctor` asks. One file each, listed in `checks/all.ts`. */
export interface Check {
  /** Stable; also the file's name with underscores for dashes. */
  readonly id: string
  readonly title: string
  /** Why it matters, for the docs. */
  readonly why: string
  /** Pure. A fact that is missing gives `unknown`; one that throws counts as `unknown`. */
  readonly run: (facts: Facts) => Verdict
}

export function ok(says: string): Verdict {
  return { state: 'ok', says, fix: '' }
}

export function warn(says: string, fix: string): Verdict {
  return { state: 'warn', says, fix }
}

export function fail(says: string, fix: string): Verdict {
  return { state: 'fail', says, fix }
}

export function unknown(says: string, fix: string): Verdict {
  return { state: 'unknown', says, fix }
}
