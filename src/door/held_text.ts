import { LIMITS } from '#base/limits.ts'
import type { Finding } from './detector.ts'
import { markOf } from './mark.ts'

/**
 * The text of a stream that has come and not left, with the end of what has. Places count from the first character that was
 * held before the last piece came.
 */
export class HeldText {
  /** The end of what has left or was thrown away. */
  #before = ''
  #text = ''
  /** Of that text, what is done with. */
  #done = 0
  #out = ''

  get text(): string {
    return this.#text
  }

  get length(): number {
    return this.#text.length
  }

  add(piece: string): void {
    this.#text += piece
  }

  /** As many characters as wanted before a place, or fewer at the beginning of the stream. */
  before(place: number, wanted: number): string {
    return place >= wanted
      ? this.#text.slice(place - wanted, place)
      : (this.#before + this.#text.slice(0, place)).slice(-wanted)
  }

  /** Lets out the text up to a place, with the findings in it replaced; their places count from `start`. */
  letOut(to: number, found: readonly Finding[] = [], start = 0): void {
    for (const finding of found) {
      this.letOut(start + finding.start)
      this.replace(start + finding.end, finding.rule)
    }
    this.#out += this.#text.slice(this.#done, to)
    this.#done = to
  }

  /** Puts the mark of a rule in the place of the text up to a place. */
  replace(to: number, rule: string): void {
    this.#out += markOf(rule)
    this.#done = to
  }

  /** Throws away the text up to a place. */
  drop(to: number): void {
    this.#done = Math.max(this.#done, to)
  }

  /** Gives what was let out, and forgets it but for what a later search may need. */
  take(): string {
    const out = this.#out
    this.#out = ''
    this.#before += this.#text.slice(0, this.#done)
    if (this.#before.length > 2 * LIMITS.inspectedBehind)
      this.#before = this.#before.slice(-LIMITS.inspectedBehind)
    this.#text = this.#text.slice(this.#done)
    this.#done = 0
    return out
  }

  /** Forgets all. */
  clear(): void {
    this.#before = ''
    this.#text = ''
    this.#done = 0
    this.#out = ''
  }
}
