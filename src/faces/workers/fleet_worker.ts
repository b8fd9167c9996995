import type { Readable, Writable } from 'node:stream'
import { clearTimeout, setTimeout } from 'node:timers'
import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Reading } from '#base/metric_reading.ts'
import { Desk, type DeskParts } from './desk.ts'
import type { KnownMetrics } from './known_metrics.ts'
import { Link, type LinkLimits } from './link.ts'
import type {
  ServeOrder,
  Serving,
  SharedState,
  WorkerAnswers,
  WorkerReport,
  WriterAnswers,
} from './messages.ts'
import { workerForms } from './worker_forms.ts'

/** A worker as a process; `main` starts it. */
export interface WorkerProcess {
  readonly pid: number
  readonly input: Readable
  readonly output: Writable
  /** Ends it at once. */
  kill(): void
  /** Resolves when it is gone, with how it ended: a signal, or a status. */
  readonly exited: Promise<string>
}

export interface FleetWorkerParts {
  readonly process: WorkerProcess
  readonly desk: DeskParts
  /** Bytes of the longest body. */
  readonly bodyBytes: number
  /** What it may count. */
  readonly metrics: KnownMetrics
  /** `LIMITS.workerHungMs` where it is not given. */
  readonly hungMs?: Millis
}

/** The process is gone so soon after its channel, or is made to go. */
const EXIT_MS: Millis = 1_000
/** A scrape does not wait longer for one worker. */
const REPORT_MS: Millis = 1_000
/** On top of what the worker takes itself. */
const GRACE_MS: Millis = 2_000

/** One worker, from its start to its end, as the writer has it. */
export class FleetWorker {
  readonly pid: number
  /** Resolves once it is gone and nothing is left of it here, with how it ended. */
  readonly ended: Promise<string>
  readonly #process: WorkerProcess
  readonly #link: Link<WorkerAnswers, WriterAnswers>
  readonly #hungMs: Millis
  #report: WorkerReport = { inFlight: 0, residentBytes: 0, readings: [] }
  #isServing = false
  #reporting: Promise<void> | undefined

  constructor(parts: FleetWorkerParts) {
    const { process, desk: deskParts, bodyBytes, metrics, hungMs = LIMITS.workerHungMs } = parts
    this.pid = process.pid
    this.#hungMs = hungMs
    this.#process = process
    const { promise, resolve } = Promise.withResolvers<string>()
    const desk = new Desk(deskParts, () => this.#link)
    this.#link = new Link({
      input: process.input,
      output: process.output,
      answers: desk.answers,
      forms: workerForms(bodyBytes, metrics),
      onEnd: (reason) => resolve(reason),
      limits: linkLimits(bodyBytes),
    })
    this.ended = promise.then(async (reason) => this.#clearUp(desk, reason))
  }

  /** True while it takes requests. */
  get isServing(): boolean {
    return this.#isServing && !this.#link.isOver
  }

  /** What it said of itself last. */
  get report(): WorkerReport {
    return this.#report
  }

  /** Resolves when it listens. Throws what listening does, and `internal.bug` when it does not come that far. */
  async serve(order: ServeOrder): Promise<Serving> {
    const serving = await this.#within(LIMITS.workerStartMs, this.#link.ask('serve', order))
    this.#isServing = true
    return serving
  }

  /** Resolves when it has the change, or is no more. One that starts has it before its first request. */
  async change(state: SharedState): Promise<void> {
    const ms = this.#isServing ? LIMITS.workerChangeMs : LIMITS.workerStartMs
    try {
      await this.#within(ms, this.#link.ask('change', state))
    } catch {
      // Whatever kept it from taking the change, it must not go on without it.
      this.kill()
      await this.ended
    }
  }

  /** Asks for what it counts; where it does not answer, the last report stays. */
  async refresh(): Promise<void> {
    const { promise: late, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, REPORT_MS)
    await Promise.race([(this.#reporting ??= this.#askReport()), late])
    clearTimeout(timer)
  }

  /** Lets it end what is in flight, and ends it. */
  async drain(): Promise<void> {
    await this.#within(LIMITS.drainMs + GRACE_MS, this.#link.ask('drain', null)).catch(() => undefined)
    await this.refresh()
    this.#link.close()
    const timer = setTimeout(() => this.kill(), EXIT_MS)
    await this.ended
    clearTimeout(timer)
  }

  kill(): void {
    this.#process.kill()
  }

  /** One question at a time. Whoever gives no answer hangs, and so do its callers, until it is ended. */
  async #askReport(): Promise<void> {
    try {
      this.#report = await this.#within(this.#hungMs, this.#link.ask('report', null))
    } catch {
      // The last report stays.
    } finally {
      this.#reporting = undefined
    }
  }

  /** Whoever does not answer in time is ended: a worker that hangs might serve what holds no more when it wakes. */
  async #within<T>(ms: Millis, answer: Promise<T>): Promise<T> {
    const timer = setTimeout(() => this.kill(), ms)
    try {
      return await answer
    } catch (thrown) {
      if (!this.#link.isOver) throw thrown
      throw new Fault('internal.bug', { error: `a worker ended: ${await this.ended}` })
    } finally {
      clearTimeout(timer)
    }
  }

  /** All that it wrote has been read by now. */
  async #clearUp(desk: Desk, reason: string): Promise<string> {
    const timer = setTimeout(() => this.kill(), EXIT_MS)
    await desk.end()
    const exit = await this.#process.exited
    clearTimeout(timer)
    return reason === GONE ? exit : reason
  }
}

/** What a channel says whose other side has ended: then the process says why. */
const GONE = 'the other side is gone'

/** Base 64 and what is around it make a body longer. */
export function linkLimits(bodyBytes: number): LinkLimits {
  const frameBytes = LIMITS.workerFrameBytes + 2 * bodyBytes
  return { frameBytes, waitingBytes: LIMITS.workerWaitingBytes + frameBytes, asks: LIMITS.workerAsks }
}

/** Without what is only of the moment: what a worker that is gone has counted stays counted. */
export function lastingReadings({ readings }: WorkerReport): readonly Reading[] {
  return readings.filter(({ kind }) => kind !== 'gauge')
}
