import type { Clock, Millis } from '#base/clock.ts'
import { Rounds } from '#base/rounds.ts'
import type { Checkpoints, SignedHead } from '#trust/ledger/checkpointer.ts'
import { NO_PROBLEM, outage, type HolderProblem, type HolderState } from '#trust/ledger/contradiction.ts'

/** A place outside that keeps checkpoints. */
export interface AnchorTarget {
  /** What operators know it by; no secret. */
  readonly name: string
  readonly kind: 'git' | 'object'
  /**
   * Resolves when it is there, with what an operator should know of the place. Rejects with `AnchorFailure`, or with what is
   * a mistake of ours.
   */
  put(checkpoint: SignedHead): Promise<string | undefined>
  /** Ends a `put` that is under way, and all that come. */
  close?(): void
}

/** Why a checkpoint could not be put there, in our words: they are shown to operators. */
export class AnchorFailure extends Error {
  readonly why: HolderProblem

  constructor(why: string | HolderProblem) {
    const problem = typeof why === 'string' ? outage(why) : why
    super(problem.problem)
    this.why = problem
  }
}

export interface AnchorState extends HolderState {
  readonly name: string
  readonly kind: AnchorTarget['kind']
  /** Entries that it covers; undefined before the first checkpoint of this process is there. */
  readonly entries: number | undefined
  /** When that one was put there. */
  readonly at: Millis | undefined
}

export interface AnchorKeeperParts {
  readonly target: AnchorTarget
  readonly checkpoints: Pick<Checkpoints, 'newest'>
  readonly clock: Clock
  readonly everyMs: number
}

/** After a failure it is tried again sooner than its time, and then ever more rarely. */
const FIRST_WAIT_MS = 5_000
const MOST_WAIT_MS = 3_600_000

/** Puts the newest checkpoint into one place outside, again and again, beside everything else. */
export class AnchorKeeper {
  readonly #parts: AnchorKeeperParts
  #state: AnchorState
  #failures = 0
  readonly #rounds = new Rounds(
    () => this.put(),
    () => this.#waitMs(),
  )

  constructor(parts: AnchorKeeperParts) {
    this.#parts = parts
    const { name, kind } = parts.target
    this.#state = { name, kind, entries: undefined, at: undefined, ...NO_PROBLEM }
  }

  get state(): AnchorState {
    return this.#state
  }

  /** The first one goes out soon: what it was before this process is not known. */
  start(): void {
    this.#rounds.start(FIRST_WAIT_MS)
  }

  async close(): Promise<void> {
    this.#parts.target.close?.()
    await this.#rounds.close()
  }

  /** Puts the newest checkpoint there, unless it is. Never rejects. */
  async put(): Promise<void> {
    const { target, checkpoints, clock } = this.#parts
    const { newest } = checkpoints
    if (newest.head.size === this.#state.entries && this.#state.problem === undefined) return
    try {
      const problem = await target.put(newest)
      this.#failures = 0
      const told = problem === undefined ? NO_PROBLEM : outage(problem)
      this.#state = { ...this.#state, entries: newest.head.size, at: clock.now(), ...told }
    } catch (thrown) {
      const problem = thrown instanceof AnchorFailure ? thrown.why : outage('failed')
      this.#failures += 1
      this.#state = { ...this.#state, ...problem }
    }
  }

  #waitMs(): number {
    const { everyMs } = this.#parts
    if (this.#failures === 0) return everyMs
    return Math.min(FIRST_WAIT_MS * 2 ** (this.#failures - 1), Math.max(everyMs, MOST_WAIT_MS))
  }
}
