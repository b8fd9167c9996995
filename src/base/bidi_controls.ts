/** An opening control that is not closed within so many characters counts as never closed. */
export const BIDI_SPAN = 512
/** More of them in a row order nothing. */
const MOST_IN_A_ROW = 4

const CONTROL_OR_LINE_END = /[\u202a-\u202e\u2066-\u2069\n\r\u0085\u2029]/g
const LAST_LINE_END = 0x2029
const RIGHT_TO_LEFT_OVERRIDE = 0x202e
const POP_FORMATTING = 0x202c
const POP_ISOLATE = 0x2069

/**
 * The places of directional formatting characters (UAX #9 section 2) that are not one of a pair on one line, in order; of
 * all in a row of more than four; and of each right-to-left override, whose only use is that people read something else
 * than machines. Takes time in proportion to the text.
 */
export function looseBidiControls(text: string): readonly number[] {
  const pairs = new Pairs()
  CONTROL_OR_LINE_END.lastIndex = 0
  while (CONTROL_OR_LINE_END.test(text)) {
    const at = CONTROL_OR_LINE_END.lastIndex - 1
    const code = text.charCodeAt(at)
    if (code > LAST_LINE_END) pairs.see(at, code)
    else pairs.endLine()
  }
  return pairs.loose()
}

/** What was opened and not closed. Forgets what is too far away, so that a place never depends on more than what is near. */
class Pairs {
  readonly #places: number[] = []
  /** For each place the other one of its pair, by index; its own where there is none. */
  readonly #partners: number[] = []
  /** Which of the places were opened and not closed, innermost last. */
  readonly #open: { readonly index: number; readonly isIsolate: boolean }[] = []
  /** So many at the start of that list are given up. */
  #forgotten = 0

  see(at: number, code: number): void {
    this.#forget(at - BIDI_SPAN)
    const index = this.#places.push(at) - 1
    this.#partners.push(index)
    if (code === POP_FORMATTING) this.#pop(index, false)
    else if (code === POP_ISOLATE) this.#popIsolate(index)
    else if (code !== RIGHT_TO_LEFT_OVERRIDE)
      this.#open.push({ index, isIsolate: code > RIGHT_TO_LEFT_OVERRIDE })
  }

  endLine(): void {
    this.#open.length = 0
    this.#forgotten = 0
  }

  loose(): readonly number[] {
    this.#partCrowds()
    return this.#places.filter((_, index) => this.#partners[index] === index)
  }

  #pop(index: number, isIsolate: boolean): void {
    const opened = this.#open.length > this.#forgotten ? this.#open.at(-1) : undefined
    if (opened?.isIsolate !== isIsolate) return
    this.#open.pop()
    this.#partners[opened.index] = index
    this.#partners[index] = opened.index
  }

  /** Also ends what was opened and not closed inside (UAX #9 rule X6a). */
  #popIsolate(index: number): void {
    let isolate = this.#open.length - 1
    while (isolate >= this.#forgotten && this.#open[isolate]?.isIsolate === false) isolate -= 1
    if (isolate < this.#forgotten) return
    this.#open.length = isolate + 1
    this.#pop(index, true)
  }

  #forget(before: number): void {
    for (;;) {
      const first = this.#open[this.#forgotten]
      if (first === undefined || (this.#places[first.index] ?? 0) >= before) return
      this.#forgotten += 1
    }
  }

  /** Pairs that are among more than a few controls side by side are none. */
  #partCrowds(): void {
    let first = 0
    for (let index = 1; index <= this.#places.length; index++) {
      if (this.#places[index] === (this.#places[index - 1] ?? 0) + 1) continue
      if (index - first > MOST_IN_A_ROW) this.#part(first, index)
      first = index
    }
  }

  #part(first: number, end: number): void {
    for (let index = first; index < end; index++) {
      const partner = this.#partners[index] ?? index
      this.#partners[partner] = partner
      this.#partners[index] = index
    }
  }
}
