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

  close(): Promise<void> {
    return this.#rounds.close()
  }

  /** Asks all witnesses once, if there is anything new for them. Never rejects. */
  async round(): Promise<void> {
    const { checkpoints, clock, witnesses } = this.#parts
    const of = this.#withoutCosignatures(checkpoints.newest)
    const isRefreshed = clock.monotonic() - this.#askedAt < REFRESH_MS
    const isSame = this.#asked?.text === of.text && isRefreshed
    if (isSame && this.witnesses.every(({ problem }) => problem === undefined)) return
    this.#asked = of
    this.#askedAt = clock.monotonic()
    const lines: string[] = []
    let count = 0
    await Promise.all(
      witnesses.map(async (witness) => {
        const found = await witness.ask(of)
        if (found.length === 0) return
        count += 1
        lines.push(...found.map(({ line }) => line))
        // The one that makes it enough is not to wait for those that are slow.
        if (count === this.#parts.quorum) await this.#keep(of, [...lines], true)
      }),
    )
    if (count > 0 && count !== this.#parts.quorum) await this.#keep(of, lines, count > this.#parts.quorum)
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
