const ROUNDS = 5
const YARDSTICK = 'Reads me. '.repeat(400_000)
/** What `yardstick` takes on two quiet cores of 2026. */
const YARDSTICK_MS = 6

/**
 * True when one of a few rounds takes less than `ms` milliseconds of this thread's own time. A round that takes longer is
 * forgiven as much as a loop over a text is slowed down right after it: by other work, or by counting what is covered.
 */
export function isQuick(ms: number, run: () => unknown): boolean {
  for (let round = 0; round < ROUNDS; round++) {
    const taken = threadMs(run)
    if (taken < ms || taken < (ms * threadMs(yardstick)) / YARDSTICK_MS) return true
  }
  return false
}

function threadMs(run: () => unknown): number {
  const before = process.threadCpuUsage()
  run()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1_000
}

function yardstick(): number {
  let sum = 0
  for (let at = 0; at < YARDSTICK.length; at++) sum += codeAt(YARDSTICK, at) & 1
  return sum
}

function codeAt(text: string, at: number): number {
  return text.charCodeAt(at)
}
