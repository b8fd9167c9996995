import type { Clock } from '#base/clock.ts'
import { equalSecrets, hmacSha256, randomBytes, SHA256_BYTES } from '#base/crypto.ts'

/** A nonce is new for so long, and is taken for as long again. */
const WINDOW_MS = 300_000
const WINDOW_BYTES = 6
const MAC_BYTES = 16

/**
 * Nonces of the server for proofs (RFC 9449 sections 8 and 9): a proof that was made in advance, or on another clock, has
 * none. Nothing is kept of them; each is the number of its time window under a key that lives as long as the process.
 */
export class ProofNonces {
  readonly #clock: Clock
  readonly #key = randomBytes(SHA256_BYTES)
  #window = -1
  #text = ''

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The one that a caller is to use from now on. */
  current(): string {
    const window = this.#now()
    if (window !== this.#window) {
      this.#window = window
      this.#text = this.#print(window)
    }
    return this.#text
  }

  /** True for the current one and the one before it. */
  holds(nonce: string): boolean {
    const window = this.#now()
    const given = Buffer.from(nonce, 'base64url')
    return [window, window - 1].some((one) => equalSecrets(given, Buffer.from(this.#print(one), 'base64url')))
  }

  #now(): number {
    return Math.floor(this.#clock.now() / WINDOW_MS)
  }

  #print(window: number): string {
    const bytes = Buffer.alloc(WINDOW_BYTES + MAC_BYTES)
    bytes.writeUIntBE(window, 0, WINDOW_BYTES)
    bytes.set(hmacSha256(this.#key, String(window)).subarray(0, MAC_BYTES), WINDOW_BYTES)
    return bytes.toString('base64url')
  }
}
