import { sameBytes } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { sha256Hex } from '#base/crypto.ts'
import { parseHead, type Head } from '#trust/ledger/checkpoint.ts'
import { cosignaturesOf } from '#trust/ledger/cosignature.ts'
import { rootOf } from '#trust/ledger/merkle.ts'
import {
  isBy,
  openNote,
  parseNote,
  signatureLine,
  type NoteSigner,
  type NoteVerifier,
} from '#trust/ledger/note.ts'
import { verifyConsistency } from '#trust/ledger/proof.ts'
import { parseAddCheckpoint, type AddCheckpoint } from './add_checkpoint.ts'
import type { Witnessed, WitnessStore } from './witness_store.ts'

export interface WitnessAnswer {
  readonly status: 200 | 400 | 403 | 404 | 409 | 422
  readonly type: 'text/plain; charset=utf-8' | 'text/x.tlog.size'
  readonly body: string
}

export interface WitnessParts {
  /** Each makes cosignatures (c2sp.org/tlog-cosignature) under the name of the witness. */
  readonly signers: readonly NoteSigner[]
  /** The keys of the logs that are witnessed, by origin. */
  readonly logs: ReadonlyMap<string, readonly NoteVerifier[]>
  readonly store: WitnessStore
  readonly clock: Clock
  /**
   * Told when a log that is known has signed what was not shown to follow from what was cosigned. `isProven`: it has signed
   * two trees of one size, so it has forked. Otherwise it may have, or somebody has sent a checkpoint of it with a wrong
   * proof, which anybody can: that is told once a minute.
   */
  onInconsistent(origin: string, checkpoint: string, isProven: boolean): void
}

const UNPROVEN_EVERY_MS = 60_000

/**
 * A witness (c2sp.org/tlog-witness): it cosigns a checkpoint of a log that it knows when the log has only grown since the
 * one before, and remembers it, on disk, before it answers. So nobody gets two histories of one log cosigned by it.
 */
export class Witness {
  readonly #parts: WitnessParts
  /** When something unproven was told last, by origin: no more of them than there are logs. */
  readonly #toldAt = new Map<string, number>()

  constructor(parts: WitnessParts) {
    this.#parts = parts
  }

  /** Answers a request to add a checkpoint. Rejects with `home.unwritable` when it cannot be remembered. */
  async add(body: string): Promise<WitnessAnswer> {
    const request = parseAddCheckpoint(body)
    // Signature lines come later: what is wrong with them is no fault of form (c2sp.org/tlog-witness).
    const head = request && parseHead(textOf(request.checkpoint))
    if (request === undefined || head === undefined) return refused(400, 'malformed request')
    const verifiers = this.#parts.logs.get(head.origin)
    if (verifiers === undefined) return refused(404, 'unknown log')
    const text = openNote(request.checkpoint, verifiers)
    if (text === undefined) return refused(403, 'invalid signature')
    if (request.oldSize > head.size) return refused(400, 'the old size is larger than the checkpoint')
    const known = this.#parts.store.newest(head.origin)
    const knownSize = known?.head.size ?? 0
    if (knownSize !== request.oldSize) return conflict(knownSize)
    if (!isConsistent(known?.head, head, request)) {
      this.#tell(head, request.checkpoint, known?.head)
      return refused(422, 'the consistency proof does not verify')
    }
    return await this.#cosign({ text, head, known }, request)
  }

  /** The newest checkpoint that was cosigned of the log whose origin has this SHA-256. */
  newest(originHash: string): string | undefined {
    return this.#parts.store.newestByHash(originHash)?.note
  }

  #tell(head: Head, checkpoint: string, known: Head | undefined): void {
    const { clock } = this.#parts
    const isProven = known?.size === head.size && !sameBytes(known.root, head.root)
    const now = clock.monotonic()
    if (!isProven && now - (this.#toldAt.get(head.origin) ?? Number.NEGATIVE_INFINITY) < UNPROVEN_EVERY_MS)
      return
    if (!isProven) this.#toldAt.set(head.origin, now)
    this.#parts.onInconsistent(head.origin, checkpoint, isProven)
  }

  async #cosign(
    { text, head, known }: { text: string; head: Head; known: Witnessed | undefined },
    { checkpoint, oldSize }: AddCheckpoint,
  ): Promise<WitnessAnswer> {
    const { store, signers, clock } = this.#parts
    // A clock that was put back must not say that a larger tree was the newest before a smaller one was.
    const earlier = known === undefined ? [] : cosignaturesOf(known.note, signers).map(({ at }) => at)
    const now = Math.max(clock.now(), ...earlier)
    // Nobody has them before they are remembered; when another request was faster, nobody ever will.
    const lines = (await Promise.all(signers.map(async (signer) => await signer.sign(text, now)))).join('')
    const note = `${text}\n${this.#logLines(head.origin, checkpoint)}${lines}`
    const isNewest = store.advance({ head, note }, sha256Hex(head.origin), oldSize)
    if (!isNewest) return conflict(store.newest(head.origin)?.head.size ?? 0)
    return { status: 200, type: 'text/plain; charset=utf-8', body: lines }
  }

  /** Of the signatures that came, those that were verified. */
  #logLines(origin: string, checkpoint: string): string {
    const verifiers = this.#parts.logs.get(origin) ?? []
    const { signatures = [] } = parseNote(checkpoint) ?? {}
    return signatures
      .filter((each) => verifiers.some((verifier) => isBy(each, verifier)))
      .map((each) => signatureLine(each, each.signature))
      .join('')
  }
}

/** The text of a note, whatever follows it. */
function textOf(note: string): string {
  return note.slice(0, note.lastIndexOf('\n\n') + 1)
}

/** Whether a tree is the one that was cosigned last, grown or the same. Of what is empty every tree is a growth. */
function isConsistent(known: Head | undefined, head: Head, { proof }: AddCheckpoint): boolean {
  if (head.size === 0 && !sameBytes(head.root, rootOf([]))) return false
  if (known === undefined || known.size === 0) return proof.length === 0
  if (known.size === head.size) return proof.length === 0 && sameBytes(known.root, head.root)
  const { size: first, root: firstRoot } = known
  return verifyConsistency({ first, second: head.size, firstRoot, secondRoot: head.root, proof })
}

function refused(status: 400 | 403 | 404 | 422, why: string): WitnessAnswer {
  return { status, type: 'text/plain; charset=utf-8', body: `${why}\n` }
}

function conflict(size: number): WitnessAnswer {
  return { status: 409, type: 'text/x.tlog.size', body: `${size}\n` }
}
