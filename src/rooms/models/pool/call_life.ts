import { Fault } from '#base/fault.ts'
import type { CallContext } from '../provider.ts'

/** The time of one request to a pool, over all its tries: it ends when the caller goes away or the time is up. */
export class CallLife {
  readonly #timer: NodeJS.Timeout
  #stopped: Fault | undefined
  #onStop: (() => void) | undefined

  constructor({ onAbort }: Pick<CallContext, 'onAbort'>, timeoutMs: number) {
    onAbort(() => this.stop(new Fault('input.aborted', { reason: 'caller.gone' })))
    const late = (): void => this.stop(new Fault('upstream.slow', { reason: 'pool_timeout' }))
    this.#timer = setTimeout(late, timeoutMs)
  }

  /** Why it ended before its end. */
  get stopped(): Fault | undefined {
    return this.#stopped
  }

  /** Ends what goes on now. The first reason counts. */
  stop(fault: Fault): void {
    if (this.#stopped !== undefined) return
    this.#stopped = fault
    clearTimeout(this.#timer)
    this.#onStop?.()
  }

  /** What to do when it is stopped, at once if it is already; replaces what was said before. */
  onStop(listener: () => void): void {
    this.#onStop = listener
    if (this.#stopped !== undefined) listener()
  }

  async pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, ms)
    this.onStop(resolve)
    await promise
    clearTimeout(timer)
  }

  /** All went well: nothing can stop it any more. */
  end(): void {
    clearTimeout(this.#timer)
    this.#onStop = undefined
  }
}
