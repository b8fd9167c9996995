/**
 * Knows whether directional formatting characters are open on the present line (UAX #9 section 2): whether they are in pairs
 * shows at their partner, or at the end of the line.
 */
export class BidiDepth {
  /** What is open, innermost last: true for an isolate. */
  readonly #open: boolean[] = []

  get isEven(): boolean {
    return this.#open.length === 0
  }

  see(unit: number): void {
    if (unit === POP_FORMATTING) {
      if (this.#open.at(-1) === false) this.#open.pop()
    } else if (unit === POP_ISOLATE) {
      // It also ends what was opened inside (rule X6a).
      const isolate = this.#open.lastIndexOf(true)
      if (isolate >= 0) this.#open.length = isolate
    } else if (isOpening(unit)) {
      if (this.#open.length < MOST_OPEN) this.#open.push(unit >= FIRST_ISOLATE)
    } else if (unit === LINE_FEED || unit === RETURN || unit === NEXT_LINE || unit === PARAGRAPH) {
      this.#open.length = 0
    }
  }
}

const LINE_FEED = 0x0a
const RETURN = 0x0d
const NEXT_LINE = 0x85
const PARAGRAPH = 0x2029
const FIRST_FORMATTING = 0x202a
const POP_FORMATTING = 0x202c
const OVERRIDE = 0x202e
const FIRST_ISOLATE = 0x2066
const POP_ISOLATE = 0x2069
/** UAX #9 section 3.3.2 lets nobody nest deeper. */
const MOST_OPEN = 125

/** A right-to-left override is never in a pair. */
function isOpening(unit: number): boolean {
  const isFormatting = unit >= FIRST_FORMATTING && unit < OVERRIDE && unit !== POP_FORMATTING
  return isFormatting || (unit >= FIRST_ISOLATE && unit < POP_ISOLATE)
}
