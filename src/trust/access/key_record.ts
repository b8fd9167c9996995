import type { Millis } from '#base/clock.ts'
import { equalSecrets, randomBytes, SHA256_BYTES } from '#base/crypto.ts'
import type { JsonObject } from '#base/json.ts'
import type { AddressRanges } from './address_ranges.ts'
import type { Scope } from './caller.ts'
import type { CallerRecord } from './directory_record.ts'
import type { KeyEnvironment } from './key.ts'
import type { Unproven } from './unproven.ts'

export const DAY_MS = 86_400_000
/** A key that nobody used for so long is refused: what is forgotten is not watched. */
export const MAX_IDLE_DAYS = 30

/** One of at most two live secrets of a key, as a keyed hash. */
export interface SecretRecord {
  readonly number: number
  readonly mac: Uint8Array
  readonly createdAt: Millis
  readonly notAfter: Millis
  /** Days since 1970-01-01; finer would be a record of what people do when. */
  lastUsedDay: number | undefined
}

/** A key as stored. */
export interface KeyRecord {
  readonly kid: string
  readonly environment: KeyEnvironment
  readonly pepperId: string
  readonly owner: CallerRecord
  readonly scope: Scope
  /** How much may be spent with it, as it was set. Frozen. */
  readonly limits: JsonObject | undefined
  readonly addresses: readonly string[]
  readonly ranges: AddressRanges
  readonly notBefore: Millis
  readonly createdAt: Millis
  readonly createdBy: string
  revokedAt: Millis | undefined
  secrets: readonly SecretRecord[]
}

/** The same secret with another end. */
export function endingAt(secret: SecretRecord, notAfter: Millis): SecretRecord {
  const { number, mac, createdAt, lastUsedDay } = secret
  return { number, mac, createdAt, notAfter, lastUsedDay }
}

/** Compared with where a key has no second secret, so that each check takes the same work. Nothing hashes to it. */
export const NO_SECRET: SecretRecord = {
  number: 0,
  mac: randomBytes(SHA256_BYTES),
  createdAt: 0,
  notAfter: 0,
  lastUsedDay: undefined,
}

/** The secret whose hash is `mac`. Always two comparisons in constant time, whatever the key holds. */
export function matchingSecret(record: KeyRecord, mac: Uint8Array): SecretRecord | undefined {
  const [first = NO_SECRET, second = NO_SECRET] = record.secrets
  const isFirst = equalSecrets(first.mac, mac)
  const isSecond = equalSecrets(second.mac, mac)
  if (isFirst) return first
  return isSecond ? second : undefined
}

/** What can be wrong with a key whose secret is right. */
export type Objection = Extract<
  Unproven,
  'key.revoked' | 'caller.disabled' | 'key.not_yet_valid' | 'key.expired' | 'key.idle'
>

/** Why the key does not hold now, or undefined when it does. The order only matters to the ledger's reason. */
export function objection(record: KeyRecord, secret: SecretRecord, now: Millis): Objection | undefined {
  if (record.revokedAt !== undefined) return 'key.revoked'
  if (record.owner.disabledAt !== undefined) return 'caller.disabled'
  if (now < record.notBefore) return 'key.not_yet_valid'
  if (now >= secret.notAfter) return 'key.expired'
  return isIdle(record, secret, now) ? 'key.idle' : undefined
}

/** Why none of the secrets of a key holds now, or undefined when one does. */
export function objectionToAll(record: KeyRecord, now: Millis): Objection | undefined {
  const reasons = record.secrets.map((secret) => objection(record, secret, now))
  return reasons.includes(undefined) ? undefined : (reasons.at(-1) ?? 'key.expired')
}

/** The address that a request on the admin socket has; no range speaks of it. */
const SOCKET = 'socket'

/** True for an address that the key may be used from. */
export function admits({ ranges }: Pick<KeyRecord, 'ranges'>, address: string): boolean {
  return ranges.admits(address) || address === SOCKET
}

function isIdle(record: KeyRecord, secret: SecretRecord, now: Millis): boolean {
  const since = secret.lastUsedDay ?? toDay(Math.max(secret.createdAt, record.notBefore))
  return toDay(now) - since > MAX_IDLE_DAYS
}

export function toDay(at: Millis): number {
  return Math.floor(at / DAY_MS)
}
