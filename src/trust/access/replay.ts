import type { Millis } from '#base/clock.ts'
import type { CallerStore } from './caller_store.ts'
import type { DirectoryParts } from './directory_change.ts'
import { replayDirectory } from './directory_replay.ts'
import type { RecordedChange } from './recorded_change.ts'
import { endingAt, type KeyRecord } from './key_record.ts'

export interface Replayed {
  /** Changes that were recorded and not made here, and are now. */
  readonly made: number
  /** Keys that were made and are not here: they are refused as unknown. */
  readonly missing: number
}

export interface ReplayParts extends DirectoryParts {
  readonly keyStore: Pick<CallerStore, 'setRevoked' | 'replaceSecrets'>
  /** How long a rotated secret goes on. */
  readonly overlapMs: number
}

/**
 * Makes changes again that the ledger has and this database may not have, because an older one was put back or the
 * process ended in between. It only narrows: what is open here and was closed is closed, nothing is ever opened.
 */
export function replayChanges(parts: ReplayParts, changes: readonly RecordedChange[]): Replayed {
  let made = replayDirectory(parts, changes)
  let missing = 0
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

function revoke({ keyStore }: ReplayParts, record: KeyRecord, at: Millis): boolean {
  if (record.revokedAt !== undefined) return false
  keyStore.setRevoked(record.kid, at)
  record.revokedAt = at
  return true
}

/** The new secret is lost, as only its hash was kept; the one that it replaced still ends when it was to end. */
function endOlderSecrets({ keyStore, overlapMs }: ReplayParts, record: KeyRecord, at: Millis): boolean {
  const end = at + overlapMs
  const isHere = record.secrets.some((secret) => secret.createdAt >= at)
  if (isHere || record.secrets.every((secret) => secret.notAfter <= end)) return false
  const secrets = record.secrets.map((secret) => endingAt(secret, Math.min(secret.notAfter, end)))
  keyStore.replaceSecrets(record.kid, secrets)
  record.secrets = secrets
  return true
}
