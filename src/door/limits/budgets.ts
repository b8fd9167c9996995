import { printRef, type EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Caller } from '#trust/access/caller.ts'
import type { LimitTerms } from '#trust/access/limit_terms.ts'
import type { Account } from './account.ts'
import { ceilingsOf, limitsMoney, limitsTokens, lowest, type Ceilings } from './ceilings.ts'

export const SUBJECT_KINDS = ['key', 'caller', 'group', 'space', 'tenant'] as const

export type SubjectKind = (typeof SUBJECT_KINDS)[number]

/** What limits look at of a caller. */
export type LimitedCaller = Pick<Caller, 'ref' | 'entities' | 'space' | 'limitedBy'>

/** Limits as the configuration has them. */
export interface BudgetTerms {
  /** Whose requests count; everybody's without it. */
  readonly who: { readonly kind: SubjectKind; readonly name: string } | undefined
  /** One account for each caller or key of these, instead of one that they share. */
  readonly each: 'caller' | 'key' | undefined
  /** Requests for which models count; `*` stands for any characters. All without it. */
  readonly model: string | undefined
  readonly terms: LimitTerms
}

/** An account that a request counts in. */
export interface Applied {
  readonly account: Account
  readonly ceilings: Ceilings
  /** What to call it in a refusal. */
  readonly subject: Subject
  /**
   * Members of the pool that is asked for whose answers count, where the name of the pool itself does not; undefined where
   * every answer does.
   */
  readonly members: ReadonlySet<string> | undefined
}

export type Subject = SubjectKind | 'everybody'

/** Limits that were set on a user, a service, a group, a space or a tenant; undefined for none and for all else. */
export type SetLimits = (of: EntityRef) => LimitTerms | undefined

/** A model that is asked for, and those that may answer in its place. */
export interface AskedModel {
  readonly name: string
  readonly members: readonly string[] | undefined
}

/** All limits of one caller for one model. */
export interface AppliedLimits {
  readonly accounts: readonly Applied[]
  readonly areOfTokens: boolean
  readonly areOfMoney: boolean
}

/** Says which accounts a request counts in, and remembers it for each caller as it was proven. */
export class Budgets {
  readonly #budgets: readonly Budget[]
  readonly #accountOf: (name: string) => Account
  readonly #setOn: SetLimits
  #known = new WeakMap<LimitedCaller, Map<string, AppliedLimits>>()

  /**
   * `accountOf` gives the same account for the same name until `forget`; `setOn` the same for one caller as it was proven: who
   * is proven after a limit was set is another object.
   */
  constructor(
    budgets: readonly BudgetTerms[],
    accountOf: (name: string) => Account,
    setOn: SetLimits = () => undefined,
  ) {
    this.#budgets = budgets.map(budgetOf)
    this.#accountOf = accountOf
    this.#setOn = setOn
  }

  /** Throws `config.invalid` when more limits apply than one entry can name. */
  appliedTo(caller: LimitedCaller, model: AskedModel): AppliedLimits {
    let byModel = this.#known.get(caller)
    if (byModel === undefined) this.#known.set(caller, (byModel = new Map()))
    const known = byModel.get(model.name)
    if (known !== undefined) return known
    const applied = this.#find(caller, model)
    byModel.set(model.name, applied)
    return applied
  }

  /** The limits of an account by its name alone, as far as the configuration says them. */
  ceilingsOf(name: string): Ceilings | undefined {
    const found = this.#budgets.filter(({ label }) => name === label || name.startsWith(`${label} each:`))
    return found
      .map(({ ceilings }) => ceilings)
      .reduce<Ceilings | undefined>(
        (left, right) => (left === undefined ? right : lowest(left, right)),
        undefined,
      )
  }

  /** Names of the accounts that are there before anybody asks. */
  get shared(): readonly string[] {
    return this.#budgets.filter(({ isShared }) => isShared).map(({ label }) => label)
  }

  /** Accounts were given up: all are asked for again. */
  forget(): void {
    this.#known = new WeakMap()
  }

