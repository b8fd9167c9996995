import { Fault } from '../../src/base/fault.ts'
import { inspect } from '../../src/door/inspect.ts'
import { HoldBack, type HoldBackParts } from '../../src/door/hold_back.ts'
import { IslandDetectors } from '../../src/door/island_search.ts'
import { protectedValues } from './protected_values.ts'

/** What a guard made of a text. */
export interface Guarded {
  /** What was out after each piece, and after the end. */
  readonly steps: readonly string[]
  /** All that came out. */
  readonly out: string
  readonly findings: readonly string[]
  readonly isBlocked: boolean
  readonly mostHeld: number
}

/** All detectors that there are protected values for. */
export const GUARDING = [...new Set(protectedValues().map(({ detector }) => detector))]

export const REDACTING: HoldBackParts = {
  detectors: new IslandDetectors(GUARDING),
  action: () => 'redact',
  encoded: 'redact',
}

/** Gives pieces to a new guard, one after the other. */
export function guardPieces(pieces: Iterable<string>, parts: HoldBackParts = REDACTING): Guarded {
  const guard = new HoldBack(parts)
  const steps: string[] = []
  let out = ''
  let mostHeld = 0
  let isBlocked = false
  try {
    for (const piece of pieces) {
      out += guard.push(piece)
      steps.push(out)
      mostHeld = Math.max(mostHeld, guard.held)
    }
    out += guard.end()
    steps.push(out)
  } catch (thrown) {
    if (!(thrown instanceof Fault) || thrown.code !== 'content.blocked') throw thrown
    isBlocked = true
  }
  return { steps, out, findings: guard.findings, isBlocked, mostHeld }
}

/** A text in pieces of so many code units; pairs of surrogates are cut too. */
export function inPieces(text: string, size: number): readonly string[] {
  return Array.from({ length: Math.ceil(text.length / size) }, (_, at) =>
    text.slice(at * size, (at + 1) * size),
  )
}

/** What whole inspection makes of a text. */
export function redactedWhole(text: string): string {
  const inspection = inspect<string>(GUARDING, 'redact', text)
  return inspection.kind === 'block' ? '' : inspection.value
}
