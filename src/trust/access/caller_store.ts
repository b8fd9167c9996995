import type { Millis } from '#base/clock.ts'
import { migrate, type Database } from '#base/sqlite.ts'
import { ACCESS_STEPS } from './access_steps.ts'
import type { CallerRecord } from './directory_record.ts'
import { openDirectoryStore, type DirectoryStore } from './directory_store.ts'
import { loadKeys } from './key_load.ts'
import type { KeyRecord, SecretRecord } from './key_record.ts'
import { objectText } from './stored_row.ts'

/** Where callers and keys are kept. Each verb is on disk when it returns; throws `home.unwritable`. */
export interface CallerStore {
  /** What callers are and belong to. */
  readonly directory: DirectoryStore
  /** All keys, of owners by id. */
  loadKeys(owners: ReadonlyMap<string, CallerRecord>): readonly KeyRecord[]
  /** Adds a key, and its owner when that is new. */
  addKey(record: KeyRecord, isOwnerNew: boolean): void
  /** Puts `secrets` in place of all that the key had. */
  replaceSecrets(kid: string, secrets: readonly SecretRecord[]): void
  setRevoked(kid: string, at: Millis): void
  setLastUsed(days: readonly (readonly [kid: string, number: number, day: number])[]): void
  close(): void
}

/** Opens the tables. Throws `home.damaged` when they are from a newer Gatehouse. */
export function openCallerStore(database: Database): CallerStore {
  migrate(database, 'access', ACCESS_STEPS)
  const directory = openDirectoryStore(database)
  const insertKey = database.prepare('INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertSecret = database.prepare('INSERT INTO key_secret VALUES (?, ?, ?, ?, ?, ?)')
  const deleteSecrets = database.prepare('DELETE FROM key_secret WHERE kid = ?')
  const setRevoked = database.prepare('UPDATE key SET revoked_at = ? WHERE kid = ?')
  const setDay = database.prepare('UPDATE key_secret SET last_used_day = ? WHERE kid = ? AND number = ?')

  const insertSecrets = (kid: string, secrets: readonly SecretRecord[]): void => {
    for (const { number, mac, createdAt, notAfter, lastUsedDay } of secrets)
      insertSecret.run(kid, number, mac, createdAt, notAfter, lastUsedDay ?? null)
  }
  return {
    directory,
    loadKeys: (owners) => loadKeys(database, owners),
    addKey: (record, isOwnerNew) =>
      database.atomically(() => {
        if (isOwnerNew) directory.addCaller(record.owner)
        insertKey.run(...keyRow(record))
        insertSecrets(record.kid, record.secrets)
      }),
    replaceSecrets: (kid, secrets) =>
      database.atomically(() => {
        deleteSecrets.run(kid)
        insertSecrets(kid, secrets)
      }),
    setRevoked: (kid, at) => setRevoked.run(at, kid),
    setLastUsed: (days) =>
      database.atomically(() => {
        for (const [kid, number, day] of days) setDay.run(day, kid, number)
      }),
    close: () => database.close(),
  }
}

function keyRow(record: KeyRecord) {
  const { kid, owner, environment, pepperId, scope, addresses, limits } = record
  const { notBefore, createdAt, createdBy, revokedAt } = record
  const names = [listText(scope.models), listText(scope.actions), JSON.stringify(addresses)] as const
  const terms = [...names, objectText(limits), notBefore] as const
  return [kid, owner.id, environment, pepperId, ...terms, createdAt, createdBy, revokedAt ?? null] as const
}

function listText(names: readonly string[] | undefined): string | null {
  return names === undefined ? null : JSON.stringify(names)
}