  #find(caller: LimitedCaller, model: AskedModel): AppliedLimits {
    const found = new Map<string, Applied>()
    const belongings = belongingsOf(caller)
    const add = (name: string, one: Omit<Applied, 'account'>): void => {
      const known = found.get(name)
      const ceilings = known === undefined ? one.ceilings : lowest(known.ceilings, one.ceilings)
      found.set(name, { ...one, account: this.#accountOf(name), ceilings })
    }
    for (const { kid, terms } of caller.limitedBy ?? [])
      if (terms !== undefined)
        add(`key:${kid}`, { ceilings: ceilingsOf(terms), subject: 'key', members: undefined })
    for (const [name, { kind, ref }] of belongings) {
      const terms = ref === undefined ? undefined : this.#setOn(ref)
      if (terms !== undefined) add(name, { ceilings: ceilingsOf(terms), subject: kind, members: undefined })
    }
    for (const budget of this.#budgets) {
      const matched = budget.matches(model)
      if (matched === undefined || !budget.isAbout(belongings)) continue
      const { ceilings, subject } = budget
      const members = matched === 'asked' ? undefined : matched
      add(budget.accountName(caller), { ceilings, subject, members })
    }
    if (found.size > LIMITS.limitsOfRequest)
      throw new Fault(
        'config.invalid',
        { count: found.size },
        { say: `More than ${LIMITS.limitsOfRequest} limits apply to one request.` },
      )
    const accounts = [...found.values()]
    return {
      accounts,
      areOfTokens: accounts.some(({ ceilings }) => limitsTokens(ceilings)),
      areOfMoney: accounts.some(({ ceilings }) => limitsMoney(ceilings)),
    }
  }
}

interface Budget {
  readonly ceilings: Ceilings
  readonly subject: Subject
  /** What the names of its accounts begin with. */
  readonly label: string
  readonly isShared: boolean
  isAbout(belongings: ReadonlyMap<string, Belonging>): boolean
  /** `asked` where the name that is asked for counts, else the members whose answers do; undefined where none does. */
  matches(model: AskedModel): 'asked' | ReadonlySet<string> | undefined
  accountName(caller: LimitedCaller): string
}

function budgetOf({ who, each, model, terms }: BudgetTerms): Budget {
  const isOf = matcherOf(model)
  const words = [
    who === undefined ? 'everybody' : `${who.kind}:${who.name}`,
    ...(model === undefined ? [] : [`model:${model}`]),
  ]
  const label = words.join(' ')
  // Of a token that was exchanged for another, the first key is the one that it all began with.
  const one = ({ ref, limitedBy: [first] = [] }: LimitedCaller): string =>
    each === 'key' && first !== undefined ? first.kid : printRef(ref)
  return {
    ceilings: ceilingsOf(terms),
    label,
    isShared: each === undefined,
    subject: each ?? who?.kind ?? 'everybody',
    isAbout: (belongings) => who === undefined || belongings.has(`${who.kind}:${who.name}`),
    matches: ({ name, members = [] }) => {
      if (isOf(name)) return 'asked'
      const matching = members.filter(isOf)
      return matching.length === 0 ? undefined : new Set(matching)
    },
    accountName: (caller) => (each === undefined ? label : `${label} each:${one(caller)}`),
  }
}

const KINDS_OF_TYPES: Readonly<Record<string, SubjectKind>> = {
  Group: 'group',
  Space: 'space',
  Tenant: 'tenant',
}

interface Belonging {
  readonly kind: SubjectKind
  /** Undefined for a key. */
  readonly ref: EntityRef | undefined
}

/** The caller, its keys, and all that it is in, by `kind:name`: a limit of a group holds for the members of the groups in it. */
function belongingsOf({ ref, entities, limitedBy = [] }: LimitedCaller): ReadonlyMap<string, Belonging> {
  const parents = new Map(entities.map((facts) => [printRef(facts.ref), facts.parents]))
  const found = new Map<string, Belonging>([[`caller:${ref.id}`, { kind: 'caller', ref }]])
  for (const { kid } of limitedBy) found.set(`key:${kid}`, { kind: 'key', ref: undefined })
  const seen = new Set<string>()
  const pending: EntityRef[] = [ref]
  for (const one of pending) {
    const printed = printRef(one)
    if (seen.has(printed)) continue
    seen.add(printed)
    const kind = KINDS_OF_TYPES[one.type]
    if (kind !== undefined) found.set(`${kind}:${one.id}`, { kind, ref: one })
    pending.push(...(parents.get(printed) ?? []))
  }
  return found
}

function matcherOf(pattern: string | undefined): (name: string) => boolean {
  if (pattern === undefined) return () => true
  if (!pattern.includes('*')) return (name) => name === pattern
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop() ?? ''
  return (name) => {
    if (!name.startsWith(first) || !name.endsWith(last)) return false
    let at = first.length
    for (const part of rest) {
      const found = name.indexOf(part, at)
      if (found < 0) return false
      at = found + part.length
    }
    return at + last.length <= name.length
  }
}
