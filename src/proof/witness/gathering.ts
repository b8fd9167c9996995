import type { Clock } from '#base/clock.ts'
import { Rounds } from '#base/rounds.ts'
import type { Checkpoints, SignedHead } from '#trust/ledger/checkpointer.ts'
import { isBy, parseNote, signatureLine } from '#trust/ledger/note.ts'
import type { WitnessClient, WitnessState } from './witness_client.ts'

export interface GatheringParts {
  readonly witnesses: readonly WitnessClient[]
  /** How many of them must have cosigned a checkpoint for it to count as witnessed. */
  readonly quorum: number
  readonly checkpoints: Pick<Checkpoints, 'newest' | 'cosigned' | 'cosign'>
  readonly clock: Clock
  readonly everyMs: number
}

/** What does not grow is shown to the witnesses all the same, so that it is known to be the newest. */
const REFRESH_MS = 3_600_000

/** The cosignatures of one checkpoint. */
interface Gathered {
  readonly of: SignedHead
  readonly lines: string[]
  /** Witnesses that gave some. */
  count: number
  /** Resolves when they are as many as are wanted. */
  readonly enough: PromiseWithResolvers<void>
}

/**
 * Gathers cosignatures for the newest checkpoint, again and again, beside everything else: nobody's request waits for a
 * witness, and a witness that fails leaves the log as durable as before.
 */
export class Gathering {
  readonly #parts: GatheringParts
  readonly #rounds: Rounds
  #askedAt = Number.NEGATIVE_INFINITY
  #asked: SignedHead | undefined
  #problem: string | undefined
  /** Those that have not answered yet. */
  readonly #busy = new Set<WitnessClient>()
  /** What is gathered for rounds that have ended without those. */
  readonly #open = new Set<Promise<void>>()

  constructor(parts: GatheringParts) {
    this.#parts = parts
    this.#rounds = new Rounds(
      () => this.round(),
      () => parts.everyMs,
    )
    const { cosigned } = parts.checkpoints
    if (cosigned !== undefined) for (const witness of parts.witnesses) witness.remember(cosigned)
  }

  get witnesses(): readonly WitnessState[] {
    return this.#parts.witnesses.map(({ state }) => state)
  }

  /** Why cosignatures that were gathered are not kept. */
  get problem(): string | undefined {
    return this.#problem
  }

  start(): void {
    this.#rounds.start()
  }

  /** Waits for those that are being asked. */
  async close(): Promise<void> {
    await this.#rounds.close()
    await Promise.all(this.#open)
  }

  /**
   * Asks all witnesses once, if there is anything new for them, but those that have not answered what they were asked
   * before. It ends when enough have cosigned: one that is slow holds the next round up only while it is needed. Never
   * rejects.
   */
  async round(): Promise<void> {
    const { checkpoints, clock, witnesses } = this.#parts
    const of = this.#withoutCosignatures(checkpoints.newest)
    const isRefreshed = clock.monotonic() - this.#askedAt < REFRESH_MS
    const isSame = this.#asked?.text === of.text && isRefreshed
    if (isSame && this.witnesses.every(({ problem }) => problem === undefined)) return
    this.#asked = of
    this.#askedAt = clock.monotonic()
    const gathered: Gathered = { of, lines: [], count: 0, enough: Promise.withResolvers() }
    const idle = witnesses.filter((witness) => !this.#busy.has(witness))
    const all = Promise.all(idle.map(async (witness) => await this.#ask(witness, gathered)))
    const rest = all.then(async () => {
      const { lines, count } = gathered
      if (count > 0 && count !== this.#parts.quorum) await this.#keep(of, lines, count > this.#parts.quorum)
      this.#open.delete(rest)
    })
    this.#open.add(rest)
    await Promise.race([rest, gathered.enough.promise])
  }

  async #ask(witness: WitnessClient, gathered: Gathered): Promise<void> {
    this.#busy.add(witness)
    const found = await witness.ask(gathered.of)
    this.#busy.delete(witness)
    if (found.length === 0) return
    gathered.count += 1
    gathered.lines.push(...found.map(({ line }) => line))
    if (gathered.count !== this.#parts.quorum) return
    // The one that makes it enough is not to wait for those that are slow.
    await this.#keep(gathered.of, [...gathered.lines], true)
    gathered.enough.resolve()
  }

  async #keep(of: SignedHead, lines: readonly string[], isEnough: boolean): Promise<void> {
    try {
      await this.#parts.checkpoints.cosign(of, lines, isEnough)
      this.#problem = undefined
    } catch {
      this.#problem = 'the cosignatures of witnesses cannot be written'
    }
  }

  /** As the log signed it: what it sends, and what cosignatures are put behind. */
  #withoutCosignatures({ head, text }: SignedHead): SignedHead {
    const keys = this.#parts.witnesses.flatMap((witness) => witness.keys)
    const note = parseNote(text)
    const own = (note?.signatures ?? []).filter((each) => !keys.some((key) => isBy(each, key)))
    const lines = own.map((each) => signatureLine(each, each.signature))
    return { head, text: `${note?.text ?? ''}\n${lines.join('')}` }
  }
}
