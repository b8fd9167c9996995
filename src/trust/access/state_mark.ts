import { migrate, type Database } from '#base/sqlite.ts'

const STEPS: readonly string[] = [
  'CREATE TABLE ledger_mark (one INTEGER PRIMARY KEY CHECK (one = 1), checkpoint TEXT NOT NULL) STRICT',
]

/**
 * A checkpoint of the ledger that this database keeps: every change recorded before it is made here. It tells an older
 * database that was put back from the one that belongs to the ledger, and an older ledger from the one that belongs to
 * the database.
 */
export interface StateMark {
  /** Undefined in a database that has not kept one yet. */
  read(): string | undefined
  write(checkpoint: string): void
}

/** Throws `home.damaged` when the tables are from a newer Gatehouse. */
export function openStateMark(database: Database): StateMark {
  migrate(database, 'mark', STEPS)
  const select = database.prepare('SELECT checkpoint FROM ledger_mark')
  const upsert = database.prepare(
    'INSERT INTO ledger_mark VALUES (1, ?) ON CONFLICT (one) DO UPDATE SET checkpoint = excluded.checkpoint',
  )
  return {
    read: () => {
      const checkpoint = select.all()[0]?.['checkpoint']
      return typeof checkpoint === 'string' ? checkpoint : undefined
    },
    write: (checkpoint) => upsert.run(checkpoint),
  }
}
