import type { Millis } from '#base/clock.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { ReadEntry } from '#trust/ledger/read.ts'

export const SPEND_COLUMNS = ['space', 'model', 'caller', 'key', 'day'] as const

export type SpendColumn = (typeof SPEND_COLUMNS)[number]

/** Sums of requests to models. Money in nano-dollars. */
export interface Spent {
  requests: number
  tokensIn: number
  tokensOut: number
  cost: bigint
  /** Of the cost, what nobody told: the reservation stands for it. */
  unknown: bigint
  /** Requests whose cost is not known at all, because the model had no price. */
  unpriced: number
}

export interface SpendRow extends Spent {
  /** By the columns that were asked for, in their order. */
  readonly of: readonly string[]
}

export interface SpendParts {
  /** Requests that began at this time or later, and before the other. */
  readonly from: Millis
  readonly to: Millis
  readonly by: readonly SpendColumn[]
  /** What stands in leaves for a caller, as `printRef` prints it. Without it pseudonyms stay as they are. */
  readonly pseudonymOf: ((caller: string) => string) | undefined
}

interface Begun {
  readonly of: readonly string[]
  readonly model: string
  readonly reserved: number | undefined
}

/**
 * What was spent, from entries in the order of the ledger and nothing else. The cost is what stands in the outcome, at the price
 * of that time. A request without an outcome is under way, or was lost in a crash: what it reserved counts.
 */
export class SpendBook {
  readonly #parts: SpendParts
  readonly #rows = new Map<string, SpendRow>()
  /** Requests without an outcome so far, by id. */
  readonly #begun = new Map<string, Begun>()
  /** Names of callers that changes of the ledger speak of, by what stands in leaves for them. */
  readonly #callers = new Map<string, string>()

  constructor(parts: SpendParts) {
    this.#parts = parts
  }

  add({ leaf, opened }: ReadEntry): void {
    const { kind } = leaf
    const value = (name: string): JsonValue | undefined => opened?.[name]?.value
    if (kind === 'intent') this.#begin(leaf, textOf(value('space')))
    else if (kind === 'outcome') this.#end(leaf)
    else if (kind === 'change') this.#learn(value('name'))
  }

  /** In the order of the columns. The book is closed: nothing may be added after it. */
  rows(): readonly SpendRow[] {
    for (const { of, reserved } of this.#begun.values())
      this.#count(of, { tokensIn: 0, tokensOut: 0, cost: reserved, isUnknown: true })
    this.#begun.clear()
    const rows = [...this.#rows.values()].map((row) => ({ ...row, of: this.#named(row.of) }))
    return rows.sort((left, right) => compare(left.of, right.of))
  }

  #begin(leaf: JsonObject, space: string): void {
    const at = Number(leaf['at'])
    const model = modelOf(leaf['resource'])
    if (leaf['action'] !== 'model:infer' || model === undefined) return
    if (!(at >= this.#parts.from && at < this.#parts.to)) return
    const columns: Readonly<Record<SpendColumn, string>> = {
      space,
      model,
      caller: textOf(leaf['caller']),
      key: textOf(leaf['kid']),
      day: new Date(at).toISOString().slice(0, 10),
    }
    const reserved = numberOf(leaf['cost_reserved'])
    this.#begun.set(textOf(leaf['id']), { of: this.#parts.by.map((name) => columns[name]), model, reserved })
  }

  #end(leaf: JsonObject): void {
    const id = textOf(leaf['id'])
    const begun = this.#begun.get(id)
    if (begun === undefined) return
    this.#begun.delete(id)
    const { of, reserved } = begun
    // The member of a pool that answered.
    const answered = textOf(leaf['model'])
    const place = this.#parts.by.indexOf('model')
    const { settled } = leaf
    this.#count(answered === '' || place < 0 ? of : of.with(place, answered), {
      tokensIn: numberOf(leaf['tokens_in']) ?? 0,
      tokensOut: numberOf(leaf['tokens_out']) ?? 0,
      cost: settled === undefined ? reserved : numberOf(leaf['cost']),
      isUnknown: settled !== 'usage' && settled !== 'none',
    })
  }

  /** The name of a caller, as `key:create` and the like have it. */
  #learn(name: JsonValue | undefined): void {
    const { pseudonymOf } = this.#parts
    if (pseudonymOf === undefined || typeof name !== 'string') return
    for (const type of ['Service', 'User'])
      this.#callers.set(pseudonymOf(`${type}::${JSON.stringify(name)}`), name)
  }

  #count(
    of: readonly string[],
    one: { tokensIn: number; tokensOut: number; cost: number | undefined; isUnknown: boolean },
  ): void {
    const key = JSON.stringify(of)
    const row = this.#rows.get(key) ?? { of, ...nothing() }
    this.#rows.set(key, row)
    row.requests += 1
    row.tokensIn += one.tokensIn
    row.tokensOut += one.tokensOut
    if (one.cost === undefined) row.unpriced += 1
    else row.cost += BigInt(one.cost)
    if (one.isUnknown) row.unknown += BigInt(one.cost ?? 0)
  }

  #named(of: readonly string[]): readonly string[] {
    const place = this.#parts.by.indexOf('caller')
    return place < 0 ? of : of.with(place, this.#callers.get(of[place] ?? '') ?? of[place] ?? '')
  }
}

/** Of all rows together. */
export function totalOf(rows: readonly Spent[]): Spent {
  const total = nothing()
  for (const row of rows) {
    total.requests += row.requests
    total.tokensIn += row.tokensIn
    total.tokensOut += row.tokensOut
    total.cost += row.cost
    total.unknown += row.unknown
    total.unpriced += row.unpriced
  }
  return total
}

function nothing(): Spent {
  return { requests: 0, tokensIn: 0, tokensOut: 0, cost: 0n, unknown: 0n, unpriced: 0 }
}

/** The name in `Model::"name"`. */
function modelOf(resource: JsonValue | undefined): string | undefined {
  const quoted = typeof resource === 'string' ? /^Model::(".*")$/s.exec(resource)?.[1] : undefined
  return quoted === undefined ? undefined : textOf(JSON.parse(quoted))
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function numberOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) ? value : undefined
}

function compare(left: readonly string[], right: readonly string[]): number {
  for (const [at, text] of left.entries()) {
    const other = right[at] ?? ''
    if (text !== other) return text < other ? -1 : 1
  }
  return 0
}
