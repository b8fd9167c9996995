import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import { Turns } from '#base/turns.ts'
import type { Detector, InspectionAction } from './detector.ts'
import { inspectInPieces, type InPieces, type Inspection } from './inspect.ts'
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
  readonly #turns = new Turns()

  constructor(detectors: readonly Detector[], actions: Readonly<Record<Direction, InspectionAction>>) {
    this.#detectors = detectors
    this.#actions = actions
  }

  /**
   * Gives the value itself when nothing was found, a redacted copy otherwise; throws `content.blocked`. A value of ordinary
   * size is done at once; a large one takes turns with all other work, and comes as a promise.
   */
  inspect<T extends JsonValue>(
    direction: Direction,
    inspected: Inspected,
    value: T,
  ): Passed<T> | Promise<Passed<T>> {
    if (inspected !== 'all') return { value, findings: [] }
    const pieces = inspectInPieces(this.#detectors, this.#actions[direction], value)
    const first = pieces.next()
    return first.done === true ? passed(first.value) : this.#inTurns(pieces)
  }

  async #inTurns<T>(pieces: InPieces<Inspection<T>>): Promise<Passed<T>> {
    for (;;) {
      await this.#turns.next()
      const piece = pieces.next()
      if (piece.done === true) return passed(piece.value)
    }
  }
}

function passed<T>(inspection: Inspection<T>): Passed<T> {
  const findings = [...new Set(inspection.findings.map(({ rule }) => rule))].sort()
  if (inspection.kind === 'block') throw new Fault('content.blocked', { findings })
  return { value: inspection.value, findings }
}
