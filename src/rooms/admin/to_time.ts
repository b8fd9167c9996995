import type { Millis } from '#base/clock.ts'

/** RFC 3339 in UTC, to the second. */
export function toTime(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`
}
