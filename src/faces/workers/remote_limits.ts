import type { JsonValue } from '#base/json.ts'
import { Account } from '#door/limits/account.ts'
import { ceilingsOf } from '#door/limits/ceilings.ts'
import { Charge, type ChargeEnd, type Reservation } from '#door/limits/charge.ts'
import type { Asked, Limits } from '#door/limits/limiter.ts'
import type { LimitedCaller } from '#door/limits/budgets.ts'
import type { Demand } from '#door/route.ts'
import type { SentCharge } from './messages.ts'
import type { WorkerLink } from './remote_recorder.ts'

export interface RemoteLimitsParts {
  readonly link: Pick<WorkerLink, 'ask' | 'tell'>
  /** Whether the configuration has a price of this model, now or later. */
  readonly hasPrice: (model: string) => boolean
}

/**
 * The limits as a worker has them. They are counted in the writer, so that requests of all workers race for the same
 * counters, and one turn there decides. That nothing limits a caller with a model is remembered with the caller: who is
 * proven after a limit was set is another object.
 */
export class RemoteLimits implements Limits {
  readonly #parts: RemoteLimitsParts
  readonly #unlimited = new WeakMap<LimitedCaller, Set<string>>()

  constructor(parts: RemoteLimitsParts) {
    this.#parts = parts
  }

  reserve(asked: Asked): Promise<Reservation | undefined> | undefined {
    const { caller, target } = asked
    if (!target.known || this.#unlimited.get(caller)?.has(target.ref.id) === true) return undefined
    return this.#ask(asked)
  }

  async #ask({ id, caller, target, demand }: Asked): Promise<Reservation | undefined> {
    const { link, hasPrice } = this.#parts
    const { ref, entities, space, limitedBy = [] } = caller
    const model = target.ref.id
    const members = target.via?.map((one) => one.ref.id)
    const sent = {
      id,
      caller: { ref, entities, space, limitedBy },
      model,
      members,
      demand: sendDemand(demand()),
    }
    const told = await link.ask('reserve', sent)
    if (told !== null) return new RemoteReservation(link, id, localCharge(id, told))
    // A price may begin to hold later.
    if (!(members ?? [model]).some(hasPrice)) this.#remember(caller, model)
    return undefined
  }

  #remember(caller: LimitedCaller, model: string): void {
    const models = this.#unlimited.get(caller) ?? new Set()
    this.#unlimited.set(caller, models.add(model))
  }
}

/** JSON has no number beyond all others, and no limit is as great as this one: what a caller asks for is still too much. */
function sendDemand({ tokensIn, tokensOut, ...words }: Demand): Demand {
  return { ...words, tokensIn: sendNumber(tokensIn), tokensOut: sendNumber(tokensOut) }
}

function sendNumber(tokens: number | undefined): number | undefined {
  return tokens === undefined ? undefined : Math.min(tokens, Number.MAX_SAFE_INTEGER)
}

/** What the writer has reserved. The fields of the entries are worked out here; what counts is counted there. */
class RemoteReservation implements Reservation {
  readonly #link: RemoteLimitsParts['link']
  readonly #id: string
  readonly #charge: Charge

  constructor(link: RemoteLimitsParts['link'], id: string, charge: Charge) {
    this.#link = link
    this.#id = id
    this.#charge = charge
  }

  get isRecorded(): boolean {
    return this.#charge.isRecorded
  }

  async again(): Promise<boolean> {
    return (await this.#link.ask('reserveAgain', this.#id)) && this.#charge.again()
  }

  record(): void {
    this.#charge.record()
  }

  intentFields(): Record<string, JsonValue> {
    return this.#charge.intentFields()
  }

  release(): void {
    this.#charge.release()
    this.#link.tell('release', this.#id)
  }

  settle(end: ChargeEnd): Record<string, JsonValue> {
    // Before the outcome, which follows on the same way.
    this.#link.tell('settle', { id: this.#id, end })
    return this.#charge.settle(end)
  }
}

const NOTHING_LIMITED = ceilingsOf({})

/** The same charge on accounts that nobody looks at. */
function localCharge(id: string, { accounts, prices, ...same }: SentCharge): Charge {
  const { tokensIn, tokensOut, cost } = same
  return new Charge({
    ...same,
    id,
    tokensIn,
    tokensOut,
    cost,
    accounts: accounts.map(({ name, members }) => ({
      account: new Account(name),
      ceilings: NOTHING_LIMITED,
      subject: 'everybody',
      members: members && new Set(members),
    })),
    prices: new Map(prices),
    fits: () => true,
    onOver: () => undefined,
  })
}
