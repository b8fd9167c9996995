import { LIMITS } from '#base/limits.ts'
import { LIVE } from './live_forms.ts'
import { LiveText } from './live_text.ts'

/** Why a stretch of a text comes to an end here, or why something about it has to be decided. */
export type Turn =
  /** The text ends. */
  | 'more'
  /** An island has ended. */
  | 'closed'
  /** The marker line behind a private key has ended. */
  | 'key.ended'
  /** Part of nothing but what is never long, and already longer. */
  | 'short'
  /** Part of nothing but what nobody follows farther. */
  | 'span'
  /** Part of something strict, and `LIMITS.heldStrict` long. */
  | 'strict'
  /** So long and merely a run: time to see whether it is a known one. */
  | 'known'
  /** A run of `LIMITS.heldRun`. */
  | 'run'
  /** The same, and part of a web token. */
  | 'long'

/**
 * Splits a text into islands: stretches that may hold a finding, each with the character that shows that it is over. Where
 * they begin and end depends on the text alone, not on the pieces that it comes in. No finding reaches over the shores of its
 * island, though some are known by what stands to the left of it.
 */
export class Islands {
  readonly live = new LiveText()
  #at = 0
  #start = 0
  #length = 0
  /** What comes is thrown away for as long as one of these is live; nothing is to be decided then. */
  #lost = 0

  /** Behind the last character that was read. */
  get at(): number {
    return this.#at
  }

  /** The characters of the island that is open; with the turn `closed`, of the one that has ended. */
  get length(): number {
    return this.#length
  }

  /** With the turn `closed`, how many characters of the next island have been read. */
  get fresh(): number {
    return this.#start
  }

  /** How long what is never long can be here, as it stands. */
  get shortLength(): number {
    return LONGEST[this.live.disguise]
  }

  /** Reads on from a place, to the next turn. Behind `closed`, ask for `next` first. */
  scan(text: string, from: number): Turn {
    const live = this.live
    for (let at = from; at < text.length; at++) {
      const bits = live.step(text.charCodeAt(at))
      if (bits === 0 && this.#length === 0) continue
      this.#length += 1
      if (bits !== 0 && this.#length < LEAST_DUE && (bits & ALWAYS_DUE) === 0 && this.#lost === 0) continue
      const turn = bits === 0 ? 'closed' : this.#due(bits)
      if (turn === undefined) continue
      this.#at = at + 1
      return turn
    }
    this.#at = text.length
    return 'more'
  }

  /** Only so many of the last characters are still part of the island; those before are done with. */
  keep(length: number): void {
    this.#length = length
    this.#start = 0
    this.#lost = 0
    if (length === 0) this.live.settle()
  }

  /** What comes is thrown away for as long as one of these bits is live; then the island is closed. */
  lose(bits: number): void {
    this.#lost = bits
  }

  #due(bits: number): Turn | undefined {
    if ((bits & LIVE.keyEnds) !== 0) return 'key.ended'
    if ((bits & LIVE.fresh) !== 0 && this.#length > this.live.fresh)
      return this.#closedBefore(this.live.fresh)
    if (this.#lost !== 0) return (bits & this.#lost) === 0 ? this.#closedBefore(1) : undefined
    if (this.#length < LEAST_DUE) return undefined
    const length = this.#length
    if ((bits & LIVE.strict) !== 0) return length >= this.#strictLength() ? 'strict' : undefined
    if (length >= LIMITS.heldRun) return (bits & LIVE.long) !== 0 ? 'long' : 'run'
    if (length === LIMITS.heldStrict) return 'known'
    if ((bits & ~LIVE.kept) === LIVE.short) return length >= this.shortLength + DUE_EACH ? 'short' : undefined
    return bits === LIVE.span && length >= LIMITS.heldSpan + SPAN_DUE_EACH ? 'span' : undefined
  }

  /** The marker line of a key alone has 300 characters when each is an escape. */
  #strictLength(): number {
    return this.live.disguise === 'escapes' ? LIMITS.heldRun : LIMITS.heldStrict
  }

  #closedBefore(fresh: number): Turn {
    this.#start = fresh
    this.#length -= fresh
    return 'closed'
  }
}

const ALWAYS_DUE = LIVE.keyEnds | LIVE.fresh
/** Between two looks at what is never long. */
const DUE_EACH = 16
const SPAN_DUE_EACH = 112
const LEAST_DUE = LIMITS.heldShort + DUE_EACH
/** An escape may take ten characters for one; more than one invisible character for each letter is a finding itself. */
const LONGEST = {
  none: LIMITS.heldShort,
  invisible: 2 * LIMITS.heldShort,
  escapes: 12 * LIMITS.heldShort,
} as const
