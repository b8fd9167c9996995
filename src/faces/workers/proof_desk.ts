import type { Clock, Millis } from '#base/clock.ts'
import { LIMITS } from '#base/limits.ts'
import type { Authenticator, Caller, Proven } from '#trust/access/caller.ts'
import { unproven } from '#trust/access/unproven.ts'
import type { SentProof, SentProven } from './messages.ts'
import { receiveCredential } from './sent_credential.ts'

/** A worker asks again after this at the latest, also where nobody said that something changed. */
const TRUSTED_MS: Millis = 5_000

export interface ProofDeskParts {
  readonly authenticator: Authenticator
  readonly clock: Clock
}

/** Proves callers for one worker, and keeps what was proven by a proof that nobody may use twice. */
export class ProofDesk {
  readonly #parts: ProofDeskParts
  readonly #versions = new WeakMap<Caller, number>()
  readonly #kept = new Map<number, Proven>()
  #last = 0

  constructor(parts: ProofDeskParts) {
    this.#parts = parts
  }

  /** Throws what proving does. */
  async prove({ credential, address }: SentProof): Promise<SentProven> {
    const given = receiveCredential(credential)
    const proven = await this.#parts.authenticator.authenticate(given, address)
    return given.kind === 'bearer' ? this.#send(proven) : { ...this.#send(proven), kept: this.#keep(proven) }
  }

  /** Throws `caller.unknown` as `Proven.recheck`, and for what is kept no more. */
  recheck(kept: number): SentProven {
    const proven = this.#kept.get(kept)
    if (proven === undefined) throw unproven('credential.missing')
    return { ...this.#send(proven), kept }
  }

  forget(kept: number): void {
    this.#kept.delete(kept)
  }

  /** What holds in this very turn: proving may have taken some. */
  #send(proven: Proven): SentProven {
    const caller = proven.recheck()
    const until = Math.min(this.#parts.clock.now() + TRUSTED_MS, proven.endsAt ?? Number.MAX_SAFE_INTEGER)
    return { caller, version: this.#versionOf(caller), until }
  }

  #versionOf(caller: Caller): number {
    const known = this.#versions.get(caller)
    if (known !== undefined) return known
    this.#last += 1
    this.#versions.set(caller, this.#last)
    return this.#last
  }

  #keep(proven: Proven): number {
    this.#last += 1
    this.#kept.set(this.#last, proven)
    // Its request is refused when it is asked about again: a worker has not so many in flight.
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > LIMITS.provenInWorker && oldest !== undefined) this.#kept.delete(oldest)
    return this.#last
  }
}
