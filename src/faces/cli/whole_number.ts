import { wrongUsage } from './usage.ts'

/** Reads a whole number from 0 to `most`. Throws `usage.wrong`. */
export function parseWholeNumber(text: string, option: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = Number(text)
  if (/^[0-9]{1,15}$/.test(text) && value <= most) return value
  throw wrongUsage(
    `--${option} takes a whole number${most < Number.MAX_SAFE_INTEGER ? `, at most ${most}` : ''}.`,
  )
}
