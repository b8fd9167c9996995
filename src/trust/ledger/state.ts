import type { Millis } from '#base/clock.ts'
import type { Anchor } from './anchor_copier.ts'
import type { SegmentMark } from './load.ts'

/** What a ledger knows of itself, for `doctor` and metrics. Sizes in bytes. */
export interface LedgerState {
  readonly writable: { readonly kind: 'yes' } | { readonly kind: 'no'; readonly reason: string }
  readonly origin: string
  /** Entries on disk in the current log. */
  readonly entries: number
  /** Entries that the newest checkpoint does not cover. */
  readonly unsigned: number
  /** Entries since the newest checkpoint that is also outside the ledger folder; all of them when none is. */
  readonly unanchored: number
  readonly anchors: readonly Anchor[]
  /** Bytes of the ledger folder, without the reserve. */
  readonly bytes: number
  /** Bytes that one entry took lately: of the newest sealed segment, before the first one of the active segment. */
  readonly bytesPerEntry: number | undefined
  /** Bytes free on the disk when last measured. */
  readonly freeBytes: number | undefined
  readonly oldestAt: Millis | undefined
  /** Days until the space is used up, at the rate of the last days; undefined while there is no rate yet. */
  readonly daysLeft: number | undefined
  /** What does not stop the ledger but needs an operator: checkpoints, anchors, sealing. */
  readonly problems: readonly string[]
}

export const DAY_MS = 86_400_000
/** The rate is that of the last week, so that a quiet weekend counts as much as a busy day. */
const RATE_WINDOW_MS = 7 * DAY_MS
/** A rate over less says nothing yet. */
const SHORTEST_RATE_MS = 60_000

/** What one entry takes on disk. */
export function bytesPerEntry(marks: readonly SegmentMark[]): number | undefined {
  const sealed = marks.findLast((mark) => mark.kind === 'sealed' && mark.count > 0)
  const mark = sealed ?? marks.findLast((each) => each.count > 0)
  return mark === undefined ? undefined : mark.bytes / mark.count
}

/** Days until `leftBytes` are used up at the rate of the last week; undefined while no rate is known. */
export function daysLeft(
  marks: readonly SegmentMark[],
  now: Millis,
  entries: number,
  leftBytes: number | undefined,
): number | undefined {
  const perEntry = bytesPerEntry(marks)
  const timed = marks.filter((mark) => mark.at !== undefined)
  const since = timed.findLast((mark) => (mark.at ?? now) <= now - RATE_WINDOW_MS) ?? timed[0]
  const passed = now - (since?.at ?? now)
  if (since === undefined || perEntry === undefined || leftBytes === undefined || passed < SHORTEST_RATE_MS)
    return undefined
  const perDay = ((entries - since.first) * perEntry * DAY_MS) / passed
  return perDay > 0 ? leftBytes / perDay : undefined
}
