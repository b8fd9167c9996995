import path from 'node:path'
import { setImmediate as nextTurn, setInterval } from 'node:timers'
import { utf8 } from '#base/bytes.ts'
import type { Clock, Millis } from '#base/clock.ts'
import { deriveKey, seal, unseal } from '#base/crypto.ts'
import { NODE_FILES, writeAtomic } from '#base/files.ts'
import type { EntityRef } from '#base/decider.ts'
import { newEntryId } from '#base/ids.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { toNanoDollars } from '#base/nano_dollars.ts'
import { readPlainFile } from '#base/plain_file.ts'
import { SUBJECT_KINDS, type BudgetTerms } from '#door/limits/budgets.ts'
import { ceilingsOf, lowest, type Ceilings } from '#door/limits/ceilings.ts'
import { Limiter } from '#door/limits/limiter.ts'
import { momentAt, monthStart } from '#door/limits/moment.ts'
import { PriceTable, type DatedPrice } from '#door/limits/prices.ts'
import { Replay } from '#door/limits/replay.ts'
import { restore, takeSnapshot } from '#door/limits/snapshot.ts'
import { limitUses } from '#door/limits/view.ts'
import type { LimitListAnswer } from '#rooms/admin/answers.ts'
import type { LimitedRef } from '#trust/access/directory.ts'
import { toLimitTerms, type LimitTerms } from '#trust/access/limit_terms.ts'
import { entriesSince } from '#trust/ledger/entries_since.ts'
import type { Config } from './config.ts'
import type { OpenHome } from './main_home.ts'

/** A start replays at most what was recorded in so long, if the door did not come to its own end. */
const SNAPSHOT_MS = 30_000
const SEALED_FOR = 'gatehouse counters of limits v1'
/** Of one version of the form of the file; another one is left aside, and the ledger read. */
const FORM = 1

type LimitsHome = Pick<OpenHome, 'callers' | 'config' | 'directory' | 'keys' | 'ledger' | 'metrics'>

export interface OpenLimits {
  readonly limiter: Limiter
  /** Where limits stand now. */
  readonly read: () => LimitListAnswer
  /** Writes the counters. Every request must have ended. */
  close(): Promise<void>
}

/** The limits of the configuration with counters as the ledger has them. Throws `ledger.corrupt`. */
export async function openLimits(home: LimitsHome, clock: Clock): Promise<OpenLimits> {
  const refusals = home.metrics.counter({
    name: 'gatehouse_limit_refusals_total',
    help: 'Requests that a limit refused, by the kind of limit; "unbounded" and "unpriced" are those that cannot be limited.',
    labels: ['limit'],
  })
  const limiter = new Limiter({
    clock,
    budgets: home.config.limits.budgets.map(budgetOf),
    prices: priceTable(home.config.prices),
    setOn: (of) => setOn(home.callers, of),
    onRefusal: (reason) => refusals.series(reason).add(),
  })
  const file = new CounterFile(home, limiter, clock)
  await file.load()
  limiter.openShared()
  const timer = setInterval(() => void file.save().catch(() => undefined), SNAPSHOT_MS)
  timer.unref()
  return {
    limiter,
    read: () => {
      const { total, uses } = limitUses(limiter, (name) => ceilingsIn(home, limiter, name))
      return { total, limits: uses.map((use) => ({ ...use })) }
    },
    close: async () => {
      clearInterval(timer)
      await file.save().catch(() => undefined)
    },
  }
}

/** Those of the configuration, of a key those that it was made with, and of all else those that were set on it. */
function ceilingsIn({ callers }: LimitsHome, limiter: Limiter, name: string): Ceilings | undefined {
  const configured = limiter.ceilingsOf(name)
  const [, kind = '', id = ''] = /^(\w+):(\S+)$/.exec(name) ?? []
  const terms = kind === 'key' ? termsOf(callers, id) : setOn(callers, refOf(callers, kind, id))
  if (terms === undefined) return configured
  return configured === undefined ? ceilingsOf(terms) : lowest(configured, ceilingsOf(terms))
}

/** What has this name in the accounts of limits. */
function refOf({ directory }: LimitsHome['callers'], kind: string, id: string): EntityRef {
  const type = kind === 'caller' ? directory.find(id)?.kind : TYPES[kind]
  return { type: type ?? '', id }
}

const TYPES: Readonly<Record<string, LimitedRef['type']>> = {
  group: 'Group',
  space: 'Space',
  tenant: 'Tenant',
}
const LIMITED: readonly LimitedRef['type'][] = ['User', 'Service', ...Object.values(TYPES)]

/** Throws `input.invalid` for limits that are damaged: then nobody passes them. */
function setOn({ directory }: LimitsHome['callers'], of: EntityRef): LimitTerms | undefined {
  const type = LIMITED.find((each) => each === of.type)
  return type === undefined ? undefined : toLimitTerms(directory.limitsOf({ type, id: of.id }))
}

