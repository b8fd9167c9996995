/** Secrets for keyed hashing, by id, so that an older one still checks what it once hashed. */
export interface Peppers {
  /** The id of the one that new hashes use. */
  readonly current: string
  has(id: string): boolean
  /** HMAC-SHA-256 (RFC 2104) of `text` under the secret `id`, which must be one that `has` knows. */
  mac(id: string, text: string): Uint8Array
}
