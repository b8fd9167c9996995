import type { Millis } from '#base/clock.ts'
import type { KeyQuery, VerifyingKey } from './key_set.ts'

/** Where the keys of one issuer come from. */
export interface KeySource {
  /**
   * The key that signed a token, at once where it is known. Throws `caller.unknown` with `token.key_missing`,
   * `token.key_unknown` or `issuer.unreachable`.
   */
  keyFor(query: KeyQuery): VerifyingKey | Promise<VerifyingKey>
  /** True while the issuer still has the key, as far as is known; asked for each request, so it costs next to nothing. */
  has(key: VerifyingKey): boolean
  state(): KeySourceState
}

/** For an operator. Times are of the wall clock. */
export interface KeySourceState {
  /** `waiting`: not asked yet; `fresh`; `stale`: the last attempt failed, and what was read before counts; `none`: no keys. */
  readonly kind: 'waiting' | 'fresh' | 'stale' | 'none'
  readonly keys: number
  readonly readAt: Millis | undefined
  /** What is wrong, in words of our own; empty when nothing is. */
  readonly problems: readonly string[]
}
