import type { Millis } from './clock.ts'
import type { JsonValue } from './json.ts'

/**
 * What an entry is:
 * `intent` before an act, `outcome` after it, `refusal` where the pipeline stopped, `digest` for many refusals counted
 * together, `change` for a new state of policy, keys or callers, `note` for what the door did of itself.
 */
export type EntryKind = 'intent' | 'outcome' | 'refusal' | 'digest' | 'change' | 'note'

/** An entry as a part of Gatehouse hands it to the ledger. */
export interface EntryDraft {
  readonly kind: EntryKind
  /** The id of the request, shared by its intent and outcome. */
  readonly id: string
  readonly at: Millis
  /**
   * Facts by name. The ledger's class table says which names are public and which are pseudonyms; any other name is
   * sensitive: the leaf gets a salted commitment, the encrypted sidecar the value.
   */
  readonly fields: Readonly<Record<string, JsonValue>>
  /** True for admin and key acts: they may use the space and the queue kept in reserve. */
  readonly reserved: boolean
  /** What metrics count it under besides its fields. No part of the entry. */
  readonly countedAs?: CountedAs
}

export interface CountedAs {
  /** The name of the route. */
  readonly route: string
  /** The model that was asked, as the configuration names it; empty for what is none of it. */
  readonly model: string
}

/** Proof that an entry is on disk. */
export interface Receipt {
  readonly origin: string
  readonly index: number
  readonly leafHash: Uint8Array
}

/** Where the record is kept. Throws `ledger.unwritable` when it cannot record. */
export interface Recorder {
  /** Resolves when the entry is on disk (synced). */
  append(draft: EntryDraft): Promise<Receipt>
  /**
   * Queues an entry for the next group; a failure shows at the next `append`, which refuses. It may be made when the turn of
   * the event loop is over, behind the answer that leaves in it.
   */
  appendLater(make: () => EntryDraft): void
  /**
   * Only where another process writes: resolves when what was queued has left this one. Whoever answers for an entry waits
   * for it, so that the end of this process loses nothing that was answered.
   */
  handedOver?(): Promise<void>
}
