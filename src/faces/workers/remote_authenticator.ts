import type { Clock } from '#base/clock.ts'
import { sha256Latin1 } from '#base/crypto.ts'
import { LIMITS } from '#base/limits.ts'
import type { Sealed } from '#base/sealed.ts'
import type { Authenticator, Caller, Credential, ProvenAnywhere } from '#trust/access/caller.ts'
import { parseKey } from '#trust/access/key.ts'
import { readToken } from '#trust/access/tokens/read_token.ts'
import type { SentProven } from './messages.ts'
import type { WorkerLink } from './remote_recorder.ts'
import { sendCredential } from './sent_credential.ts'

export interface RemoteAuthenticatorParts {
  readonly link: Pick<WorkerLink, 'ask' | 'tell'>
  readonly clock: Clock
  /** The `iss` of every token that may come. */
  readonly issuers: ReadonlySet<string>
}

/** What the writer said of a credential, and of which state that was. */
interface Known extends Pick<SentProven, 'caller' | 'version' | 'until' | 'kept'> {
  readonly epoch: number
}

interface Asking {
  readonly epoch: number
  readonly answer: Promise<Known>
}

/**
 * Proves callers by what the writer says: it has the keys, the directory and the proofs that were used. What it said of a
 * key or token that comes alone is kept until anything at all has changed there, for some seconds at most, and never beyond
 * the end of what proved it.
 */
export class RemoteAuthenticator implements Authenticator<ProvenAnywhere> {
  readonly #parts: RemoteAuthenticatorParts
  /** By hash of the credential and address, the least recently asked first. */
  readonly #known = new Map<string, Known>()
  readonly #asking = new Map<string, Asking>()
  #epoch = 0

  constructor(parts: RemoteAuthenticatorParts) {
    this.#parts = parts
  }

  /** Something has changed: everything is asked again. */
  forget(): void {
    this.#epoch += 1
  }

  authenticate(credential: Credential, address: string): ProvenAnywhere | Promise<ProvenAnywhere> {
    if (credential.kind !== 'bearer') return this.#present(credential, address)
    const name = `${credential.token.open(sha256Latin1)} ${address}`
    const prove = (): Promise<Known> => this.#askOnce(name, credential, address)
    const known = this.#known.get(name)
    if (known !== undefined && this.#isFresh(known)) return this.#proven(known, prove)
    return prove().then((answer) => this.#proven(answer, prove))
  }

  looksReal(credential: Credential): boolean {
    switch (credential.kind) {
      case 'bearer':
      case 'subject':
        return this.#tokenLooksReal(credential.token)
      case 'presented':
        return credential.tokens.some(({ token }) => this.#tokenLooksReal(token))
      case 'none':
      case 'malformed':
      case 'socket':
      case 'system':
        return false
    }
  }

  #isFresh({ epoch, until }: Known): boolean {
    return epoch === this.#epoch && this.#parts.clock.now() < until
  }

  /** What shows a possession is proven once: the writer keeps it as long as the request goes on. */
  async #present(credential: Credential, address: string): Promise<ProvenAnywhere> {
    const { link } = this.#parts
    const first = await this.#ask(async () =>
      link.ask('prove', { credential: sendCredential(credential), address }),
    )
    const { kept } = first
    if (kept === undefined) return this.#proven(first, async () => Promise.resolve(first))
    const again = (): Promise<Known> => this.#ask(async () => link.ask('recheck', kept), first)
    return { ...this.#proven(first, again), end: () => link.tell('proofEnded', kept) }
  }

  #proven(first: Known, prove: () => Promise<Known>): ProvenAnywhere {
    let known = first
    return {
      caller: first.caller,
      recheck: () => {
        if (this.#isFresh(known)) return known.caller
        return prove().then((answer) => (known = answer).caller)
      },
    }
  }

  async #askOnce(name: string, credential: Credential, address: string): Promise<Known> {
    const asking = this.#asking.get(name)
    if (asking?.epoch === this.#epoch) return asking.answer
    const sent = { credential: sendCredential(credential), address }
    const answer = this.#ask(async () => this.#parts.link.ask('prove', sent), this.#known.get(name))
    const mine = { epoch: this.#epoch, answer }
    this.#asking.set(name, mine)
    try {
      this.#keep(name, await answer)
    } finally {
      if (this.#asking.get(name) === mine) this.#asking.delete(name)
    }
    return answer
  }

  /** An answer is of the state in which it was asked for: whatever changed since may have changed it. */
  async #ask(ask: () => Promise<SentProven>, before?: Known): Promise<Known> {
    const epoch = this.#epoch
    const { caller, version, until, kept } = await ask()
    return {
      caller: before?.version === version ? before.caller : frozen(caller),
      version,
      until,
      kept,
      epoch,
    }
  }

  #keep(name: string, known: Known): void {
    this.#known.delete(name)
    this.#known.set(name, known)
    if (this.#known.size <= LIMITS.provenInWorker) return
    const [oldest] = this.#known.keys()
    if (oldest !== undefined) this.#known.delete(oldest)
  }

  #tokenLooksReal(token: Sealed): boolean {
    return token.open((text) => parseKey(text) !== undefined || this.#isFromIssuer(text))
  }

  #isFromIssuer(text: string): boolean {
    if (!text.includes('.')) return false
    try {
      const { iss } = readToken(text).claims
      return typeof iss === 'string' && this.#parts.issuers.has(iss)
    } catch {
      return false
    }
  }
}

/** Frozen all through, as the writer has it: what never changes is prepared for decisions once. */
function frozen(caller: Caller): Caller {
  freezeAll(caller)
  return caller
}

function freezeAll(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  Object.freeze(value)
  for (const inner of Object.values(value)) freezeAll(inner)
}
