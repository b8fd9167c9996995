import { importJWK, importPKCS8, type CryptoKey } from 'jose'
import type { Clock, Millis } from '#base/clock.ts'
import { es256PublicJwk, newEs256Pem, sha256Base64Url } from '#base/crypto.ts'
import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { Sealed } from '#base/sealed.ts'
import type { KeySource } from '../tokens/key_source.ts'
import type { VerifyingKey } from '../tokens/key_set.ts'
import { unproven } from '../unproven.ts'

/** What a signing key is kept as. */
export interface KeptTokenKey {
  readonly madeAt: Millis
  /** P-256 private key, PKCS #8 PEM. */
  readonly pem: Sealed
}

/** Where signing keys are kept. */
export interface TokenKeyStore {
  /** Oldest first. */
  load(): readonly KeptTokenKey[]
  add(key: KeptTokenKey): void
  remove(madeAt: Millis): void
}

/** The key that signs now. */
export interface SigningKey {
  /** The SHA-256 thumbprint of the key (RFC 7638). */
  readonly kid: string
  readonly key: CryptoKey
}

/** A public key as others fetch it. */
export interface PublishedKey extends JsonObject {
  readonly kty: 'EC'
  readonly crv: 'P-256'
  readonly x: string
  readonly y: string
  readonly kid: string
  readonly alg: 'ES256'
  readonly use: 'sig'
}

/** How long a key is published after it signed its last token: until that has ended everywhere, whatever the clocks there say. */
const AFTERLIFE_MS = (LIMITS.issuedTokenSeconds + 60) * 1_000

interface HeldKey extends SigningKey {
  readonly madeAt: Millis
  readonly published: PublishedKey
  readonly verifying: VerifyingKey
}

/**
 * The keys that sign our tokens. Two are in use: the newest is published and signs nothing yet, so that whoever keeps a
 * copy of the set knows it before it is needed; the one before it signs. A rotation adds a key; the one that has signed
 * until then stays published until the last token it signed has ended.
 */
export class TokenKeys {
  readonly #store: TokenKeyStore
  readonly #clock: Clock
  /** Oldest first; always two at least. */
  #keys: readonly HeldKey[]

  private constructor(store: TokenKeyStore, clock: Clock, keys: readonly HeldKey[]) {
    this.#store = store
    this.#clock = clock
    this.#keys = keys
  }

  /** Loads the keys, and makes what is missing of two. Throws what the store throws. */
  static async open(store: TokenKeyStore, clock: Clock): Promise<TokenKeys> {
    const keys = await Promise.all(store.load().map(hold))
    const opened = new TokenKeys(store, clock, keys)
    while (opened.#keys.length < 2) await opened.#add()
    opened.#forgetEnded()
    return opened
  }

  get signing(): SigningKey {
    const [key] = this.#keys.slice(-2)
    if (key === undefined) throw new TypeError('there are always two keys')
    return key
  }

  /** What stands in the key set now, newest first. */
  published(): readonly PublishedKey[] {
    const now = this.#clock.now()
    return this.#keys
      .filter((_key, at) => !this.#hasEnded(at, now))
      .map(({ published }) => published)
      .toReversed()
  }

  /** For the verifier: our own tokens are checked as those of every other issuer. */
  get source(): KeySource {
    const find = (kid: string | undefined): VerifyingKey | undefined => {
      const now = this.#clock.now()
      return this.#keys.find((key, at) => key.kid === kid && !this.#hasEnded(at, now))?.verifying
    }
    return {
      keyFor: ({ kid, algorithm }) => {
        const key = find(kid)
        if (key === undefined || algorithm !== key.algorithm) throw unproven('token.key_unknown')
        return key
      },
      has: (key) => find(key.kid) === key,
      state: () => ({ kind: 'fresh', keys: this.#keys.length, readAt: this.#clock.now(), problems: [] }),
    }
  }

  /** From now on the next key signs, and another one is next. Gives the ids of both. Throws what the store throws. */
  async rotate(): Promise<{ readonly signing: string; readonly next: string }> {
    const next = await this.#add()
    this.#forgetEnded()
    return { signing: this.signing.kid, next: next.kid }
  }

  async #add(): Promise<HeldKey> {
    const pem = new Sealed(newEs256Pem())
    const key = await hold({ madeAt: 0, pem })
    // Times name the files, so no two may be the same. From here on nothing is waited for: another rotation comes before or after.
    const madeAt = Math.max(this.#clock.now(), (this.#keys.at(-1)?.madeAt ?? 0) + 1)
    this.#store.add({ madeAt, pem })
    const held = { ...key, madeAt }
    this.#keys = [...this.#keys, held]
    return held
  }

  #forgetEnded(): void {
    const now = this.#clock.now()
    const ended = this.#keys.filter((_key, at) => this.#hasEnded(at, now))
    this.#keys = this.#keys.filter((key) => !ended.includes(key))
    for (const { madeAt } of ended) this.#store.remove(madeAt)
  }

  /** A key signs from the time at which the one after it was made, to the time at which the one after that was. */
  #hasEnded(at: number, now: Millis): boolean {
    const signedUntil = this.#keys[at + 2]?.madeAt
    return signedUntil !== undefined && now >= signedUntil + AFTERLIFE_MS
  }
}

async function hold({ madeAt, pem }: KeptTokenKey): Promise<HeldKey> {
  return pem.open(async (text) => {
    const jwk = es256PublicJwk(text)
    // RFC 7638 section 3: the required members in the order of their names, without space.
    const kid = sha256Base64Url(JSON.stringify({ crv: jwk.crv, kty: jwk.kty, x: jwk.x, y: jwk.y }))
    const published = Object.freeze({ ...jwk, kid, alg: 'ES256', use: 'sig' } as const)
    const verifying = { kid, algorithm: 'ES256', print: kid, key: await importJWK(jwk, 'ES256') } as const
    return { madeAt, kid, key: await importPKCS8(text, 'ES256'), published, verifying }
  })
}
