import { LIMITS } from '#base/limits.ts'
import type { Detector, Finding } from './detector.ts'
import { encodedRuns, LEAST_RUN, runAround } from './encoded_runs.ts'
import { SignReader } from './signs.ts'
import { hasDisguise, Undisguiser } from './text_views.ts'

/**
 * Finds in a text as it is, without its disguises, and in what long runs of base 64 in it say. The findings are in order
 * and do not overlap; one in base 64 is the whole run. Throws what a detector throws.
 *
 * Not covered: deeper or mixed encodings, base 64 broken into lines, hexadecimal, HTML entities, letters replaced by
 * look-alikes, a credential spread over several strings, and one longer than `LIMITS.inspectedAhead`. What is known of such
 * gaps stands in docs/explanation/inspection-limits.md.
 */
export class TextSearch {
  readonly #detectors: readonly Detector[]
  /** Those that are asked about what stands behind a disguise too. */
  readonly #deep: readonly Detector[]
  readonly #signs: SignReader
  #undisguiser: Undisguiser | undefined

  constructor(detectors: readonly Detector[]) {
    this.#detectors = detectors
    this.#deep = detectors.filter(({ plainOnly }) => plainOnly !== true)
    this.#signs = new SignReader(detectors)
  }

  /** False only when there is nothing to find; known in a small part of the time that a search takes. */
  mayHold(text: string): boolean {
    return this.#signs.mayHold(text)
  }

  /** For a text that `isShort`. */
  atOnce(text: string): readonly Finding[] {
    const found = this.#look(text)
    return ordered(text.length < LEAST_RUN ? found : [...found, ...this.#lookIntoRuns(text)])
  }

  /**
   * For a text of any length: looks at it in slices, and yields between two of them. A finding belongs to the slice in
   * which it starts; each sees far enough ahead and back that a credential is whole in the one that it belongs to. Ends
   * early with more than `LIMITS.findings`.
   */
  *inSlices(text: string): Generator<undefined, readonly Finding[], undefined> {
    const found: Finding[] = []
    let runEnd = 0
    let from = 0
    while (from < text.length && found.length <= LIMITS.findings) {
      const to = isShort(text, from) ? text.length : from + LIMITS.inspectedAtOnce
      const first = Math.max(0, from - LIMITS.inspectedBehind)
      const seen = text.slice(first, to + LIMITS.inspectedAhead)
      const isSuspect = this.mayHold(seen)
      for (const { rule, start, end } of isSuspect ? this.#look(seen) : NOTHING) {
        if (first + start >= from && first + start < to)
          found.push({ rule, start: first + start, end: first + end })
      }
      for (const { rule, start } of isSuspect ? this.#lookIntoRuns(seen) : NOTHING) {
        // A run with a finding counts as a whole, so the rest of it has nothing to add.
        if (first + start < runEnd) continue
        const run = runAround(text, first + start)
        found.push({ rule, ...run })
        runEnd = run.end
      }
      from = to
      if (from < text.length) yield
    }
    return ordered(found)
  }

  #look(text: string): readonly Finding[] {
    const found = detect(this.#detectors, text)
    if (!hasDisguise(text)) return found
    this.#undisguiser ??= new Undisguiser()
    const view = this.#undisguiser.view(text)
    const hidden = detect(this.#deep, view.text)
    if (hidden.length === 0) return found
    const original = ({ rule, start, end }: Finding): Finding => {
      const [from, to] = view.original(start, end)
      return { rule, start: from, end: to }
    }
    return [...found, ...hidden.map(original)]
  }

  #lookIntoRuns(text: string): readonly Finding[] {
    const found: Finding[] = []
    for (const { start, end, readings } of encodedRuns(text)) {
      const first = readings
        .map((reading) => detect(this.#deep, reading)[0])
        .find((finding) => finding !== undefined)
      if (first !== undefined) found.push({ rule: first.rule, start, end })
    }
    return found
  }
}

function detect(detectors: readonly Detector[], text: string): readonly Finding[] {
  let all = NOTHING
  for (const detector of detectors) {
    const found = detector.find(text)
    if (found.length > 0) all = [...all, ...found]
  }
  return all
}

/** True when what is left of a text from a place on is one slice. */
export function isShort(text: string, from = 0): boolean {
  return text.length - from <= LIMITS.inspectedAtOnce + LIMITS.inspectedAhead
}

const NOTHING: readonly Finding[] = Object.freeze([])

/** Sorts, and joins what overlaps under the name of the first, which is the longer one where two start together. */
function ordered(found: readonly Finding[]): readonly Finding[] {
  if (found.length < 2) return found
  const apart: Finding[] = []
  for (const finding of found.toSorted((left, right) => left.start - right.start || right.end - left.end)) {
    const last = apart.at(-1)
    if (last === undefined || finding.start >= last.end) apart.push(finding)
    else apart[apart.length - 1] = { ...last, end: Math.max(last.end, finding.end) }
  }
  return apart
}
