import type { Millis } from '#base/clock.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Account, Tally } from './account.ts'
import type { Limiter } from './limiter.ts'
import type { MinuteWindow } from './minute_window.ts'
import type { Replay } from './replay.ts'

/**
 * Counters at one moment: with the entries of the ledger from a position on, they give the same counters again. What is
 * reserved under an intent that may not be on disk is left out; its entry comes later, or never.
 */
export interface Snapshot {
  readonly at: Millis
  readonly accounts: readonly JsonObject[]
  /** What is counted and not settled. */
  readonly open: readonly JsonObject[]
  /** Ids of what was settled after the position was read: their entries say nothing new. */
  readonly over: readonly string[]
}

/** All at once, so that nothing is counted in between. */
export function takeSnapshot(limiter: Limiter, over: ReadonlySet<string>): Snapshot {
  const open = [...limiter.open]
  let accounts: readonly JsonObject[] = []
  const print = (): void => void (accounts = [...limiter.accounts].map(printAccount))
  open.filter(({ isRecorded }) => !isRecorded).reduce((inner, charge) => () => charge.isolate(inner), print)()
  return {
    at: limiter.time.now().at,
    accounts,
    open: open
      .filter(({ isRecorded }) => isRecorded)
      .map(({ parts, held }) => ({
        id: parts.id,
        at: parts.moment.at,
        counters: parts.accounts.map(({ account }) => account.name),
        tokens: held.tokens,
        nano: held.nano,
      })),
    over: [...over],
  }
}

/** Puts what a snapshot holds into counters that are new. What is not of its form is left out. */
export function restore(snapshot: JsonObject, limiter: Limiter, replay: Replay): void {
  const at = snapshot['at']
  if (typeof at === 'number') limiter.time.notBefore(at)
  for (const one of objectsOf(snapshot['accounts'])) readAccount(one, limiter)
  for (const one of objectsOf(snapshot['open'])) replay.isOpen(one)
  for (const id of listOf(snapshot['over'])) if (typeof id === 'string') replay.isOver(id)
}

function printAccount({ name, minuteRequests, minuteTokens, day, month }: Account): JsonObject {
  return {
    name,
    requests: printMinute(minuteRequests),
    tokens: printMinute(minuteTokens),
    day: printTally(day),
    month: printTally(month),
  }
}

function printMinute(window: MinuteWindow): JsonValue {
  return [...window.entries()].map(([second, amount]) => [second, amount])
}

function printTally({ window, requests, tokens, nano }: Tally): JsonValue {
  return [window, requests, tokens, nano]
}

function readAccount({ name, requests, tokens, day, month }: JsonObject, limiter: Limiter): void {
  if (typeof name !== 'string') return
  const account = limiter.account(name)
  readMinute(account.minuteRequests, requests)
  readMinute(account.minuteTokens, tokens)
  readTally(account.day, day)
  readTally(account.month, month)
}

function readMinute(window: MinuteWindow, value: JsonValue | undefined): void {
  for (const pair of listOf(value)) {
    const [second = 0, amount = 0] = numbersOf(pair)
    window.add(second, amount)
  }
}

function readTally(tally: Tally, value: JsonValue | undefined): void {
  const [window = -1, requests = 0, tokens = 0, nano = 0] = numbersOf(value)
  tally.add(window, { requests, tokens, nano })
}

function numbersOf(value: JsonValue | undefined): readonly number[] {
  return listOf(value).filter((each) => typeof each === 'number')
}

function objectsOf(value: JsonValue | undefined): readonly JsonObject[] {
  return listOf(value).filter(isJsonObject)
}

function listOf(value: JsonValue | undefined): readonly JsonValue[] {
  return value !== undefined && isJsonArray(value) ? value : []
}
