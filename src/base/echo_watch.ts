import type { SampledSearch } from './sampled_search.ts'
import { mayHoldEscapes } from './undo_escapes.ts'

/** Bytes that are looked at again with what follows: a secret of 128 characters in the longest of its disguises. */
const SEEN_AGAIN_BYTES = 1_024

/** Tells whether bytes hold a secret; `SecretEcho` is one. */
interface Whole {
  isIn(bytes: Uint8Array): boolean
}

/**
 * Searches bytes that come piece by piece for a secret that stands in them in one piece. Where nothing in them looks like a
 * part of it, each byte is come by once; near anything that does, or that may be an escape, pieces are searched whole together
 * with what came before.
 */
export class EchoWatch {
  readonly #echo: Whole
  readonly #samples: SampledSearch | undefined
  readonly #recent = new RecentBytes()
  /** Bytes so far. */
  #total = 0
  /** Where the samples go on, counted from the first byte of all. */
  #place = 0
  /** Pieces that begin before this are searched whole. */
  #suspectUntil = 0

  /** Without samples all is searched whole. */
  constructor(echo: Whole, samples: SampledSearch | undefined) {
    this.#echo = echo
    this.#samples = samples
  }

  /** True when the secret ends in this piece. */
  endsIn(piece: Uint8Array): boolean {
    const recent = this.#recent.with(piece)
    const start = this.#total
    this.#total += piece.length
    if (!this.#isHarmless(piece, recent)) this.#suspectUntil = this.#total + SEEN_AGAIN_BYTES
    return start < this.#suspectUntil && this.#echo.isIn(recent)
  }

  #isHarmless(piece: Uint8Array, recent: Buffer): boolean {
    const before = this.#total - recent.length
    const next = this.#samples?.goOn(recent, Math.max(0, this.#place - before))
    // The places up to here are made up for by whole searches.
    this.#place = next === undefined ? this.#total : before + next
    return next !== undefined && !mayHoldEscapes(piece)
  }
}

/** A piece and the bytes before it, in one. To join them anew each time costs a Buffer that outlives the piece. */
class RecentBytes {
  #bytes: Buffer = NOTHING
  #length = 0

  /** Good until it is called again. */
  with(piece: Uint8Array): Buffer {
    const from = Math.max(0, this.#length - SEEN_AGAIN_BYTES)
    const before = this.#length - from
    const isRoom = this.#length + piece.length <= this.#bytes.length
    if (!isRoom) {
      const kept = this.#bytes.subarray(from, this.#length)
      if (before + piece.length > this.#bytes.length) this.#bytes = Buffer.alloc(2 * (before + piece.length))
      this.#bytes.set(kept)
      this.#length = before
    }
    this.#bytes.set(piece, this.#length)
    this.#length += piece.length
    return this.#bytes.subarray(this.#length - piece.length - before, this.#length)
  }
}

const NOTHING = Buffer.alloc(0)
