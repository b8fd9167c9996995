import type { Clock, Millis } from '#base/clock.ts'
import { asFault } from '#base/fault.ts'
import type { Upstream, UpstreamAnswer } from '#base/http_client.ts'
import { parseSize } from '#trust/ledger/checkpoint.ts'
import type { SignedHead } from '#trust/ledger/checkpointer.ts'
import {
  forked,
  NO_PROBLEM,
  outage,
  rolledBack,
  type HolderProblem,
  type HolderState,
} from '#trust/ledger/contradiction.ts'
import { cosignaturesOf, type Cosignature } from '#trust/ledger/cosignature.ts'
import { parseSignatureLines, type NoteVerifier } from '#trust/ledger/note.ts'
import { printAddCheckpoint } from './add_checkpoint.ts'

/** A witness as the log that asks it knows it. */
export interface WitnessState extends HolderState {
  /** The name in its keys. */
  readonly name: string
  /** Entries that its newest cosignature covers; undefined before the first. */
  readonly entries: number | undefined
  /** When it made it, as it says itself. */
  readonly at: Millis | undefined
}

export interface WitnessClientParts {
  readonly keys: readonly NoteVerifier[]
  readonly upstream: Pick<Upstream, 'send'>
  /** Path of its `add-checkpoint`. */
  readonly path: string
  /** The hashes that prove that the log grew from `first` to `second` entries (RFC 6962 section 2.1.2). */
  readonly consistencyProof: (first: number, second: number) => Promise<readonly Uint8Array[]>
  readonly clock: Clock
  /** After one failure; twice as long after each further one, up to ten minutes. */
  readonly firstWaitMs: number
}

const MOST_WAIT_MS = 600_000
/** How far the clock of a witness may be ahead of ours. */
const MOST_AHEAD_MS = 86_400_000
/** One question that tells the size, and one with the proof from there; the log may be asked for by others in between. */
const TRIES = 3

/** Asks one witness for cosignatures (c2sp.org/tlog-witness). */
export class WitnessClient {
  readonly #parts: WitnessClientParts
  /** What the witness has cosigned last, as it said. */
  #known = 0
  #state: WitnessState
  #failures = 0
  #notBefore = Number.NEGATIVE_INFINITY

  constructor(parts: WitnessClientParts) {
    this.#parts = parts
    const name = parts.keys[0]?.name ?? ''
    this.#state = { name, entries: undefined, at: undefined, ...NO_PROBLEM }
  }

  get state(): WitnessState {
    return this.#state
  }

  get keys(): readonly NoteVerifier[] {
    return this.#parts.keys
  }

  /** Takes over what is known of earlier cosignatures. */
  remember(of: SignedHead): void {
    const [found] = cosignaturesOf(of.text, this.#parts.keys)
    if (found === undefined) return
    this.#known = of.head.size
    this.#state = { ...this.#state, entries: of.head.size, at: found.at }
  }

  /** Cosignatures that hold, for a checkpoint without any. Empty when it gives none, or is not asked yet again. Never throws. */
  async ask(of: SignedHead): Promise<readonly Cosignature[]> {
    const { clock, firstWaitMs } = this.#parts
    if (clock.monotonic() < this.#notBefore) return []
    try {
      const found = await this.#ask(of)
      this.#failures = 0
      const at = Math.max(...found.map((each) => each.at))
      this.#state = { ...this.#state, entries: of.head.size, at, ...NO_PROBLEM }
      return found
    } catch (thrown) {
      const problem =
        thrown instanceof Refusal ? thrown.why : outage(`cannot be asked: ${asFault(thrown).code}`)
      this.#state = { ...this.#state, ...problem }
      this.#notBefore = clock.monotonic() + Math.min(MOST_WAIT_MS, firstWaitMs * 2 ** this.#failures)
      this.#failures += 1
      return []
    }
  }

  async #ask(of: SignedHead): Promise<readonly Cosignature[]> {
    for (let tries = 0; tries < TRIES; tries++) {
      const answer = await this.#send(of)
      const body = Buffer.from(answer.body).toString('utf8')
      if (answer.status === 200) return this.#take(of, body)
      const size = answer.status === 409 ? toldSize(answer, body) : undefined
      // Older witnesses answer so where the tree of this size is another one; 422 is what is asked for today.
      if (answer.status === 409 && this.#known === of.head.size && (size ?? this.#known) === this.#known)
        throw new Refusal(problemOf(422))
      if (size === undefined || size === this.#known) throw new Refusal(problemOf(answer.status))
      if (size > of.head.size)
        // It remembers more than there is: nothing that was cosigned may ever be gone.
        throw new Refusal(rolledBack('has cosigned', size, of.head.size))
      this.#known = size
    }
    throw new Refusal(problemOf(409))
  }

  async #send({ head, text }: SignedHead): Promise<UpstreamAnswer> {
    const { upstream, path, consistencyProof } = this.#parts
    const oldSize = this.#known
    const isGrown = oldSize > 0 && oldSize < head.size
    const proof = isGrown ? await consistencyProof(oldSize, head.size) : []
    return await upstream.send({
      method: 'POST',
      path,
      headers: ['content-type', 'text/plain; charset=utf-8', 'user-agent', 'gatehouse'],
      body: printAddCheckpoint({ oldSize, proof, checkpoint: text }),
      memory: BOUNDED,
      onAbort: () => undefined,
    })
  }

  #take(of: SignedHead, body: string): readonly Cosignature[] {
    // An empty line in it would end another text than the one that was sent.
    const lines = parseSignatureLines(body)
    const held = lines === undefined ? [] : cosignaturesOf(of.text + body, this.#parts.keys)
    if (held.length === 0) throw new Refusal(outage('gives no signature of its keys that holds'))
    const latest = this.#parts.clock.now() + MOST_AHEAD_MS
    // 0 says nothing of the time, and one to come would hide for long that it cosigns no more.
    const found = held.filter(({ at }) => at > 0 && at <= latest)
    if (found.length === 0)
      throw new Refusal(outage('states a time that is not now: its clock or that of this machine is wrong'))
    this.#known = of.head.size
    return found
  }
}

/** What a witness says, in our words: they are shown to operators. */
class Refusal extends Error {
  readonly why: HolderProblem

  constructor(why: HolderProblem) {
    super(why.problem)
    this.why = why
  }
}

/** An answer has some kilobytes at most, and each witness is asked one question at a time. */
const BOUNDED = { claim: () => undefined }

function toldSize({ headers }: UpstreamAnswer, body: string): number | undefined {
  return headers['content-type'] === 'text/x.tlog.size' ? parseSize(body.trimEnd()) : undefined
}

function problemOf(status: number): HolderProblem {
  // "the root hash does not match" (c2sp.org/tlog-witness): it has cosigned another tree of this size.
  if (status === 422) return forked('has cosigned')
  return outage(STATUS_WORDS[status] ?? `answers ${status}`)
}

const STATUS_WORDS: Readonly<Record<number, string>> = {
  403: 'does not know the key that signs this log',
  404: 'does not know this log',
  409: 'does not say which checkpoint it has cosigned last',
  429: 'is asked too often',
}
