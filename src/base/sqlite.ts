import { closeSync, openSync, statSync } from 'node:fs'
import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite'
import { Fault } from './fault.ts'

/** How long one connection waits for another before it gives up. The home is locked, so only a reader can be there. */
const BUSY_MS = 2_000
const PRIVATE_MODE = 0o600
/** SQLite's own result codes (sqlite.org/rescode.html). */
const RESULT = { corrupt: 11, full: 13, notADatabase: 26 } as const

/** A value as SQLite keeps it. Integers beyond 2^53 are not stored by Gatehouse. */
export type SqlValue = null | number | string | Uint8Array
export type Row = Readonly<Record<string, SqlValue>>

export interface Statement {
  run(...values: readonly SqlValue[]): void
  all(...values: readonly SqlValue[]): readonly Row[]
}

/** One open SQLite file. A failure to write throws `home.unwritable`, a file that is no database `home.damaged`. */
export interface Database {
  prepare(sql: string): Statement
  /**
   * Reads one row after the other, each as its values in the order of the columns: for more rows than memory should hold
   * at once, at a third of the cost.
   */
  each(sql: string, read: (values: readonly unknown[]) => void): void
  /** Runs `work` so that all its writes are on disk when it returns, or none is when it throws. Not nestable. */
  atomically<T>(work: () => T): T
  close(): void
}

/**
 * Opens (or creates) a database whose commits survive a loss of power: WAL with synchronous FULL syncs at each commit.
 * Throws `home.unwritable` or `home.damaged`.
 */
export function openDatabase(path: string): Database {
  createPrivate(path)
  const connection = guardedBy(
    () => new DatabaseSync(path, { timeout: BUSY_MS, enableForeignKeyConstraints: true }),
  )
  guardedBy(() =>
    connection.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;'),
  )
  return {
    prepare: (sql) => statementOf(connection.prepare(sql)),
    each: (sql, read) =>
      guardedBy(() => {
        const statement = connection.prepare(sql)
        statement.setReturnArrays(true)
        for (const row of statement.iterate()) {
          const values: unknown = row
          // Not so in the types, which know rows as objects alone.
          if (Array.isArray(values)) read(values)
        }
      }),
    atomically: (work) => atomically(connection, work),
    close: () => connection.close(),
  }
}

/**
 * Brings the tables of one part up to date: `steps[n]` runs once, as step n + 1, and is never edited afterwards.
 *
 * Each part counts its own steps, so parts that share the file can grow on their own (the one number of
 * `PRAGMA user_version` could not say whose step it counts). Throws `home.damaged` when the file is from a newer
 * Gatehouse.
 */
export function migrate(database: Database, part: string, steps: readonly string[]): void {
  database.atomically(() => {
    database
      .prepare('CREATE TABLE IF NOT EXISTS part (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT')
      .run()
    const found = database.prepare('SELECT version FROM part WHERE name = ?').all(part)[0]?.['version'] ?? 0
    const version = Number(found)
    if (version > steps.length)
      throw new Fault(
        'home.damaged',
        { part, version },
        { say: 'state.db was written by a newer Gatehouse; start that one.' },
      )
    for (const step of steps.slice(version)) database.prepare(step).run()
    database
      .prepare('INSERT INTO part VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version')
      .run(part, steps.length)
  })
}

/**
 * Copies a database that may be in use to a path where nothing is, as it stands at one moment: in one file, with what is in
 * its WAL. Throws `home.damaged` for one that is not whole, `home.unwritable`.
 */
export function copyDatabase(from: string, to: string): void {
  if (!isPlainOrAbsent(from) || !isPlainOrAbsent(to))
    throw new Fault('home.damaged', { from, to }, { say: 'state.db is not a plain file.' })
  createPrivate(to)
  const connection = guardedBy(() => new DatabaseSync(from, { timeout: BUSY_MS }))
  try {
    // Into an empty file, so that it has the mode of ours.
    guardedBy(() => connection.prepare('VACUUM INTO ?').run(to))
  } finally {
    connection.close()
  }
  checkDatabase(to)
}

/** Throws `home.damaged` when a database that nobody has open is not whole. */
export function checkDatabase(path: string): void {
  const connection = guardedBy(() => new DatabaseSync(path, { readOnly: true }))
  try {
    const [row] = guardedBy(() => connection.prepare('PRAGMA integrity_check(1)').all())
    if (row?.['integrity_check'] !== 'ok')
      throw new Fault('home.damaged', { path }, { say: 'state.db is damaged.' })
  } finally {
    connection.close()
  }
}

/** SQLite would create the file with the umask; its WAL takes the mode of the file. A pipe would hold it up. */
function createPrivate(path: string): void {
  if (!isPlainOrAbsent(path))
    throw new Fault('home.damaged', { path }, { say: 'state.db is not a plain file.' })
  try {
    closeSync(openSync(path, 'a', PRIVATE_MODE))
  } catch (thrown) {
    throw new Fault('home.unwritable', { path }, { cause: thrown })
  }
}

/** Only looked at: opening a database of SQLite and closing it again drops the locks of this process on it. */
function isPlainOrAbsent(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? true
}

function statementOf(statement: StatementSync): Statement {
  return {
    run: (...values) => {
      guardedBy(() => statement.run(...inputs(values)))
    },
    all: (...values) => guardedBy(() => statement.all(...inputs(values)).map(rowOf)),
  }
}

function atomically<T>(connection: DatabaseSync, work: () => T): T {
  guardedBy(() => connection.exec('BEGIN IMMEDIATE'))
  try {
    const result = work()
    guardedBy(() => connection.exec('COMMIT'))
    return result
  } catch (thrown) {
    if (connection.isTransaction) connection.exec('ROLLBACK')
    throw thrown
  }
}

function inputs(values: readonly SqlValue[]): SQLInputValue[] {
  return [...values]
}

function rowOf(row: Readonly<Record<string, unknown>>): Row {
  const plain: Record<string, SqlValue> = {}
  for (const [name, value] of Object.entries(row)) {
    const kept =
      value === null || typeof value === 'number' || typeof value === 'string' || value instanceof Uint8Array
    if (!kept) throw new TypeError(`column ${name} holds a value that Gatehouse does not store`)
    plain[name] = value
  }
  return plain
}

/** SQLite says by number whether the disk refused or the file is broken; a mistake in our SQL stays a bug. */
function guardedBy<T>(work: () => T): T {
  try {
    return work()
  } catch (thrown) {
    const result = sqliteResult(thrown)
    if (result === RESULT.corrupt || result === RESULT.notADatabase)
      throw new Fault('home.damaged', { sqlite: result }, { say: 'state.db is damaged.', cause: thrown })
    if (result !== undefined && DISK_RESULTS.has(result))
      throw new Fault('home.unwritable', { sqlite: result }, { cause: thrown })
    throw thrown
  }
}

/** Busy, read-only, I/O error, full, cannot open, not permitted. */
const DISK_RESULTS: ReadonlySet<number> = new Set([3, 5, 8, 10, RESULT.full, 14, 23])
const PRIMARY_CODE_BITS = 0xff

/** The primary result code of an error that SQLite gave; undefined for any other error. */
export function sqliteResult(thrown: unknown): number | undefined {
  const isSqlite = thrown instanceof Error && 'errcode' in thrown && typeof thrown.errcode === 'number'
  return isSqlite ? Number(thrown.errcode) & PRIMARY_CODE_BITS : undefined
}
