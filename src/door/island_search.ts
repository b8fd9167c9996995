import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Detector, Finding, InspectionAction } from './detector.ts'
import { TextSearch } from './text_search.ts'
import { withRules } from './with_rules.ts'

/**
 * Detectors, with a search for each length of a text from which on more of them can find anything. To make them takes as long
 * as to guard a page of text: they are made once, for all streams.
 */
export class IslandDetectors {
  readonly all: readonly Detector[]
  readonly #searches: readonly { readonly least: number; readonly search: TextSearch }[]

  constructor(detectors: readonly Detector[]) {
    this.all = detectors
    const lengths = [...new Set(detectors.map(leastOf))].sort((one, other) => one - other)
    this.#searches = lengths.map((least) => ({
      least,
      search: new TextSearch(detectors.filter((detector) => leastOf(detector) <= least)),
    }))
  }

  /** The search of those that find anything in a text of such a length. */
  searchFor(length: number): TextSearch | undefined {
    return this.#searches.findLast(({ least }) => least <= length)?.search
  }
}

/**
 * Looks for findings in one stretch of a stream, with what stands before it, and knows what is to happen to each. Throws
 * `content.blocked`, with all rules found so far, when one is to block or a detector fails.
 */
export class IslandSearch {
  readonly #detectors: IslandDetectors
  readonly #action: (rule: string) => InspectionAction
  readonly #byAction = new Map<InspectionAction, TextSearch>()
  readonly #rules = new Set<string>()
  #count = 0

  constructor(detectors: IslandDetectors, action: (rule: string) => InspectionAction) {
    this.#detectors = detectors
    this.#action = action
  }

  /** Rules found so far, each once, sorted. */
  get rules(): readonly string[] {
    return [...this.#rules].sort()
  }

  /** False only when there is nothing to find in any part of a text; far quicker than to search. */
  mayHold(text: string): boolean {
    return this.#detectors.searchFor(text.length)?.mayHold(text) ?? false
  }

  /** What is to be redacted in a stretch, in order and apart, in its own places. */
  find(before: string, stretch: string): readonly Finding[] {
    const text = before + stretch
    const search = this.#detectors.searchFor(stretch.length)
    if (search === undefined || this.#found(search, text, before.length).length === 0) return NOTHING
    const passed = this.#found(this.#searchOf('pass'), text, before.length)
    const blocked = this.#found(this.#searchOf('block'), text, before.length)
    const redacted = this.#found(this.#searchOf('redact'), text, before.length)
    for (const { rule } of [...passed, ...blocked, ...redacted]) {
      this.note(rule)
      this.#count += 1
      if (this.#count > LIMITS.findings) throw this.#blocked('inspection.too_many')
    }
    return redacted
  }

  /** Takes down a rule, and gives what is to happen. */
  note(rule: string, action: InspectionAction = this.#action(rule)): InspectionAction {
    this.#rules.add(rule)
    if (action === 'block') throw this.#blocked(rule)
    return action
  }

  /** What each action is for is looked for apart: findings that overlap are one, and it must not hide a stricter one. */
  #searchOf(action: InspectionAction): TextSearch {
    const known = this.#byAction.get(action)
    if (known !== undefined) return known
    const search = new TextSearch(
      this.#detectors.all.map((detector) => withRules(detector, (rule) => this.#action(rule) === action)),
    )
    this.#byAction.set(action, search)
    return search
  }

  #found(search: TextSearch, text: string, from: number): readonly Finding[] {
    try {
      return search
        .atOnce(text)
        .filter(({ end }) => end > from)
        .map(({ rule, start, end }) => ({ rule, start: Math.max(0, start - from), end: end - from }))
    } catch {
      throw this.#blocked('detector.failed')
    }
  }

  #blocked(rule: string): Fault {
    this.#rules.add(rule)
    return new Fault('content.blocked', { findings: this.rules })
  }
}

const NOTHING: readonly Finding[] = Object.freeze([])

/** An island is a text in which a detector finds by itself; what stands before only tells more of it. */
function leastOf({ signs }: Detector): number {
  return signs?.length ?? 0
}
