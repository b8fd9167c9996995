import { LIMITS } from '#base/limits.ts'
import type { CallerStore } from './caller_store.ts'
import type { KeyRecord, SecretRecord } from './key_record.ts'

/** Remembers the day on which each secret was last used, and writes it off the path of requests. */
export interface LastUsed {
  /** Once per secret and day this queues a write; else it does nothing. */
  readonly note: (record: KeyRecord, secret: SecretRecord, day: number) => void
  /** Writes everything now. */
  flush(): void
}

/** The queue holds each secret once, so it is bounded by the number of secrets; one write takes a bounded batch. */
export function openLastUsed(
  store: Pick<CallerStore, 'setLastUsed'>,
  later: (work: () => void) => void,
): LastUsed {
  const waiting = new Map<SecretRecord, KeyRecord>()
  let isScheduled = false

  const writeBatch = (): void => {
    const batch = [...waiting].slice(0, LIMITS.lastUsedBatch)
    const days = batch.flatMap(([{ number, lastUsedDay }, { kid }]) =>
      lastUsedDay === undefined ? [] : [[kid, number, lastUsedDay] as const],
    )
    store.setLastUsed(days)
    for (const [secret] of batch) waiting.delete(secret)
  }
  const schedule = (): void => {
    isScheduled = true
    later(writeSoon)
  }
  const writeSoon = (): void => {
    isScheduled = false
    try {
      if (waiting.size > 0) writeBatch()
      if (waiting.size > 0) schedule()
    } catch {
      // A full disk must not stop requests for the sake of a date: it stays queued and goes with the next use.
    }
  }
  return {
    note: (record, secret, day) => {
      if (secret.lastUsedDay === day) return
      secret.lastUsedDay = day
      waiting.set(secret, record)
      if (!isScheduled) schedule()
    },
    flush: () => {
      while (waiting.size > 0) writeBatch()
    },
  }
}
