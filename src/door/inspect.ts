import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Detector, Finding, InspectionAction } from './detector.ts'
import { viewsOf } from './text_views.ts'

/** What inspection came to. The places in a finding are those of the one string that it was found in. */
export type Inspection<T> =
  | { readonly kind: 'pass'; readonly value: T; readonly findings: readonly Finding[] }
  | { readonly kind: 'redact'; readonly value: T; readonly findings: readonly Finding[] }
  | { readonly kind: 'block'; readonly findings: readonly Finding[] }

/**
 * Looks at every string in a value, member names too. JSON inside a string is looked at as text.
 *
 * With nothing found, the value itself is given back. `redact` gives a frozen copy of the same shape in which each
 * finding is `[redacted:<rule>]`; a finding in a member name blocks, since another name would be another shape. A
 * detector that throws, and a value nested deeper than `LIMITS.jsonDepth`, block whatever the action is.
 *
 * Each string is looked at as it is and in the views of `text_views.ts`, which says what they do not cover.
 */
export function inspect<T extends JsonValue>(
  detectors: readonly Detector[],
  action: InspectionAction,
  value: T,
): Inspection<T> {
  const inspection = new Walk(detectors, action)
  const clean = inspection.visit(value, 0)
  const { findings } = inspection
  if (inspection.isBlocked || !isSameKind(value, clean)) return { kind: 'block', findings }
  if (clean === value) return { kind: 'pass', value, findings }
  return { kind: 'redact', value: clean, findings }
}

/** A foreign text without what the detectors find; empty when one of them fails. For what goes into a record. */
export function redactText(detectors: readonly Detector[], text: string): string {
  const inspection = inspect<JsonValue>(detectors, 'redact', text)
  return inspection.kind === 'block' || typeof inspection.value !== 'string' ? '' : inspection.value
}

const DETECTOR_FAILED: Finding = { rule: 'detector.failed', start: 0, end: 0 }
const TOO_DEEP: Finding = { rule: 'inspection.too_deep', start: 0, end: 0 }

class Walk {
  readonly findings: Finding[] = []
  readonly #detectors: readonly Detector[]
  readonly #action: InspectionAction
  #isBlocked = false

  constructor(detectors: readonly Detector[], action: InspectionAction) {
    this.#detectors = detectors
    this.#action = action
  }

  get isBlocked(): boolean {
    return this.#isBlocked || (this.#action === 'block' && this.findings.length > 0)
  }

  /** Gives the value itself unless something in it had to be redacted. */
  visit(value: JsonValue, depth: number): JsonValue {
    if (typeof value === 'string') return this.#text(value)
    if (typeof value !== 'object' || value === null) return value
    if (depth >= LIMITS.jsonDepth) {
      this.#block(TOO_DEEP)
      return value
    }
    return isArray(value) ? this.#array(value, depth + 1) : this.#object(value, depth + 1)
  }

  #array(array: readonly JsonValue[], depth: number): JsonValue {
    let copy: JsonValue[] | undefined
    for (const [index, before] of array.entries()) {
      const after = this.visit(before, depth)
      if (after === before) continue
      copy ??= [...array]
      copy[index] = after
    }
    return copy === undefined ? array : Object.freeze(copy)
  }

  #object(object: JsonObject, depth: number): JsonValue {
    let changed: Map<string, JsonValue> | undefined
    for (const name of Object.keys(object)) {
      this.#name(name)
      const before = object[name] ?? null
      const after = this.visit(before, depth)
      if (after === before) continue
      changed ??= new Map()
      changed.set(name, after)
    }
    if (changed === undefined) return object
    const members = Object.entries(object).map(
      ([name, before]) => [name, changed.get(name) ?? before] as const,
    )
    // Not by assignment: an answer may have a member named __proto__.
    return Object.freeze(Object.fromEntries(members))
  }

  #name(name: string): void {
    const found = this.#find(name)
    if (found.length === 0) return
    this.findings.push(...found)
    if (this.#action !== 'pass') this.#isBlocked = true
  }

  #text(text: string): string {
    const found = this.#find(text)
    if (found.length === 0) return text
    this.findings.push(...found)
    return this.#action === 'redact' ? redacted(text, found) : text
  }

  #find(text: string): readonly Finding[] {
    const found: Finding[] = []
    for (const detector of this.#detectors) found.push(...this.#run(detector, text))
    for (const view of viewsOf(text)) {
      for (const detector of this.#detectors) {
        for (const { rule, start, end } of this.#run(detector, view.text)) {
          const [originalStart, originalEnd] = view.original(start, end)
          found.push({ rule, start: originalStart, end: originalEnd })
        }
      }
    }
    return found.length > 1 ? merged(found) : found
  }

  #run(detector: Detector, text: string): readonly Finding[] {
    try {
      return detector.find(text)
    } catch {
      this.#block(DETECTOR_FAILED)
      return []
    }
  }

  #block(finding: Finding): void {
    if (!this.findings.includes(finding)) this.findings.push(finding)
    this.#isBlocked = true
  }
}

/** Sorts, and joins what overlaps under the name of the first, which is the longer one where two start together. */
function merged(found: readonly Finding[]): readonly Finding[] {
  const apart: Finding[] = []
  for (const finding of found.toSorted((left, right) => left.start - right.start || right.end - left.end)) {
    const last = apart.at(-1)
    if (last === undefined || finding.start >= last.end) apart.push(finding)
    else apart[apart.length - 1] = { ...last, end: Math.max(last.end, finding.end) }
  }
  return apart
}

function redacted(text: string, found: readonly Finding[]): string {
  let clean = ''
  let from = 0
  for (const { rule, start, end } of found) {
    clean += `${text.slice(from, start)}[redacted:${rule}]`
    from = end
  }
  return clean + text.slice(from)
}

// Array.isArray does not narrow a readonly array out of a union.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Redaction puts a string in the place of a string and a copy in the place of an object or array. */
function isSameKind<T extends JsonValue>(before: T, after: JsonValue): after is T {
  return typeof before === typeof after
}
