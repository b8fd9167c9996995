import { accessSync, chmodSync, closeSync, constants, lstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault } from './fault.ts'
import { errorCode } from './files.ts'
import { sqliteResult } from './sqlite.ts'

const LOCK_FILE = 'lock.db'
const OWNER_ONLY = 0o600
const ALL_RIGHTS = 0o777
/** SQLITE_BUSY and SQLITE_LOCKED (sqlite.org/rescode.html). */
const HELD: ReadonlySet<number> = new Set([5, 6])
/** SQLITE_NOTADB. */
const NOT_A_DATABASE = 26

export interface HomeLock {
  /**
   * False, for good, once the locked file is no longer the one at its path: another process may have taken the home.
   * It asks the file system each time, which takes microseconds.
   */
  isHeld(): boolean
  /** Gives the home free. A second call does nothing. */
  release(): void
}

/**
 * Takes the home for this process, or throws `home.locked` at once. The operating system frees it when the process
 * ends in any way, kill -9 too, so there is never a stale lock to clear.
 *
 * It is an exclusive SQLite transaction, and so a POSIX record lock: nothing in this process may open and close
 * `lock.db` by other means, because that would drop the lock (fcntl(2)). Throws `home.unwritable` when the folder is
 * absent or read-only, and `home.damaged` when `lock.db` is anything but a file of its own: SQLite would make, and lock, what
 * a link leads to.
 */
export function lockHome(directory: string): HomeLock {
  checkWritable(directory)
  const path = join(directory, LOCK_FILE)
  let connection: DatabaseSync | undefined
  try {
    makePlain(path)
    connection = new DatabaseSync(path, { timeout: 0 })
    connection.exec('BEGIN EXCLUSIVE')
  } catch (thrown) {
    connection?.close()
    throw refusalFor(thrown)
  }
  return lockOf(connection, path)
}

/** Makes the file where there is none, for its owner only: whoever reads it can hold it too. */
function makePlain(path: string): void {
  const facts = lstatSync(path, { throwIfNoEntry: false })
  // With O_EXCL never through a link (open(2)), and it is not opened where it is there: to close it would drop the lock.
  if (facts === undefined) closeSync(openSync(path, 'wx', OWNER_ONLY))
  else if (!facts.isFile()) throw notOurs(undefined)
  else if ((facts.mode & ALL_RIGHTS) !== OWNER_ONLY) chmodSync(path, OWNER_ONLY)
}

/** Locks taken by this process. Without this a lock that nobody refers to would be collected, and so opened. */
const TAKEN = new Set<DatabaseSync>()

function lockOf(connection: DatabaseSync, path: string): HomeLock {
  TAKEN.add(connection)
  const locked = identityOf(path)
  let isLost = false
  return {
    isHeld: () => {
      isLost ||= !TAKEN.has(connection) || locked === undefined || identityOf(path) !== locked
      return !isLost
    },
    release: () => {
      if (!TAKEN.delete(connection)) return
      connection.exec('ROLLBACK')
      connection.close()
    },
  }
}

/** Only looked at, never opened: to close it would drop the lock. */
function identityOf(path: string): string | undefined {
  const facts = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return facts?.isFile() === true ? `${facts.dev}:${facts.ino}` : undefined
}

function checkWritable(directory: string): void {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
  } catch (thrown) {
    throw new Fault('home.unwritable', { directory }, { cause: thrown })
  }
}

function refusalFor(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const result = sqliteResult(thrown)
  // Another process makes the file at this moment, to hold it.
  const isHeld = (result !== undefined && HELD.has(result)) || errorCode(thrown) === 'EEXIST'
  if (isHeld) return new Fault('home.locked', {}, { cause: thrown })
  if (result === NOT_A_DATABASE) return notOurs(thrown)
  return new Fault('home.unwritable', { sqlite: result ?? null }, { cause: thrown })
}

function notOurs(cause: unknown): Fault {
  return new Fault(
    'home.damaged',
    { file: LOCK_FILE },
    { say: 'lock.db is not a lock of ours; with no Gatehouse running it may be deleted.', cause },
  )
}
