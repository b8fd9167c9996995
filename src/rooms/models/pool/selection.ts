import { Fault } from '#base/fault.ts'
import { authorizeVia, type Permit, type Policies } from '#trust/access/authorize.ts'
import { choose, type Choice } from './choose.ts'
import type { Member } from './member.ts'
import { POOL_LIMITS } from './pool_limits.ts'

export interface SelectionParts {
  readonly members: readonly Member[]
  readonly choose: Choice
  readonly policies: Policies
  readonly random: () => number
  /** For the pool itself. */
  readonly permit: Permit
}

export interface Selected {
  readonly member: Member
  readonly permit: Permit
}

/** The members that one request goes to, one after the other: none that its caller may not use, none that is to be left alone. */
export class Selection {
  readonly #parts: SelectionParts
  readonly #tried = new Set<Member>()
  readonly #denied = new Map<Member, Fault>()
  #first: Member | undefined
  #rounds = 0

  constructor(parts: SelectionParts) {
    this.#parts = parts
  }

  /** The member that would be asked if all were well. */
  get first(): Member | undefined {
    return this.#first
  }

  /** Names of the members that policy kept the caller away from. */
  get denied(): readonly string[] {
    return [...this.#denied.keys()].map(({ name }) => name)
  }

  /** The next one to ask; policy is asked about it now. Undefined when there is none in this round. */
  next(): Selected | undefined {
    const left = this.#parts.members.filter((member) => !this.#tried.has(member))
    while (left.length > 0) {
      const [member] = left.splice(choose(this.#parts.choose, left, this.#parts.random), 1)
      const permit = member === undefined ? undefined : this.#permitFor(member)
      if (member === undefined || permit === undefined) continue
      this.#first ??= member
      if (member.waitMs() > 0) continue
      this.#tried.add(member)
      return { member, permit }
    }
    return undefined
  }

  /** Begins again with those that were asked. Gives milliseconds to wait before; undefined when none may be asked again. */
  again(): number | undefined {
    if (![...this.#tried].some((member) => member.waitMs() === 0)) return undefined
    this.#tried.clear()
    const { backoffMs, longestBackoffMs } = POOL_LIMITS
    const most = Math.min(backoffMs * 2 ** this.#rounds, longestBackoffMs)
    this.#rounds += 1
    return this.#parts.random() * most
  }

  /** Why nobody was asked. */
  refusal(): Fault {
    const { members } = this.#parts
    const [denied] = this.#denied.values()
    if (denied !== undefined && this.#denied.size === members.length) return denied
    const waiting = members.filter((member) => !this.#denied.has(member))
    const seconds = Math.ceil(Math.min(...waiting.map((member) => member.waitMs())) / 1_000)
    const areLimited = waiting.every((member) => member.coolMs() > 0)
    const code = areLimited ? 'upstream.limited' : 'upstream.failed'
    return new Fault(code, { reason: 'no_member' }, { retryAfterSeconds: Math.max(1, seconds) })
  }

  #permitFor(member: Member): Permit | undefined {
    try {
      const permit = authorizeVia(this.#parts.policies, this.#parts.permit, member.target)
      this.#denied.delete(member)
      return permit
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== 'action.denied') throw thrown
      this.#denied.set(member, thrown)
      return undefined
    }
  }
}
