import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Amount } from './account.ts'
import type { Limiter } from './limiter.ts'
import { momentAt, type Moment } from './moment.ts'

interface Reserved {
  readonly moment: Moment
  readonly counters: readonly string[]
  readonly amount: Amount
}

/**
 * Counts again what entries of the ledger say was reserved and settled, oldest first. What was never settled stays counted in
 * full: a crash frees nothing.
 */
export class Replay {
  readonly #limiter: Limiter
  readonly #open = new Map<string, Reserved>()
  readonly #over = new Set<string>()

  constructor(limiter: Limiter) {
    this.#limiter = limiter
  }

  /** Of a snapshot: counted there already. */
  isOpen({ id, at, counters, tokens, nano }: JsonObject): void {
    const reserved = reservedOf(at, counters, tokens, nano)
    if (typeof id === 'string' && reserved !== undefined) this.#open.set(id, reserved)
  }

  /** Of a snapshot: reserved and settled there already. */
  isOver(id: string): void {
    this.#over.add(id)
  }

  /** The fields of an intent, the sensitive ones too. */
  intent(id: string, fields: JsonObject): void {
    if (this.#open.has(id) || this.#over.has(id)) return
    const { reserved_at: at, counters, tokens_reserved: tokens, cost_reserved: cost } = fields
    const reserved = reservedOf(at, counters, tokens, cost)
    if (reserved === undefined) return
    this.#open.set(id, reserved)
    this.#limiter.time.notBefore(reserved.moment.at)
    this.#add(reserved, reserved.counters, reserved.amount)
  }

  /** The fields of an outcome. */
  outcome(id: string, fields: JsonObject): void {
    const reserved = this.#open.get(id)
    const { tokens_charged: charged, cost, uncounted } = fields
    if (reserved === undefined || typeof charged !== 'number') return
    this.#open.delete(id)
    // Nobody knows what was taken: all that is reserved by now counts, for tries too that the intent does not speak of.
    if (fields['status'] === 'unknown') return
    const settled = { requests: 1, tokens: charged, nano: typeof cost === 'number' ? cost : 0 }
    const { requests, tokens, nano } = reserved.amount
    const difference = {
      requests: settled.requests - requests,
      tokens: settled.tokens - tokens,
      nano: settled.nano - nano,
    }
    this.#add(reserved, reserved.counters, difference)
    this.#add(reserved, textsOf(uncounted), { requests: -1, tokens: -settled.tokens, nano: -settled.nano })
  }

  #add({ moment }: Reserved, counters: readonly string[], amount: Amount): void {
    for (const name of counters) this.#limiter.account(name).add(moment, amount)
  }
}

function reservedOf(
  at: JsonValue | undefined,
  counters: JsonValue | undefined,
  tokens: JsonValue | undefined,
  nano: JsonValue | undefined,
): Reserved | undefined {
  if (typeof at !== 'number') return undefined
  return {
    moment: momentAt(at),
    counters: textsOf(counters),
    amount: {
      requests: 1,
      tokens: typeof tokens === 'number' ? tokens : 0,
      nano: typeof nano === 'number' ? nano : 0,
    },
  }
}

function textsOf(value: JsonValue | undefined): readonly string[] {
  return value !== undefined && isJsonArray(value) ? value.filter((each) => typeof each === 'string') : []
}
