import { canonicalJson } from '#base/canonical_json.ts'
import { hmacSha256, hmacSha256Latin1, SHA256_BYTES, sha256Base64Url } from '#base/crypto.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'

/** Bytes of the secret from which all salts of one request come. */
export const SEED_BYTES = 32

/**
 * The salt of one field. One random seed serves all fields of a request; a disclosed salt says nothing of the others
 * (docs/decisions/0006-salts-from-one-seed.md). The kind is in it because intent and outcome may name a field alike.
 */
export function saltFor(seed: Uint8Array, kind: string, name: string): Uint8Array {
  return hmacSha256(seed, saltLabel(kind, name))
}

/**
 * What a leaf holds for a value, in base64url: SHA-256(tag || salt || length of name || name || canonical JSON of the
 * value). Tag and salt have fixed lengths and the name has a length before it, so no two (name, value) pairs give the
 * same bytes.
 */
export function commit(salt: Uint8Array, name: string, json: string): string {
  return commitLatin1(Buffer.from(salt).toString('latin1'), name, json)
}

/** `commit` with the salt of the field, without a Buffer in between. */
export function commitField(seed: Uint8Array, kind: string, name: string, json: string): string {
  return commitLatin1(hmacSha256Latin1(seed, saltLabel(kind, name)), name, json)
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
  return salt.length === SHA256_BYTES && expected === commit(salt, name, canonicalJson(value))
}

// A tag of fixed length first, so that no hash of ours for another purpose is a commitment.
const TAG = 'gatehouse commitment v1\n'
const SALT_AT = TAG.length
const NAME_LENGTH_AT = SALT_AT + SHA256_BYTES
const NAME_AT = NAME_LENGTH_AT + 2
// Used again by every call, none of which runs inside another; longer values get bytes of their own.
const MESSAGE = Buffer.alloc(4_096)

function commitLatin1(salt: string, name: string, json: string): string {
  const most = NAME_AT + MOST_UTF8 * (name.length + json.length)
  const message = most <= MESSAGE.length ? MESSAGE : Buffer.allocUnsafe(most)
  message.write(TAG, 0, 'latin1')
  message.write(salt, SALT_AT, 'latin1')
  const nameBytes = message.write(name, NAME_AT, 'utf8')
  message.writeUInt16BE(nameBytes, NAME_LENGTH_AT)
  const end = NAME_AT + nameBytes + message.write(json, NAME_AT + nameBytes, 'utf8')
  return sha256Base64Url(message.subarray(0, end))
}

/** Bytes that one UTF-16 code unit takes at most. */
const MOST_UTF8 = 3

function saltLabel(kind: string, name: string): string {
  return `${kind} ${name}`
}
