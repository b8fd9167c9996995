import type { JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Detector, Finding, InspectionAction } from './detector.ts'
import { markOf } from './mark.ts'
import { replaceStrings } from './replace_strings.ts'
import { stringsIn } from './strings_in.ts'
import { isShort, TextSearch } from './text_search.ts'

/** What inspection came to. The places in a finding are those of the one string that it was found in. */
export type Inspection<T> =
  | { readonly kind: 'pass'; readonly value: T; readonly findings: readonly Finding[] }
  | { readonly kind: 'redact'; readonly value: T; readonly findings: readonly Finding[] }
  | { readonly kind: 'block'; readonly findings: readonly Finding[] }

/** Work that comes to a value and pauses where something else may run. */
export type InPieces<T> = Generator<undefined, T, undefined>

/**
 * Looks at every string in a value, member names too. JSON inside a string is looked at as text.
 *
 * With nothing found, the value itself is given back. `redact` gives a frozen copy of the same shape in which each
 * finding is replaced by its mark (`mark.ts`); a finding in a member name blocks, since another name would be another shape. A
 * detector that throws, a value nested deeper than `LIMITS.jsonDepth`, and more than `LIMITS.findings` block whatever the
 * action is.
 *
 * Each string is looked at as it is and in the views that `text_search.ts` names, which says what they do not cover. Yields
 * whenever about `LIMITS.inspectedAtOnce` characters are done, so a small value comes to its end with the first step.
 */
export function* inspectInPieces<T extends JsonValue>(
  detectors: readonly Detector[],
  action: InspectionAction,
  value: T,
): InPieces<Inspection<T>> {
  const strings = stringsIn(value)
  if (strings === undefined) return { kind: 'block', findings: [TOO_DEEP] }
  const search = new Search(detectors)
  const inNames = yield* search.look(strings.names)
  const inValues = yield* search.look(strings.values)
  const { findings } = search
  const isBlocked = action === 'block' ? findings.length > 0 : action === 'redact' && inNames.size > 0
  if (search.isFailed || isBlocked) return { kind: 'block', findings }
  if (action === 'pass' || findings.length === 0) return { kind: 'pass', value, findings }
  let at = 0
  const clean = replaceStrings(value, (text) => redacted(text, inValues.get(at++) ?? NOTHING))
  return isSameKind(value, clean) ? { kind: 'redact', value: clean, findings } : { kind: 'block', findings }
}

/** `inspectInPieces` without a pause, for a value of known size. */
export function inspect<T extends JsonValue>(
  detectors: readonly Detector[],
  action: InspectionAction,
  value: T,
): Inspection<T> {
  const pieces = inspectInPieces(detectors, action, value)
  let piece = pieces.next()
  while (piece.done !== true) piece = pieces.next()
  return piece.value
}

/** A foreign text without what the detectors find; empty when one of them fails. For what goes into a record. */
export function redactText(detectors: readonly Detector[], text: string): string {
  const inspection = inspect<JsonValue>(detectors, 'redact', text)
  return inspection.kind === 'block' || typeof inspection.value !== 'string' ? '' : inspection.value
}

const DETECTOR_FAILED: Finding = { rule: 'detector.failed', start: 0, end: 0 }
const TOO_DEEP: Finding = { rule: 'inspection.too_deep', start: 0, end: 0 }
const TOO_MANY: Finding = { rule: 'inspection.too_many', start: 0, end: 0 }
const NOTHING: readonly Finding[] = Object.freeze([])
/** What looking at one short string costs, as if it had so many characters more. */
const CHARACTERS_PER_STRING = 64

/** A longer string hardly comes twice, and takes more to compare. */
const LONGEST_KEPT = 1_024

/** Findings by the place of their string in a list of strings; clean ones are left out. */
type FoundAt = ReadonlyMap<number, readonly Finding[]>

/** Looks at the strings of one value, and remembers what it found. */
class Search {
  /** All findings so far; when it failed, the last one says why. */
  readonly findings: Finding[] = []
  readonly #texts: TextSearch
  readonly #kept = new Map<string, readonly Finding[]>()
  #isFailed = false
  #work = 0

  constructor(detectors: readonly Detector[]) {
    this.#texts = new TextSearch(detectors)
  }

  get isFailed(): boolean {
    return this.#isFailed
  }

  *look(texts: readonly string[]): InPieces<FoundAt> {
    const foundAt = new Map<number, readonly Finding[]>()
    let at = -1
    for (const text of texts) {
      at += 1
      if (this.#isFailed) break
      const found = this.#kept.get(text) ?? (isShort(text) ? this.#atOnce(text) : yield* this.#inSlices(text))
      if (found.length > 0) {
        foundAt.set(at, found)
        this.#add(found)
      }
      this.#work += text.length + CHARACTERS_PER_STRING
      if (this.#work < LIMITS.inspectedAtOnce) continue
      this.#work = 0
      yield
    }
    return foundAt
  }

  #atOnce(text: string): readonly Finding[] {
    try {
      const found = this.#texts.mayHold(text) ? this.#texts.atOnce(text) : NOTHING
      if (text.length <= LONGEST_KEPT && this.#kept.size < LIMITS.inspectedStringsKept)
        this.#kept.set(text, found)
      return found
    } catch {
      return this.#fail(DETECTOR_FAILED)
    }
  }

  *#inSlices(text: string): InPieces<readonly Finding[]> {
    try {
      return yield* this.#texts.inSlices(text)
    } catch {
      return this.#fail(DETECTOR_FAILED)
    }
  }

  #add(found: readonly Finding[]): void {
    if (this.findings.length + found.length > LIMITS.findings) this.#fail(TOO_MANY)
    else for (const finding of found) this.findings.push(finding)
  }

  #fail(why: Finding): readonly Finding[] {
    this.#isFailed = true
    this.findings.push(why)
    return NOTHING
  }
}

function redacted(text: string, found: readonly Finding[]): string {
  let clean = ''
  let from = 0
  for (const { rule, start, end } of found) {
    clean += text.slice(from, start) + markOf(rule)
    from = end
  }
  return from === 0 ? text : clean + text.slice(from)
}

/** Redaction puts a string in the place of a string and a copy in the place of an object or array. */
function isSameKind<T extends JsonValue>(before: T, after: JsonValue): after is T {
  return typeof before === typeof after
}
