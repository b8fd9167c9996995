import type { EntryDraft } from '#base/recorder.ts'

/**
 * Entries that nobody waits for. They are made into leaves when the turn of the event loop is over, so that the answers
 * that leave in it do not wait for the hashing; a crash loses no more by it, since they are on disk only some turns later.
 */
export class LaterDrafts {
  readonly #make: (draft: EntryDraft) => void
  #drafts: EntryDraft[] = []
  #turn: NodeJS.Immediate | undefined

  constructor(make: (draft: EntryDraft) => void) {
    this.#make = make
  }

  add(draft: EntryDraft): void {
    this.#drafts.push(draft)
    if (this.#drafts.length >= MOST_DRAFTS) this.makeAll()
    else this.#turn ??= setImmediate(() => this.makeAll())
  }

  /** Makes those that wait now, so that they come before what is appended next. */
  makeAll(): void {
    if (this.#turn === undefined) return
    clearImmediate(this.#turn)
    this.#turn = undefined
    const drafts = this.#drafts
    this.#drafts = []
    for (const draft of drafts) this.#make(draft)
  }
}

/** So many make a turn long enough. */
const MOST_DRAFTS = 64
