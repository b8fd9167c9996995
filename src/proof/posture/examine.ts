import { unknown, type Check, type CheckState, type Verdict } from './check.ts'
import type { Facts } from './facts.ts'

/** One row of what `doctor` found. */
export interface Examined extends Verdict {
  readonly id: string
  readonly title: string
}

export interface Examination {
  readonly rows: readonly Examined[]
  readonly counts: Readonly<Record<CheckState, number>>
}

/** Asks every check. One that throws counts as `unknown`, never as `ok`. */
export function examine(checks: readonly Check[], facts: Facts): Examination {
  const rows = checks.map((check) => ({ id: check.id, title: check.title, ...verdictOf(check, facts) }))
  const counts = { ok: 0, warn: 0, fail: 0, unknown: 0 }
  for (const { state } of rows) counts[state] += 1
  return { rows, counts }
}

function verdictOf(check: Check, facts: Facts): Verdict {
  try {
    return check.run(facts)
  } catch {
    return unknown('the check itself failed', 'Report this: a check must not throw')
  }
}
