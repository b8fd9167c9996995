import { isJsonArray, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Detector } from './detector.ts'
import { TextSearch } from './text_search.ts'

/**
 * Looks at a value of ordinary size in one go, for the one answer that most of them get: that there is nothing to find. It
 * takes a tenth of the time of `inspectInPieces`, and says no more than that.
 */
export class QuickLook {
  readonly #texts: TextSearch

  constructor(detectors: readonly Detector[]) {
    this.#texts = new TextSearch(detectors)
  }

  /** False when there is something, and also when it takes longer to tell. */
  findsNothing(value: JsonValue): boolean {
    const suspects = new Suspects(this.#texts)
    if (!suspects.gather(value, 0)) return false
    try {
      return suspects.found.every((text) => this.#texts.atOnce(text).length === 0)
    } catch {
      return false
    }
  }
}

/** What a value may cost: characters, and so many more for each value and name in it. A part of a turn, since the rest may follow in the same one. */
const MOST_WORK = 64 * 1_024
const WORK_PER_VALUE = 16
/** More strings that need a search are better searched with memory of which were searched already. */
const MOST_SUSPECTS = 16

/** The strings of one value that need a search. */
class Suspects {
  readonly found: string[] = []
  readonly #texts: TextSearch
  #workLeft = MOST_WORK

  constructor(texts: TextSearch) {
    this.#texts = texts
  }

  /** False when there is too much of anything to go on. */
  gather(value: JsonValue, depth: number): boolean {
    if (typeof value === 'string') return this.#take(value)
    this.#workLeft -= WORK_PER_VALUE
    if (this.#workLeft < 0) return false
    if (typeof value !== 'object' || value === null) return true
    if (depth >= LIMITS.jsonDepth) return false
    if (isJsonArray(value)) return value.every((inner) => this.gather(inner, depth + 1))
    for (const name of Object.keys(value))
      if (!this.#take(name) || !this.gather(value[name] ?? null, depth + 1)) return false
    return true
  }

  #take(text: string): boolean {
    this.#workLeft -= WORK_PER_VALUE + text.length
    if (this.#workLeft < 0) return false
    if (this.#texts.mayHold(text)) this.found.push(text)
    return this.found.length <= MOST_SUSPECTS
  }
}
