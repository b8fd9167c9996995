import { fromBase64, toBase64 } from '#base/bytes.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Head } from './checkpoint.ts'

/** What the first entry of a log is called that follows another one, or a lost one. */
const SUCCEEDED = 'ledger.succeeded'
/** Why a log was started that follows another: an operator said that what is lost is lost. */
const ACCEPTED = 'loss.accepted'
/** The home was put back from a copy, and what followed in the log that it ends with is known elsewhere, if at all. */
export const RESTORED = 'home.restored'

/** What the first entry of a log says that follows another. */
export interface Succession {
  /** The state of the older log that was found; undefined when none was there. */
  readonly before: Head | undefined
  /** Heads that were known from elsewhere and could not be reached. */
  readonly after: readonly Head[]
  /** True when an operator accepted this loss and all before it. */
  readonly isAccepted: boolean
  /** True when the home was restored from a copy that ends here; what is lost need not be known then. */
  readonly isRestored?: boolean
}

export function successionFields({
  before,
  after,
  isAccepted,
  isRestored = false,
}: Succession): Record<string, JsonValue> {
  return {
    what: SUCCEEDED,
    before: before === undefined ? null : headToJson(before),
    after: after.map(headToJson),
    ...(isRestored && { reason: RESTORED }),
    ...(isAccepted && { reason: ACCEPTED }),
  }
}

/** Reads the first entry of a log; undefined when it is not one that follows another. */
export function successionOf(opening: JsonObject): Succession | undefined {
  if (opening['what'] !== SUCCEEDED) return undefined
  const { before, after, reason } = opening
  const heads = Array.isArray(after) ? after.map(headFromJson).filter((head) => head !== undefined) : []
  return {
    before: headFromJson(before),
    after: heads,
    isAccepted: reason === ACCEPTED,
    isRestored: reason === RESTORED,
  }
}

/** How many entries the unreached heads cover beyond the state that was found. */
export function lostEntries({ before, after }: Succession): number {
  const beyond = after.map((head) => head.size - (head.origin === before?.origin ? before.size : 0))
  return Math.max(0, ...beyond)
}

export function headToJson(head: Head): JsonObject {
  return { origin: head.origin, size: head.size, root: toBase64(head.root) }
}

export function headFromJson(value: JsonValue | undefined): Head | undefined {
  if (!isJsonObject(value)) return undefined
  const { origin, size, root } = value
  const hash = typeof root === 'string' ? fromBase64(root) : undefined
  return typeof origin === 'string' && typeof size === 'number' && hash !== undefined
    ? { origin, size, root: hash }
    : undefined
}
