import { randomBytes } from '#base/crypto.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { SEED_BYTES } from './commitment.ts'

/** Requests whose intent waits for its outcome; beyond it the older ones are forgotten and their outcomes get seeds of their own. */
const OPEN_REQUESTS = 65_536
/** Seeds are drawn from the system this many at a time, which costs a tenth per seed. */
const POOL_SEEDS = 128

/** Gives each request one random seed: its intent and its outcome share it. */
export class Seeds {
  // Two maps, of which the older is dropped whole: a map whose front is deleted again and again grows slow.
  #young = new Map<string, Uint8Array>()
  #old = new Map<string, Uint8Array>()
  #pool = new Uint8Array(0)
  #used = 0

  take(draft: EntryDraft): Uint8Array {
    if (draft.kind === 'intent') {
      if (this.#young.size >= OPEN_REQUESTS / 2) {
        this.#old = this.#young
        this.#young = new Map()
      }
      const seed = this.#draw()
      this.#young.set(draft.id, seed)
      return seed
    }
    if (draft.kind !== 'outcome') return this.#draw()
    const seed = this.#young.get(draft.id) ?? this.#old.get(draft.id)
    if (!this.#young.delete(draft.id)) this.#old.delete(draft.id)
    return seed ?? this.#draw()
  }

  #draw(): Uint8Array {
    if (this.#used === this.#pool.length) {
      this.#pool = new Uint8Array(randomBytes(SEED_BYTES * POOL_SEEDS))
      this.#used = 0
    }
    const seed = this.#pool.slice(this.#used, this.#used + SEED_BYTES)
    this.#used += SEED_BYTES
    return seed
  }
}
