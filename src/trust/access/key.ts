import { base62Checksum } from '#base/base62_checksum.ts'
import { randomBase62 } from '#base/ids.ts'

/**
 * A key is `gate_<env>_<kid>_<secret>_<crc>`: the environment (`live` or `test`), 12 base-62 characters of public id,
 * 32 of secret (190 bits), and 6 for the CRC-32 of everything before the last `_`. The checksum proves nothing; it
 * lets a scanner and us tell a key from a typo without a look-up.
 */
const KEY_FORM = /^gate_(?:live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/
const KID_LENGTH = 12
const SECRET_LENGTH = 32
const CRC_LENGTH = 6
const KID_START = 'gate_live_'.length
const KEY_LENGTH = KID_START + KID_LENGTH + SECRET_LENGTH + CRC_LENGTH + 2

export type KeyEnvironment = 'live' | 'test'

/** What a key says of itself in public. */
export interface KeyId {
  readonly environment: KeyEnvironment
  readonly kid: string
}

export function newKid(): string {
  return randomBase62(KID_LENGTH)
}

/** A new key text with a fresh secret. Seal it at once: it is shown once and never stored. */
export function newKeyText({ environment, kid }: KeyId): string {
  const body = `gate_${environment}_${kid}_${randomBase62(SECRET_LENGTH)}`
  return `${body}_${base62Checksum(body)}`
}

/** Reads the public part of a key whose form and checksum are right; undefined for any other text. */
export function parseKey(text: string): KeyId | undefined {
  // Cut out by place: what a pattern captures costs more than the rest.
  if (text.length !== KEY_LENGTH || !KEY_FORM.test(text)) return undefined
  const end = KEY_LENGTH - CRC_LENGTH
  if (base62Checksum(text.slice(0, end - 1)) !== text.slice(end)) return undefined
  const environment = text.startsWith('gate_live_') ? 'live' : 'test'
  return { environment, kid: text.slice(KID_START, KID_START + KID_LENGTH) }
}
