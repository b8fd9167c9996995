import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers'
import type { Clock, Millis } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Reading } from '#base/metric_reading.ts'
import type { Counter, Family, Metrics } from '#base/metrics.ts'
import { sumReadings } from '#base/metrics_sum.ts'
import { printReadings } from '#base/metrics_text.ts'
import type { DeskParts } from './desk.ts'
import { FleetWorker, lastingReadings, type WorkerProcess } from './fleet_worker.ts'
import { KnownMetrics } from './known_metrics.ts'
import type { ServeOrder, Serving, SharedState } from './messages.ts'

export interface FleetParts {
  /** How many. */
  readonly workers: number
  readonly desk: DeskParts
  readonly bodyBytes: number
  /** What each worker is started with, but for where to listen, which is the same for all. */
  readonly order: Omit<ServeOrder, 'state'>
  /** What they all know. */
  readonly state: () => SharedState
  /** Another text whenever something has changed of which workers keep what they were told. */
  readonly version: () => string
  readonly start: () => WorkerProcess
  readonly metrics: Metrics
  readonly clock: Clock
  /** Puts it on record. */
  readonly note: (what: string, fields: JsonObject) => Promise<void>
}

/** A worker as an operator is told of it. */
export interface WorkerRow {
  /** From 1. */
  readonly number: number
  readonly state: 'serving' | 'starting' | 'given up'
  readonly pid: number | null
  /** How often it had to be started again. */
  readonly restarts: number
  readonly inFlight: number
}

/** Changes that no request waits for, as of files that somebody edits, are looked for so often. */
const LOOK_MS: Millis = 250
const REPORT_MS: Millis = 1_000
const FIRST_WAIT_MS: Millis = 100
const LONGEST_WAIT_MS: Millis = 30_000
/** A worker that has run for so long has begun well, and counts anew. */
const STEADY_MS: Millis = 60_000

interface Slot {
  readonly number: number
  worker: FleetWorker | undefined
  startedAt: Millis
  /** Ends that came early, one after the other. */
  early: number
  restarts: number
  isGivenUp: boolean
  timer: NodeJS.Timeout | undefined
}

/** The workers of one door: started, told of changes, counted, started again, and drained together. */
export class Fleet {
  readonly #parts: FleetParts
  readonly #slots: readonly Slot[]
  readonly #ends: Family<Counter>
  readonly #known: KnownMetrics
  /** What workers have counted that are gone. */
  #gone: readonly Reading[] = []
  #version = ''
  #pushing: Promise<unknown> = Promise.resolve()
  #looking: NodeJS.Timeout | undefined
  #reporting: NodeJS.Timeout | undefined
  #isClosing = false

