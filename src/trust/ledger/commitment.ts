import { concat, sameBytes, toBase64Url, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { hmacSha256, SHA256_BYTES, sha256 } from '#base/crypto.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'

/** Bytes of the secret from which all salts of one request come. */
export const SEED_BYTES = 32

// A tag of fixed length first, so that no hash of ours for another purpose is a commitment.
const TAG = utf8('gatehouse commitment v1\n')

/**
 * The salt of one field. One random seed serves all fields of a request; a disclosed salt says nothing of the others
 * (docs/decisions/0006-salts-from-one-seed.md). The kind is in it because intent and outcome may name a field alike.
 */
export function saltFor(seed: Uint8Array, kind: string, name: string): Uint8Array {
  return hmacSha256(seed, `${kind} ${name}`)
}

/**
 * SHA-256(tag || salt || length of name || name || canonical JSON of the value). Tag and salt have fixed lengths and
 * the name has a length before it, so no two (name, value) pairs give the same bytes.
 */
export function commit(salt: Uint8Array, name: string, value: JsonValue): Uint8Array {
  const nameBytes = utf8(name)
  const length = Uint8Array.of(nameBytes.length >> 8, nameBytes.length & 0xff)
  return sha256(concat(TAG, salt, length, nameBytes, utf8(canonicalJson(value))))
}

/** Whether value and salt are what the leaf commits to under this name. */
export function verifyDisclosure(
  leaf: JsonObject,
  name: string,
  value: JsonValue,
  salt: Uint8Array,
): boolean {
  const commitments = leaf['commit']
  if (!isJsonObject(commitments) || !Object.hasOwn(commitments, name)) return false
  const expected = commitments[name]
  if (typeof expected !== 'string' || salt.length !== SHA256_BYTES) return false
  return sameBytes(utf8(expected), utf8(toBase64Url(commit(salt, name, value))))
}
