import type { Millis } from '#base/clock.ts'
import type { CallerStore } from './caller_store.ts'
import type { CallerRecord, KeyRecord, SecretRecord } from './key_record.ts'

/** A change of keys or callers as the ledger has it. */
export interface RecordedChange {
  readonly what: string
  readonly at: Millis
  /** The key that it names, or that it made. */
  readonly kid: string | undefined
  /** The caller that it names. */
  readonly name: string | undefined
  /** True when the ledger says that it was made, not only that it was asked for. */
  readonly isMade: boolean
}

export interface Replayed {
  /** Changes that were recorded and not made here, and are now. */
  readonly made: number
  /** Keys that were made and are not here: they are refused as unknown. */
  readonly missing: number
}

export interface ReplayParts {
  readonly store: Pick<CallerStore, 'setRevoked' | 'setDisabled' | 'replaceSecrets'>
  readonly callers: ReadonlyMap<string, CallerRecord>
  readonly keys: ReadonlyMap<string, KeyRecord>
  /** How long a rotated secret goes on. */
  readonly overlapMs: number
}

/**
 * Makes changes again that the ledger has and this database may not have, because an older one was put back or the
 * process ended in between. It only narrows: what is open here and was closed is closed, nothing is ever opened.
 */
export function replayChanges(parts: ReplayParts, changes: readonly RecordedChange[]): Replayed {
  let made = 0
  let missing = 0
  for (const [name, at] of disabledAtEnd(changes)) if (disable(parts, name, at)) made += 1
  for (const change of changes) {
    const record = change.kid === undefined ? undefined : parts.keys.get(change.kid)
    if (change.what === 'key:create' && change.isMade && change.kid !== undefined && record === undefined)
      missing += 1
    if (record === undefined) continue
    if (change.what === 'key:revoke' && revoke(parts, record, change.at)) made += 1
    // One that was refused stands in the ledger too, and must not end the secrets.
    if (change.what === 'key:rotate' && change.isMade && endOlderSecrets(parts, record, change.at)) made += 1
  }
  return { made, missing }
}

/** The callers whose last change is that they were disabled. Whether they were enabled must be certain, not asked for. */
function disabledAtEnd(changes: readonly RecordedChange[]): ReadonlyMap<string, Millis> {
  const disabled = new Map<string, Millis>()
  for (const { what, name, at, isMade } of changes) {
    if (name === undefined) continue
    if (what === 'caller:disable') disabled.set(name, at)
    if (what === 'caller:enable' && isMade) disabled.delete(name)
  }
  return disabled
}

function disable({ store, callers }: ReplayParts, name: string, at: Millis): boolean {
  const caller = callers.get(name)
  if (caller === undefined || caller.disabledAt !== undefined) return false
  store.setDisabled(name, at)
  caller.disabledAt = at
  return true
}

function revoke({ store }: ReplayParts, record: KeyRecord, at: Millis): boolean {
  if (record.revokedAt !== undefined) return false
  store.setRevoked(record.kid, at)
  record.revokedAt = at
  return true
}

/** The new secret is lost, as only its hash was kept; the one that it replaced still ends when it was to end. */
function endOlderSecrets({ store, overlapMs }: ReplayParts, record: KeyRecord, at: Millis): boolean {
  const end = at + overlapMs
  const isHere = record.secrets.some((secret) => secret.createdAt >= at)
  if (isHere || record.secrets.every((secret) => secret.notAfter <= end)) return false
  const secrets = record.secrets.map((secret): SecretRecord => ({
    ...secret,
    notAfter: Math.min(secret.notAfter, end),
  }))
  store.replaceSecrets(record.kid, secrets)
  record.secrets = secrets
  return true
}
