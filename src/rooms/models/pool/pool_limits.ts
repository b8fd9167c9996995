/** Limits of pools that are not in the configuration, with their reasons. */
export const POOL_LIMITS = {
  /** Fewer calls than this in the window say nothing about a rate of failures. */
  leastCalls: 10,
  /** Slots that the window of a breaker slides by. */
  windowSlots: 10,
  /** Calls that a half-open breaker lets through at once: enough to learn whether the member is back. */
  trials: 1,
  /** Each trial that fails makes the next wait twice as long, up to so many times the first. */
  longestOpen: 16,
  /** Retries that a hundred requests earn: providers that fail are asked a tenth more often, and no storm is made of it. */
  retriesPerHundred: 10,
  /** Retries that a pool may make on top of those, for times of few requests; also what it saves up at most. */
  retryReserve: 10,
  /** The wait before the same member is asked again: at most this the first time, and twice as much each further time. */
  backoffMs: 100,
  longestBackoffMs: 2_000,
  /** How long a member that limits us is left alone when it does not say, and at most. */
  cooldownMs: 5_000,
  longestCooldownMs: 300_000,
  /** A time of an answer counts for this long, about: how fast the choice by latency forgets. */
  latencyMemoryMs: 10_000,
  /** A call that fails counts as one that took this long, so that failing fast does not look like answering fast. */
  failureLatencyMs: 10_000,
  /** What a call under way counts for while nothing is known of a member. */
  unknownLatencyMs: 1_000,
  /** How often it is asked again whether a stream may go by way of its member. */
  recheckMs: 2_000,
  /** Time and bytes of the answer to a probe. */
  probeTimeoutMs: 5_000,
  probeBytes: 65_536,
} as const
