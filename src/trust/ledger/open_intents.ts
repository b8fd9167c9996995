import type { Millis } from '#base/clock.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { EntryDraft } from '#base/recorder.ts'

/** What is kept of an intent until its outcome is on disk: public fields only. */
export interface OpenIntent {
  readonly id: string
  readonly fields: Readonly<Record<string, JsonValue>>
}

/**
 * The intents on disk whose outcomes are not: those that this process wrote, in two generations, and those that are left
 * of processes before it. It reads no clock: setting the clock must not give up a request that is under way.
 */
export class OpenIntents {
  #left = new Map<string, OpenIntent>()
  #old = new Map<string, OpenIntent>()
  #young = new Map<string, OpenIntent>()

  /** Takes an entry that has just become durable; pass it as `LedgerOptions.onRecorded`. */
  recorded(draft: EntryDraft): void {
    const { kind, id } = draft
    // The draft itself: to copy a few fields of every request would cost more than to hold all of those under way.
    if (kind === 'intent') this.#young.set(id, draft)
    else if (kind === 'outcome' && !this.#young.delete(id) && !this.#old.delete(id)) this.#left.delete(id)
  }

  get count(): number {
    return this.#left.size + this.#old.size + this.#young.size
  }

  /** Puts in what is left of earlier processes. */
  leave(intents: Iterable<OpenIntent>): void {
    for (const intent of intents) this.#left.set(intent.id, intent)
  }

  /** What is left of earlier processes: they can have no other outcome any more. */
  get left(): readonly OpenIntent[] {
    return [...this.#left.values()]
  }

  /** Those that were on disk when this was asked for the last time. From now on the rest are old, too. */
  takeOld(): readonly OpenIntent[] {
    this.leave(this.#old.values())
    this.#old = this.#young
    this.#young = new Map()
    return this.left
  }

  /** All of them, as `readIntents` takes them. */
  print(): readonly JsonObject[] {
    return [this.#left, this.#old, this.#young].flatMap((open) =>
      [...open.values()].map(({ id, fields }) => ({ id, fields: keptOf(fields) })),
    )
  }
}

/** Reads what `print` gave; undefined for anything else. */
export function readIntents(value: JsonValue | undefined): readonly OpenIntent[] | undefined {
  if (value === undefined || !isJsonArray(value)) return undefined
  const intents = value.map((each) => {
    const { id, fields }: JsonObject = isJsonObject(each) ? each : {}
    return typeof id === 'string' && isJsonObject(fields) ? { id, fields } : undefined
  })
  return intents.every((each) => each !== undefined) ? intents : undefined
}

/** Of the fields of an intent, those that its outcome needs. */
export function keptOf(fields: OpenIntent['fields']): JsonObject {
  return Object.fromEntries(
    KEPT.flatMap((name) => {
      const value = fields[name]
      return value === undefined ? [] : [[name, value]]
    }),
  )
}

const KEPT = ['route', 'resource', 'reserved_at', 'tokens_reserved', 'cost_reserved'] as const

/**
 * The outcome of an intent whose outcome nobody knows. What was reserved is what counts, as limits have it that find no
 * outcome at all.
 */
export function unknownOutcome({ id, fields }: OpenIntent, at: Millis): EntryDraft {
  const { route, resource, reserved_at: reservedAt, tokens_reserved: tokens, cost_reserved: cost } = fields
  const outcome: Record<string, JsonValue> = { status: 'unknown', code: 'outcome.unknown' }
  if (reservedAt !== undefined || cost !== undefined) outcome['settled'] = 'unknown'
  if (reservedAt !== undefined) outcome['tokens_charged'] = typeof tokens === 'number' ? tokens : 0
  if (typeof cost === 'number') outcome['cost'] = cost
  const [, model = ''] = /^Model::"(.*)"$/s.exec(textOf(resource)) ?? []
  return {
    kind: 'outcome',
    id,
    at,
    fields: outcome,
    reserved: true,
    countedAs: { route: textOf(route), model },
  }
}

function textOf(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : ''
}
