const ROUNDS = 3
const SMALL = 20_000
const TIMES = 8
/** Four times what a linear run needs, and half of what a quadratic one takes. */
const MOST = 4 * TIMES
/** Shorter runs say more about the machine. */
const LEAST_MS = 2

/** True when eight times the text takes clearly less than the 64 times as long that a quadratic run would; measured in this thread's own time. */
export function growsLinearly(part: string, run: (text: string) => unknown): boolean {
  const small = part.repeat(Math.ceil(SMALL / part.length))
  const large = part.repeat(Math.ceil((SMALL * TIMES) / part.length))
  return (
    fastest(() => run(large)) <=
    MOST *
      Math.max(
        LEAST_MS,
        fastest(() => run(small)),
      )
  )
}

function fastest(run: () => unknown): number {
  let least = Infinity
  for (let round = 0; round < ROUNDS; round++) {
    const before = process.threadCpuUsage()
    run()
    const { user, system } = process.threadCpuUsage(before)
    least = Math.min(least, (user + system) / 1_000)
  }
  return least
}
