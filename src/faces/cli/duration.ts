import type { Millis } from '#base/clock.ts'
import { wrongUsage } from './usage.ts'

const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Reads a length of time as a person types it, as in `30d`, `12h` or `45m`. Throws `usage.wrong`. */
export function parseDuration(text: string, option: string): Millis {
  const match = /^([1-9][0-9]{0,5})([smhd])$/.exec(text)
  const unit = UNITS[match?.[2] ?? '']
  if (match === null || unit === undefined)
    throw wrongUsage(`--${option} takes a number and s, m, h or d, as in 30d.`)
  return Number(match[1]) * unit
}

/** UTC time as people read it, to the second. */
export function printTime(at: Millis): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')}Z`
}
