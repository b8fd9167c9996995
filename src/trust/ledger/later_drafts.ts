import type { EntryDraft } from '#base/recorder.ts'

export type MakeDraft = () => EntryDraft

/**
 * Entries that nobody waits for. They are made when the turn of the event loop is over, so that the answers that leave in
 * it do not wait for the hashing; a crash loses no more by it, since they are on disk only some turns later.
 */
export class LaterDrafts {
  readonly #take: (make: MakeDraft) => void
  #waiting: MakeDraft[] = []
  #turn: NodeJS.Immediate | undefined

  constructor(take: (make: MakeDraft) => void) {
    this.#take = take
  }

  add(make: MakeDraft): void {
    this.#waiting.push(make)
    if (this.#waiting.length >= MOST_DRAFTS) this.makeAll()
    else this.#turn ??= setImmediate(() => this.makeAll())
  }

  /** Makes those that wait now, so that they come before what is appended next. */
  makeAll(): void {
    if (this.#turn === undefined) return
    clearImmediate(this.#turn)
    this.#turn = undefined
    const waiting = this.#waiting
    this.#waiting = []
    for (const make of waiting) this.#take(make)
  }
}

/** So many make a turn long enough. */
const MOST_DRAFTS = 64
