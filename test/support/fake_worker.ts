import { PassThrough } from 'node:stream'
import { Fault } from '#base/fault.ts'
import type { DeskParts } from '#faces/workers/desk.ts'
import { linkLimits, type WorkerProcess } from '#faces/workers/fleet_worker.ts'
import { Link, type Answers } from '#faces/workers/link.ts'
import type { ServeOrder, SharedState, WorkerAnswers, WriterAnswers } from '#faces/workers/messages.ts'
import { Limiter } from '#door/limits/limiter.ts'
import { PriceTable } from '#door/limits/prices.ts'

export const STATE: SharedState = { readiness: { isReady: true, reasons: [] }, proofNonce: '' }

export const ORDER: Omit<ServeOrder, 'state'> = {
  protocol: 1,
  version: 'test',
  workers: 1,
  config: { text: '', path: '' },
  host: '127.0.0.1',
  port: 1,
  origin: '',
  routes: [],
  log: '',
  ledger: '',
}

const CLOCK = { now: () => 0, monotonic: () => 0 }

/** Of a writer whose workers ask nothing. */
export const DESK: DeskParts = {
  clock: CLOCK,
  limits: new Limiter({
    clock: CLOCK,
    budgets: [],
    prices: new PriceTable(new Map()),
    onRefusal: () => undefined,
  }),
  routes: new Map(),
  authenticator: {
    authenticate: () => {
      throw new Fault('caller.unknown')
    },
    looksReal: () => false,
  },
  recorder: {
    append: () => {
      throw new Fault('ledger.unwritable')
    },
    appendLater: () => undefined,
  },
}

/** One that takes everything and then ends when it is to. */
export const WILLING: Answers<WorkerAnswers> = {
  serve: () => ({ address: '127.0.0.1:1', port: 1, rule: { kind: 'loopback' } }),
  change: () => null,
  report: () => ({ inFlight: 0, residentBytes: 1, readings: [] }),
  body: () => '',
  drain: () => null,
}

/** A worker without a process of its own. */
export class FakeWorker implements WorkerProcess {
  readonly pid = 1
  readonly input = new PassThrough()
  readonly output = new PassThrough()
  readonly #exited = Promise.withResolvers<string>()
  readonly #link: Link<WriterAnswers, WorkerAnswers>
  isKilled = false

  constructor(answers: Answers<WorkerAnswers> = WILLING) {
    this.#link = new Link<WriterAnswers, WorkerAnswers>({
      input: this.output,
      output: this.input,
      answers,
      onEnd: () => this.#exited.resolve('status 0'),
      limits: linkLimits(1),
    })
  }

  get exited(): Promise<string> {
    return this.#exited.promise
  }

  get hasEnded(): boolean {
    return this.#link.isOver
  }

  /** As SIGSTOP does: it reads nothing, and does not see that the writer has ended the channel. */
  stop(): void {
    this.output.removeAllListeners('data').removeAllListeners('close').pause()
  }

  kill(): void {
    this.isKilled = true
    this.#exited.resolve('SIGKILL')
    this.input.destroy()
    this.output.destroy()
  }
}
