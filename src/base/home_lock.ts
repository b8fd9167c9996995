import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from './fault.ts'
import { sqliteResult } from './sqlite.ts'

const LOCK_FILE = 'lock.db'
/** SQLITE_BUSY and SQLITE_LOCKED (sqlite.org/rescode.html). */
const HELD: ReadonlySet<number> = new Set([5, 6])
/** SQLITE_NOTADB. */
const NOT_A_DATABASE = 26

export interface HomeLock {
  /** Gives the home free. A second call does nothing. */
  release(): void
}

/**
 * Takes the home for this process, or throws `home.locked` at once. The operating system frees it when the process
 * ends in any way, kill -9 too, so there is never a stale lock to clear.
 *
 * It is an exclusive SQLite transaction, and so a POSIX record lock: nothing in this process may open and close
 * `lock.db` by other means, because that would drop the lock (fcntl(2)). Throws `home.unwritable` when the folder is
 * absent or read-only.
 */
export function lockHome(directory: string): HomeLock {
  checkWritable(directory)
  let connection: DatabaseSync | undefined
  try {
    connection = new DatabaseSync(join(directory, LOCK_FILE), { timeout: 0 })
    connection.exec('BEGIN EXCLUSIVE')
  } catch (thrown) {
    connection?.close()
    throw refusalFor(thrown)
  }
  return lockOf(connection)
}

/** Locks taken by this process. Without this a lock that nobody refers to would be collected, and so opened. */
const TAKEN = new Set<DatabaseSync>()

function lockOf(connection: DatabaseSync): HomeLock {
  TAKEN.add(connection)
  return {
    release: () => {
      if (!TAKEN.delete(connection)) return
      connection.exec('ROLLBACK')
      connection.close()
    },
  }
}

function checkWritable(directory: string): void {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (thrown) {
    throw new Fault('home.unwritable', { directory }, { cause: thrown })
  }
}

function refusalFor(thrown: unknown): Fault {
  const result = sqliteResult(thrown)
  if (result !== undefined && HELD.has(result)) return new Fault('home.locked', {}, { cause: thrown })
  if (result === NOT_A_DATABASE)
    return new Fault(
      'home.damaged',
      { file: LOCK_FILE },
      { say: 'lock.db is not a lock of ours; with no Gatehouse running it may be deleted.', cause: thrown },
    )
  return new Fault('home.unwritable', { sqlite: result ?? null }, { cause: thrown })
}
