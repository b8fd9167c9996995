import type { Clock } from '#base/clock.ts'
import { asFault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { readForeignJson } from '#base/foreign_json.ts'
import type { Upstream, UpstreamAnswer } from '#base/http_client.ts'
import { isJsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { DropReason } from './telemetry_metrics.ts'

export interface DeliveryParts {
  readonly clock: Clock
  readonly upstream: Pick<Upstream, 'send'>
  /** The path that the path of a signal is appended to, without a slash at its end. */
  readonly basePath: string
  /** Calls back with headers, names and values in turn, which are secret and kept no longer than the call. */
  readonly withHeaders: <T>(send: (headers: readonly string[]) => T) => T
  /** Numbers from 0 to below 1. */
  readonly random: () => number
  /** Milliseconds before the second try; twice as long before each further one. */
  readonly firstWaitMs: number
}

/** What became of an export: how many of its items the receiver says it rejected, or why there was nothing. */
export type Delivered =
  | { readonly kind: 'taken'; readonly rejected: number }
  | { readonly kind: 'dropped'; readonly reason: DropReason }

/** An export, as it is sent. */
export interface Export {
  /** Path of the signal, as in `/v1/traces`. */
  readonly path: string
  readonly body: string
  /** The member of a partial success that counts what was rejected. */
  readonly rejectedIn: string
  readonly count: number
}

/** Sends exports, and again where OTLP says that this may help. Nobody's request waits for any of it. */
export class Delivery {
  readonly #parts: DeliveryParts
  #isStopping = false
  readonly #wakes = new Set<() => void>()

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  /** From now on nothing is sent twice, and nobody waits to send it again. */
  stop(): void {
    this.#isStopping = true
    for (const wake of this.#wakes) wake()
  }

  /** Never throws. */
  async deliver(what: Export): Promise<Delivered> {
    for (let tries = 1; ; tries += 1) {
      const sent = await this.#send(what)
      if (sent.kind !== 'again') return sent
      if (this.#isStopping) return { kind: 'dropped', reason: 'stopped' }
      if (tries >= LIMITS.telemetryTries) return { kind: 'dropped', reason: 'unreachable' }
      await this.#pause(this.#waitMs(tries, sent.afterMs))
    }
  }

  async #send(what: Export): Promise<Delivered | Again> {
    const { upstream, basePath, withHeaders, clock } = this.#parts
    try {
      const answer = await withHeaders((headers) =>
        upstream.send({
          method: 'POST',
          path: `${basePath}${what.path}`,
          headers: [...HEADERS, ...headers],
          body: what.body,
          memory: BOUNDED,
          onAbort: () => undefined,
        }),
      )
      // OTLP/HTTP: these four alone are worth another try, and a partial success none.
      if (AGAIN.has(answer.status)) return { kind: 'again', afterMs: retryAfterMs(answer, clock) }
      if (answer.status < 200 || answer.status > 299) return { kind: 'dropped', reason: 'refused' }
      return { kind: 'taken', rejected: rejectedBy(answer, what) }
    } catch (thrown) {
      const isWorthIt = UNREACHED.has(asFault(thrown).code)
      return isWorthIt ? { kind: 'again', afterMs: undefined } : { kind: 'dropped', reason: 'refused' }
    }
  }

  /** What the receiver asks for, or twice as long each time with a part of it left to chance; never for ever. */
  #waitMs(tries: number, afterMs: number | undefined): number {
    const { firstWaitMs, random } = this.#parts
    const own = firstWaitMs * 2 ** (tries - 1) * (0.5 + random() / 2)
    return Math.min(afterMs ?? own, LIMITS.telemetryWaitMs)
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.#wakes.add(resolve)
    await promise
    this.#wakes.delete(resolve)
    clearTimeout(timer)
  }
}

interface Again {
  readonly kind: 'again'
  readonly afterMs: number | undefined
}

const HEADERS = ['content-type', 'application/json', 'user-agent', 'gatehouse']
const AGAIN: ReadonlySet<number> = new Set([429, 502, 503, 504])
const UNREACHED: ReadonlySet<FaultCode> = new Set(['upstream.failed', 'upstream.slow'])
/** An answer has at most `LIMITS.telemetryAnswerBytes`, and there are two at a time. */
const BOUNDED = { claim: () => undefined }

/** Seconds, or a date (RFC 9110 section 10.2.3); undefined for anything else. */
function retryAfterMs({ headers }: UpstreamAnswer, clock: Clock): number | undefined {
  const value = headers['retry-after']
  if (typeof value !== 'string') return undefined
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1_000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - clock.now())
}

/** The receiver may say anything: what is no count of what it was sent counts as nothing. */
function rejectedBy({ body }: UpstreamAnswer, { rejectedIn, count }: Export): number {
  const value = readForeignJson(Buffer.from(body).toString('utf8'), LIMITS)
  const partial: JsonValue | undefined = isJsonObject(value) ? value['partialSuccess'] : undefined
  const told = isJsonObject(partial) ? partial[rejectedIn] : undefined
  const rejected = typeof told === 'string' || typeof told === 'number' ? Number(told) : 0
  return Number.isSafeInteger(rejected) && rejected > 0 ? Math.min(rejected, count) : 0
}
