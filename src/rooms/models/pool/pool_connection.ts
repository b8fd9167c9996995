import type { Clock } from '#base/clock.ts'
import { asFault, Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { mayBeTaken } from '#door/limits/taken.ts'
import type { StreamedAnswer } from '#door/stream_frame.ts'
import { authorizeVia, type Permit, type Policies } from '#trust/access/authorize.ts'
import type { CallContext, ModelApi, ModelConnection, ProviderAnswer } from '../provider.ts'
import { CallLife } from './call_life.ts'
import { Member, type MemberCall, type MemberParts } from './member.ts'
import type { PoolMetrics } from './pool_metrics.ts'
import type { PoolSettings } from './pool_settings.ts'
import { beginStream, pooledStream } from './pooled_stream.ts'
import { openProbe, type Probe, type ProbeParts } from './probe.ts'
import { RetryBudget } from './retry_budget.ts'
import { Selection, type Selected } from './selection.ts'

/** What every pool works with. */
export interface PoolParts {
  /** Asked before each try whether the caller may use the member. */
  readonly policies: Policies
  readonly metrics: PoolMetrics
  /** Numbers from 0 to below 1. */
  readonly random: () => number
}

export interface PoolOptions {
  readonly name: string
  readonly settings: PoolSettings
  /** Milliseconds for a whole answer, over all tries. */
  readonly timeoutMs: number
  readonly members: readonly PoolMember[]
}

export interface PoolMember extends MemberParts {
  readonly probe: ProbeParts | undefined
}

/**
 * A model that is a pool of others. A request goes to one member; where that fails before anything of an answer was handed
 * on, and not because of the request, it goes to another. Whatever member is asked, policy has let the caller use it.
 */
export class PoolConnection implements ModelConnection {
  readonly #options: PoolOptions
  readonly #parts: PoolParts
  readonly #members: readonly Member[]
  readonly #probes: readonly Probe[]
  readonly #budget = new RetryBudget()

  constructor(options: PoolOptions, parts: PoolParts, clock: Clock) {
    const { name, settings } = options
    const { metrics } = parts
    this.#options = options
    this.#parts = parts
    const opened = options.members.map(({ probe, ...one }) => {
      metrics.became(name, one.name, 'closed')
      const member = new Member(one, settings.breaker, clock, (state) =>
        metrics.became(name, one.name, state),
      )
      return { member, probe }
    })
    this.#members = opened.map(({ member }) => member)
    this.#probes = opened.flatMap(({ member, probe }) =>
      probe === undefined ? [] : [openProbe(probe, (isGood) => member.breaker.probed(isGood))],
    )
  }

  async call(
    api: ModelApi,
    permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<ProviderAnswer> {
    const { answer, call, life, facts } = await this.#ask(permit, context, (selected, inner) =>
      selected.member.connection.call(api, selected.permit, request, inner),
    )
    call.succeeded()
    life.end()
    return { ...answer, facts }
  }

  async stream(
    api: ModelApi,
    permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<StreamedAnswer> {
    const { answer, member, ...rest } = await this.#ask(permit, context, async (selected, inner) =>
      beginStream(await selected.member.connection.stream(api, selected.permit, request, inner)),
    )
    const recheck = (): void => void authorizeVia(this.#parts.policies, permit, member.target)
    return pooledStream(answer, { ...rest, recheck })
  }

  async close(): Promise<void> {
    await Promise.all([
      ...this.#probes.map((probe) => probe.close()),
      ...this.#members.map(({ connection }) => connection.close()),
    ])
  }

  async #ask<T>(permit: Permit, context: CallContext, send: Send<T>): Promise<Answered<T>> {
    const { policies, random } = this.#parts
    const { choose } = this.#options.settings
    const selection = new Selection({ members: this.#members, choose, policies, random, permit })
    const life = new CallLife(context, this.#options.timeoutMs)
    this.#budget.earn()
    try {
      const inner = { ...context, onAbort: (listener: () => void) => life.onStop(listener) }
      const mayTryAgain = context.mayTryAgain ?? (() => true)
      return await this.#tryAll(selection, { life, mayTryAgain }, (selected) => send(selected, inner))
    } catch (thrown) {
      life.end()
      throw thrown
    }
  }

  async #tryAll<T>(
    selection: Selection,
    { life, mayTryAgain }: Trying,
    send: (selected: Selected) => Promise<T>,
  ): Promise<Answered<T>> {
    const { name, settings } = this.#options
    let last: Fault | undefined
    let unknown = 0
    for (let tries = 1; ; tries += 1) {
      const selected = await this.#next(selection, life, last)
      const { member } = selected
      const call = member.begin()
      try {
        const answer = await send(selected)
        call.began()
        if (member !== selection.first) this.#parts.metrics.fellBack(name, member.name)
        return { answer, member, call, life, facts: factsOf(selection, member, { tries, unknown }) }
      } catch (thrown) {
        const fault = life.stopped ?? asFault(thrown)
        last = withFacts(fault, factsOf(selection, member, { tries, unknown }))
        if (!call.failed(fault).mayRetry || tries >= settings.tries) throw last
        if (!mayBeTaken(fault)) continue
        if (!(await mayTryAgain())) throw last
        unknown += 1
      }
    }
  }

  /** The member to ask next, with the budget for it. Throws why there is none: the last fault, when there was one. */
  async #next(selection: Selection, life: CallLife, last: Fault | undefined): Promise<Selected> {
    let selected = selection.next()
    const waitMs = selected === undefined ? selection.again() : undefined
    if (waitMs !== undefined) {
      await life.pause(waitMs)
      if (life.stopped !== undefined) throw withFacts(life.stopped, factsIn(last))
      selected = selection.next()
    }
    if (selected === undefined) throw last ?? selection.refusal()
    if (last === undefined) return selected
    if (!this.#budget.spend()) throw last
    this.#parts.metrics.retried(this.#options.name, selected.member.name)
    return selected
  }
}

interface Trying {
  readonly life: CallLife
  readonly mayTryAgain: () => boolean | Promise<boolean>
}

type Send<T> = (selected: Selected, context: CallContext) => Promise<T>

interface Answered<T> {
  readonly answer: T
  readonly member: Member
  readonly call: MemberCall
  readonly life: CallLife
  readonly facts: Readonly<Record<string, JsonValue>>
}

/** `unknown` is how many tries failed before the last one, and may yet have to be paid. */
function factsOf(
  { denied }: Selection,
  member: Member,
  { tries, unknown }: { readonly tries: number; readonly unknown: number },
): Readonly<Record<string, JsonValue>> {
  return {
    ...member.facts,
    model: member.name,
    tries,
    ...(unknown === 0 ? {} : { tries_unknown: unknown }),
    ...(denied.length === 0 ? {} : { members_denied: denied }),
  }
}

/** Of the last try, and of those before it. */
function factsIn(last: Fault | undefined): Readonly<Record<string, JsonValue>> {
  const { model, tries, tries_unknown: unknown } = last?.detail ?? {}
  return {
    ...(model === undefined ? {} : { model }),
    ...(tries === undefined ? {} : { tries }),
    ...(unknown === undefined ? {} : { tries_unknown: unknown }),
  }
}

/** The fault with what is known of who was asked. */
function withFacts(fault: Fault, facts: Readonly<Record<string, JsonValue>>): Fault {
  const { code, detail, say, retryAfterSeconds, cause } = fault
  return new Fault(
    code,
    { ...detail, ...facts },
    {
      ...(say === undefined ? {} : { say }),
      ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
      ...(cause === undefined ? {} : { cause }),
    },
  )
}