  constructor(parts: FleetParts) {
    this.#parts = parts
    this.#slots = Array.from({ length: parts.workers }, (_, at) => newSlot(at + 1))
    const { metrics } = parts
    this.#ends = metrics.counter({
      name: 'gatehouse_worker_ends_total',
      help: 'Worker processes that ended without being asked to, by how they ended.',
      labels: ['reason'],
    })
    metrics.gaugeFrom(
      { name: 'gatehouse_workers', help: 'Worker processes that take requests.' },
      () => this.#all.filter(({ isServing }) => isServing).length,
    )
    metrics.gaugeFrom(
      { name: 'gatehouse_workers_resident_bytes', help: 'Resident memory of all worker processes.' },
      () => this.#all.reduce((sum, { report }) => sum + report.residentBytes, 0),
    )
    this.#known = new KnownMetrics(metrics.readings())
  }

  /** Starts them all. Throws what listening does; then none is left. */
  async open(): Promise<Serving> {
    try {
      this.#version = this.#parts.version()
      // From now on, so that a worker that serves before others do hears of its writer.
      this.#reporting = setInterval(() => void this.#refresh(), REPORT_MS)
      const [first, ...others] = this.#slots
      if (first === undefined) throw new TypeError('a fleet has workers')
      const [serving] = await Promise.all([
        this.#startFirst(first),
        ...others.map(async (slot) => this.#startFirst(slot)),
      ])
      this.#looking = setInterval(() => void this.caughtUp(), LOOK_MS)
      return serving
    } catch (thrown) {
      this.#isClosing = true
      clearInterval(this.#reporting)
      for (const worker of this.#all) worker.kill()
      throw thrown
    }
  }

  /** Resolves when every worker has what was changed before, or was ended. */
  async caughtUp(): Promise<void> {
    const version = this.#parts.version()
    if (version !== this.#version) {
      this.#version = version
      const state = this.#parts.state()
      this.#pushing = Promise.all([this.#pushing, ...this.#all.map(async (worker) => worker.change(state))])
    }
    await this.#pushing
  }

  /** Everything that this process and all workers count, now, in the form of Prometheus. */
  async expose(): Promise<string> {
    await this.#refresh()
    const reports = this.#all.map(({ report }) => report.readings)
    return printReadings(sumReadings([this.#parts.metrics.readings(), this.#gone, ...reports]))
  }

  /** Requests in flight in all workers, as they said last. */
  get inFlight(): number {
    return this.#all.reduce((sum, { report }) => sum + report.inFlight, 0)
  }

  rows(): readonly WorkerRow[] {
    return this.#slots.map(({ number, worker, restarts, isGivenUp }) => ({
      number,
      state: isGivenUp ? 'given up' : worker?.isServing === true ? 'serving' : 'starting',
      pid: worker?.pid ?? null,
      restarts,
      inFlight: worker?.report.inFlight ?? 0,
    }))
  }

  /** Lets all end what is in flight, and ends them. */
  async close(): Promise<void> {
    this.#isClosing = true
    clearInterval(this.#looking)
    for (const { timer } of this.#slots) clearTimeout(timer)
    await Promise.all(this.#all.map(async (worker) => worker.drain()))
    // Not before: while they drain they must hear that the writer is there.
    clearInterval(this.#reporting)
  }

  get #all(): readonly FleetWorker[] {
    return this.#slots.flatMap(({ worker }) => worker ?? [])
  }

  async #refresh(): Promise<void> {
    await Promise.all(this.#all.filter(({ isServing }) => isServing).map(async (worker) => worker.refresh()))
  }

  async #startFirst(slot: Slot): Promise<Serving> {
    return await this.#start(slot).serving
  }

  /**
   * Also takes what changes while it starts: that follows on the same channel. Throws where the machine has no room for one
   * more process.
   */
  #start(slot: Slot): { readonly worker: FleetWorker; readonly serving: Promise<Serving> } {
    const { start, desk, bodyBytes, order, state, clock } = this.#parts
    slot.startedAt = clock.monotonic()
    const whole = { ...order, state: state() }
    const worker = new FleetWorker({ process: start(), desk, bodyBytes, metrics: this.#known })
    slot.worker = worker
    void worker.ended.then((reason) => {
      slot.worker = undefined
      this.#gone = sumReadings([this.#gone, lastingReadings(worker.report)])
      this.#startLater(slot, reason)
    })
    return { worker, serving: worker.serve(whole) }
  }

  #startLater(slot: Slot, reason: string): void {
    if (this.#isClosing) return
    const { clock, note } = this.#parts
    this.#ends.series(reason).add()
    slot.early = clock.monotonic() - slot.startedAt < STEADY_MS ? slot.early + 1 : 1
    slot.isGivenUp = slot.early > LIMITS.workerRestarts
    const what = slot.isGivenUp ? 'worker:given_up' : 'worker:end'
    void note(what, { reason, worker: slot.number, count: slot.early }).catch(() => undefined)
    if (slot.isGivenUp) return
    const wait = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (slot.early - 1))
    slot.timer = setTimeout(() => this.#startAgain(slot), wait)
  }

  #startAgain(slot: Slot): void {
    slot.restarts += 1
    try {
      const { worker, serving } = this.#start(slot)
      // One that cannot listen ends, and is started again after a longer time.
      void serving.catch(() => worker.kill())
    } catch {
      this.#startLater(slot, 'not started')
    }
  }
}

function newSlot(number: number): Slot {
  return {
    number,
    worker: undefined,
    startedAt: 0,
    early: 0,
    restarts: 0,
    isGivenUp: false,
    timer: undefined,
  }
}
