/** Every limit that is not in the configuration, with its unit in the name and its reason beside it. */

const KIB = 1_024
const MIB = 1_024 * KIB

export const LIMITS = {
  /** Deeper JSON is refused: no client of ours nests beyond a few dozen levels, and recursion stays far from the stack's end. */
  jsonDepth: 64,
  /** Members of all objects and elements of all arrays in one body; bounds memory at about 100 bytes each. */
  jsonNodes: 500_000,
  /** Request line and headers together; Node's own default, stated. */
  headerBytes: 16 * KIB,
  /** A request target; long enough for any route of ours with a query. */
  targetBytes: 2 * KIB,
  /** Time for the headers of one request to arrive. */
  headersTimeoutMs: 10_000,
  /** Time for a whole request to arrive: a 10 MiB body at 1 Mbit/s takes 84 s. */
  requestTimeoutMs: 90_000,
  /** An idle connection is closed after this; longer than the usual client pools keep theirs. */
  keepAliveMs: 65_000,
  /** Connections one listener holds. */
  connections: 10_000,
  /** Bytes of a leaf (c2sp.org/tlog-tiles stores lengths in 16 bits; a margin is left). */
  leafBytes: 60_000,
  /** A field value kept in the ledger is cut to this, with its full length beside it. */
  fieldCharacters: 1_024,
  /** Bytes of entries waiting to be written; beyond it requests are refused, never queued. */
  ledgerQueueBytes: 8 * MIB,
  /** Part of that queue which only admin and key acts may use. */
  ledgerReservedQueueBytes: 1 * MIB,
  /** Requests in flight that only admin and key acts may use, on top of the configured limit. */
  reservedInFlight: 16,
  /** A time the drain of a stopping door may take. */
  drainMs: 10_000,
} as const

export const BYTES = { kib: KIB, mib: MIB } as const
