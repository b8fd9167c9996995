import { LIMITS } from '#base/limits.ts'
import { Automaton, type State } from './automaton.ts'
import { BidiDepth } from './bidi_depth.ts'
import { HIGH_SURROGATES, INVISIBLE, LIVE, LIVE_FORMS, LOW_SURROGATES } from './live_forms.ts'
import { unitsOf, type Units } from './pattern.ts'
import { ShownText } from './shown_text.ts'

/**
 * Tells after each character of a text what the text may become part of, as bits of `LIVE`; 0 when nothing that has come so
 * far can be part of a finding any more. Follows the text as it stands and as `ShownText` shows it.
 */
export class LiveText {
  #raw: State = AUTOMATON.start
  #shown: State = AUTOMATON.start
  readonly #shownText = new ShownText((unit) => this.#show(unit))
  readonly #bidi = new BidiDepth()
  #key: 'none' | 'inside' | 'left' = 'none'
  #fresh = 0
  #steps = 0
  #toldAt = -Infinity
  /** True when nothing of the text as it stands was live where the escape begins that is being read. */
  #isApart = false

  /** True between the marker lines of a private key, where all is live. */
  get isInKey(): boolean {
    return this.#key === 'inside'
  }

  /** True when what stands between the marker lines did not look like a key so far, and was let go. */
  get hasLeftKey(): boolean {
    return this.#key === 'left'
  }

  /** How many characters ago something stood that may tell what a run is; very many when nothing did. */
  get sinceTold(): number {
    return this.#steps - this.#toldAt
  }

  /** With the bit `LIVE.fresh`, so many of the last characters are all that is live. */
  get fresh(): number {
    return this.#fresh
  }

  /** What since `settle` does not stand in the text as it is read. */
  get disguise(): 'none' | 'invisible' | 'escapes' {
    if (this.#shownText.hasEscapes) return 'escapes'
    return this.#shownText.hasInvisible ? 'invisible' : 'none'
  }

  /** How many of the last characters may be the beginning of an escape, or half a pair; none with too many backslashes. */
  get kept(): number {
    return this.#shownText.kept > MOST_FRESH ? 0 : this.#shownText.kept
  }

  leaveKey(): void {
    this.#key = 'left'
  }

  enterKey(): void {
    this.#key = 'inside'
  }

  settle(): void {
    this.#shownText.settle()
  }

  step(unit: number): number {
    this.#steps += 1
    const unitClass = AUTOMATON.classes[unit] ?? 0
    const before = this.#raw
    const raw = before.next[unitClass] ?? AUTOMATON.step(before, unitClass)
    this.#raw = raw
    if (before !== this.#shown || IS_PLAIN[unitClass] === 0 || this.#shownText.kept > 0)
      return this.#stepApart(unit, before)
    this.#shown = raw
    const { bits } = raw
    return (bits & MARKERS) === 0 && this.#key !== 'inside' && this.#bidi.isEven
      ? bits
      : this.#rareBits(bits, unit)
  }

  /** Where the text is not shown as it stands. */
  #stepApart(unit: number, before: State): number {
    const shownText = this.#shownText
    const kept = shownText.kept
    shownText.take(unit)
    const bits = this.#rareBits(this.#raw.bits | this.#shown.bits, unit)
    const isStart = kept === 0 && shownText.kept > 0
    // A command to a terminal may end with any character, also with this one.
    if (isStart) this.#isApart = this.#raw.bits === 0 && (before.bits & LIVE.span) === 0
    const isOver = kept > 0 && shownText.kept === 0
    this.#fresh = isStart ? 1 : isOver ? kept + 1 : 0
    const isFresh = this.#fresh > 0 && this.#fresh <= MOST_FRESH && this.#isApart && this.#shown.bits === 0
    return isFresh && bits !== 0 && (bits & BEYOND) === 0 ? bits | LIVE.fresh : bits
  }

  /** The bits with what automata cannot follow. Of the markers, only the one that ends a key is left. */
  #rareBits(states: number, unit: number): number {
    let bits = states & ~MARKERS
    if ((states & LIVE.keyEnds) !== 0 && this.#key !== 'none') {
      this.#key = 'none'
      bits |= LIVE.keyEnds
    } else if ((states & LIVE.keyBegins) !== 0) this.#key = 'inside'
    if ((states & LIVE.tells) !== 0) this.#toldAt = this.#steps
    this.#bidi.see(unit)
    if (this.#shownText.kept > 0) bits |= LIVE.kept
    if (this.#key === 'inside' || this.#shownText.doubled > LIMITS.heldBackslashes) bits |= LIVE.strict
    if (!this.#bidi.isEven) bits |= LIVE.span
    return bits
  }

  #show(unit: number): void {
    this.#shown = AUTOMATON.step(this.#shown, AUTOMATON.classes[unit] ?? 0)
  }
}

const MARKERS = LIVE.keyBegins | LIVE.keyEnds | LIVE.tells
/** What began before the last few characters. */
const BEYOND = LIVE.strict | LIVE.span | LIVE.keyEnds
/** The longest escape has ten characters, without the backslashes before it. */
const MOST_FRESH = LIMITS.heldBackslashes + 10
const NOT_PLAIN: readonly Units[] = [unitsOf('\\%='), INVISIBLE, HIGH_SURROGATES, LOW_SURROGATES]
const AUTOMATON = new Automaton(
  LIVE_FORMS.map(({ pattern }) => pattern),
  NOT_PLAIN,
)
/** By class, 1 for characters that are shown as they stand. */
const IS_PLAIN = new Uint8Array(256).fill(1)
for (const [first, last] of NOT_PLAIN.flat())
  for (let unit = first; unit <= last; unit++) IS_PLAIN[AUTOMATON.classes[unit] ?? 0] = 0

/** How many states the texts of all streams so far have come to. */
export function statesKnown(): number {
  return AUTOMATON.size
}
