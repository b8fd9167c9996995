const ROUNDS = 5

/** True when one of a few rounds takes less than `ms` milliseconds: slower ones were disturbed by other work. */
export function isQuick(ms: number, run: () => unknown): boolean {
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now()
    run()
    if (performance.now() - started < ms) return true
  }
  return false
}
