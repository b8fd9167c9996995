import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import type { Detector, InspectionAction } from './detector.ts'
import { inspect } from './inspect.ts'
import type { Inspected } from './route.ts'

export type Direction = 'request' | 'response'

/** What passed inspection: the value to go on with, and the rules that found something in it. */
export interface Passed<T> {
  readonly value: T
  readonly findings: readonly string[]
}

/** Runs the detectors over a whole value, with the action that the configuration names for each direction. */
export class Inspector {
  readonly #detectors: readonly Detector[]
  readonly #actions: Readonly<Record<Direction, InspectionAction>>

  constructor(detectors: readonly Detector[], actions: Readonly<Record<Direction, InspectionAction>>) {
    this.#detectors = detectors
    this.#actions = actions
  }

  /** Gives the value itself when nothing was found, a redacted copy otherwise; throws `content.blocked`. */
  inspect<T extends JsonValue>(direction: Direction, inspected: Inspected, value: T): Passed<T> {
    if (inspected !== 'all') return { value, findings: [] }
    const verdict = inspect(this.#detectors, this.#actions[direction], value)
    const findings = [...new Set(verdict.findings.map(({ rule }) => rule))].sort()
    if (verdict.kind === 'block') throw new Fault('content.blocked', { findings })
    return { value: verdict.value, findings }
  }
}