function termsOf(callers: LimitsHome['callers'], kid: string): LimitTerms | undefined {
  try {
    return toLimitTerms(callers.findKey(kid).limits ?? undefined)
  } catch {
    // A key of another home, or of none.
    return undefined
  }
}

type ConfigBudget = Config['limits']['budgets'][number]

function budgetOf({ who, each, model, ...terms }: ConfigBudget): BudgetTerms {
  const kind = SUBJECT_KINDS.find((one) => who?.[one] !== undefined)
  return { who: kind && { kind, name: who?.[kind] ?? '' }, each, model, terms }
}

/** Throws nothing: the configuration has only prices that can be counted. */
export function priceTable(prices: Config['prices']): PriceTable {
  const nano = (dollars: number): number => toNanoDollars(dollars) ?? 0
  const dated = Object.entries(prices).map(([model, list]): readonly [string, readonly DatedPrice[]] => [
    model,
    list.map(({ from, input, output, cached_input: cached, cache_write: written }) => ({
      from: Date.parse(from),
      input: nano(input),
      output: nano(output),
      cachedInput: nano(cached ?? input),
      cacheWrite: nano(written ?? input),
    })),
  ])
  return new PriceTable(new Map(dated))
}

/** `HOME/counters`: what a start need not read of the ledger again. Who may read it could read the ledger, and nobody else. */
class CounterFile {
  readonly #home: LimitsHome
  readonly #limiter: Limiter
  readonly #clock: Clock
  readonly #path: string
  readonly #key: Uint8Array
  #work: Promise<void> = Promise.resolve()

  constructor(home: LimitsHome, limiter: Limiter, clock: Clock) {
    this.#home = home
    this.#clock = clock
    this.#limiter = limiter
    this.#path = path.join(home.directory, 'counters')
    this.#key = deriveKey(home.keys.sidecarKey, SEALED_FOR)
  }

  async load(): Promise<void> {
    const { ledger } = this.#home
    const saved = await this.#read()
    const size = saved?.['size']
    const isOfThis = saved?.['origin'] === ledger.origin && typeof size === 'number' && size <= ledger.size
    const replay = new Replay(this.#limiter)
    if (saved !== undefined && isOfThis) restore(saved, this.#limiter, replay)
    const since = monthStart(momentAt(this.#clock.now()))
    await this.#replay(replay, isOfThis ? { entry: size } : { at: since })
  }

  /** One at a time. A failure leaves the last one, which only makes the next start longer. */
  save(): Promise<void> {
    const saving = this.#work.then(async () => await this.#save())
    this.#work = saving.catch(() => undefined)
    return saving
  }

  async #save(): Promise<void> {
    const { ledger } = this.#home
    const { origin, size } = ledger
    const over = this.#limiter.watchOver()
    // Whoever waited for an entry that is on disk has learned of it when the next turn begins.
    await new Promise<void>((resolve) => void nextTurn(resolve))
    const snapshot = takeSnapshot(this.#limiter, over.take())
    // What the snapshot holds as settled has its outcome on disk before the snapshot is.
    await ledger.checkpoint()
    const text = JSON.stringify({ form: FORM, origin, size, ...snapshot })
    await writeAtomic(NODE_FILES, this.#path, seal(this.#key, utf8(text), utf8(SEALED_FOR)))
  }

  async #read(): Promise<JsonObject | undefined> {
    try {
      const rules = { maxBytes: LIMITS.homeFileBytes, links: 'refuse' } as const
      const plain = unseal(this.#key, await readPlainFile(this.#path, rules), utf8(SEALED_FOR))
      const value: unknown = plain && JSON.parse(Buffer.from(plain).toString('utf8'))
      return isJsonObject(value) && value['form'] === FORM ? value : undefined
    } catch {
      // Missing, damaged or of another time: the ledger has it all.
      return undefined
    }
  }

  async #replay(replay: Replay, from: { readonly entry: number } | { readonly at: Millis }): Promise<void> {
    const { directory, keys } = this.#home
    const entries = entriesSince({
      files: NODE_FILES,
      directory: path.join(directory, 'ledger'),
      sidecarKey: keys.sidecarKey,
      from,
      isWanted: (leaf) => leaf.includes('"counters":"') || leaf.includes('"tokens_charged":'),
    })
    let unreadable = 0
    for await (const { leaf, values } of entries) {
      const fields = { ...values, ...leaf }
      const { id } = leaf
      if (typeof id !== 'string') continue
      if (leaf['kind'] === 'intent' && !('counters' in fields)) unreadable += 1
      else if (leaf['kind'] === 'intent') replay.intent(id, fields)
      else if (leaf['kind'] === 'outcome') replay.outcome(id, fields)
    }
    if (unreadable > 0) await this.#note(unreadable)
  }

  /** Entries of this month that were shredded, or whose sidecar is damaged: nobody knows any more for whom they count. */
  async #note(count: number): Promise<void> {
    const fields = { what: 'limits.unreadable', count }
    const at = this.#clock.now()
    await this.#home.ledger.append({ kind: 'note', id: newEntryId(), at, fields, reserved: true })
  }
}
