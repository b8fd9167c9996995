/** Above this share of its time the event loop has no quiet moment. */
const BUSY_SHARE = 0.7
/** A shorter time says too little. */
const LEAST_MS = 50

/**
 * Tells whether this process has more to do than it can: whether the event loop was at work for most of the time since it
 * was asked last. For work that can wait.
 */
export function loopLoad(): () => boolean {
  let before = performance.eventLoopUtilization()
  let isBusy = false
  return () => {
    const { active, idle, utilization } = performance.eventLoopUtilization(before)
    if (active + idle < LEAST_MS) return isBusy
    before = performance.eventLoopUtilization()
    isBusy = utilization > BUSY_SHARE
    return isBusy
  }
}
