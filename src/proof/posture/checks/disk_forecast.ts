import { fail, ok, unknown, warn, type Check } from '../check.ts'

const MIB = 1_024 * 1_024
/** Below this the next segment may not fit. */
const LEAST_FREE_BYTES = 256 * MIB
const WARN_DAYS = 30
const FAIL_DAYS = 3
const DAY_MS = 86_400_000
/** A shorter history says nothing of growth. */
const LEAST_HISTORY_DAYS = 1 / 24

export const diskForecast: Check = {
  id: 'disk-forecast',
  title: 'Space left',
  why: 'A full disk closes the door; the days left say when.',
  run: ({ disk, ledger }) => {
    if (disk === undefined)
      return unknown('the free space could not be read', 'Run doctor on the machine of the door')
    const free = `${Math.floor(disk.freeBytes / MIB)} MiB free`
    if (disk.freeBytes < LEAST_FREE_BYTES) return fail(free, 'Free space, or move the home to a larger disk')
    const days = disk.daysLeft ?? daysLeft(disk, ledger)
    if (days === undefined) return ok(`${free}; too little history for a forecast`)
    const says = `${free}: about ${Math.floor(days)} days at the present rate`
    if (days < FAIL_DAYS) return fail(says, 'Free space now, or move the home to a larger disk')
    if (days < WARN_DAYS) return warn(says, 'Plan for more space')
    return ok(days > 3_650 ? `${free}: more than ten years at the present rate` : says)
  },
}

function daysLeft(
  disk: { readonly freeBytes: number; readonly ledgerBytes: number },
  ledger: { readonly firstAt: number | undefined; readonly lastAt: number | undefined } | undefined,
): number | undefined {
  if (ledger?.firstAt === undefined || ledger.lastAt === undefined) return undefined
  const days = (ledger.lastAt - ledger.firstAt) / DAY_MS
  if (days < LEAST_HISTORY_DAYS || disk.ledgerBytes <= 0) return undefined
  return (disk.freeBytes - LEAST_FREE_BYTES) / (disk.ledgerBytes / days)
}
