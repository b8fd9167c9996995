import { BYTES } from './limits.ts'
import type { Memory } from './memory.ts'

/** What a body without a length gets at first once it comes in more than one piece; it doubles from there. */
const FIRST_BYTES = 16 * BYTES.kib
const NOTHING = new Uint8Array(0)

/**
 * Puts the pieces of one body together, in room that is claimed before it is used.
 *
 * Pieces are copied into one buffer: kept as they come, a body in pieces of one byte would take hundreds of times its
 * length. One that comes whole is kept as it is.
 */
export class ByteCollector {
  readonly #memory: Memory
  readonly #expected: number | undefined
  readonly #most: number
  #claimed: number
  #bytes: Uint8Array = NOTHING
  #size = 0

  /**
   * `expected` is the length that was announced, all of which is claimed at once; `most` is what the giver of pieces
   * keeps to. Throws `load.exceeded`.
   */
  constructor(memory: Memory, expected: number | undefined, most: number) {
    this.#memory = memory
    this.#most = most
    this.#expected = expected
    this.#claimed = expected ?? 0
    if (expected !== undefined) memory.claim(expected)
  }

  get size(): number {
    return this.#size
  }

  /** Throws `load.exceeded`. */
  add(piece: Uint8Array): void {
    const size = this.#size + piece.length
    if (this.#size === 0 && (this.#expected === undefined || this.#expected === piece.length)) {
      this.#claimUpTo(size)
      this.#bytes = piece
    } else {
      if (size > this.#bytes.length) this.#grow(size)
      this.#bytes.set(piece, this.#size)
    }
    this.#size = size
  }

  /** All of it; nothing may be added after this. */
  take(): Uint8Array {
    return this.#bytes.length === this.#size ? this.#bytes : this.#bytes.subarray(0, this.#size)
  }

  #grow(size: number): void {
    const isAnnounced = this.#expected !== undefined && size <= this.#expected
    const doubled = Math.min(Math.max(2 * size, FIRST_BYTES), this.#most)
    const capacity = isAnnounced ? this.#expected : Math.max(doubled, size)
    this.#claimUpTo(capacity)
    const larger = Buffer.allocUnsafeSlow(capacity)
    larger.set(this.#bytes.subarray(0, this.#size))
    this.#bytes = larger
  }

  #claimUpTo(bytes: number): void {
    if (bytes <= this.#claimed) return
    this.#memory.claim(bytes - this.#claimed)
    this.#claimed = bytes
  }
}
