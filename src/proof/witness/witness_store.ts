import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { migrate, type Database, type Row } from '#base/sqlite.ts'
import { peekCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'

/** What a witness has cosigned last of one log. */
export interface Witnessed {
  readonly head: Head
  /** The checkpoint with the signatures of the log that were verified, and the cosignatures of this witness. */
  readonly note: string
}

/** What a witness remembers: of each log the newest checkpoint that it has cosigned, and nothing else. */
export interface WitnessStore {
  newest(origin: string): Witnessed | undefined
  /** Of the log whose origin has this SHA-256 in hexadecimal. */
  newestByHash(hash: string): Witnessed | undefined
  /**
   * Puts a checkpoint in place of the one of `oldSize` (0: of none), on disk when it returns. False, and nothing is
   * changed, when another one is the newest by now.
   */
  advance(next: Witnessed, originHash: string, oldSize: number): boolean
}

const STEPS = [
  `CREATE TABLE witnessed (
    origin TEXT PRIMARY KEY, hash TEXT NOT NULL UNIQUE, size INTEGER NOT NULL, root BLOB NOT NULL, note TEXT NOT NULL
  ) STRICT`,
]

/** Makes the memory of a new witness. Throws `home.unwritable` and `home.damaged`. */
export function makeWitnessStore(database: Database): void {
  migrate(database, 'witness', STEPS)
}

/**
 * Opens what a witness remembers. Throws `home.damaged` where it is not all there, `home.unwritable`: a witness that has
 * forgotten what it cosigned could be led to cosign another history, so nothing that is missing is made anew.
 */
export function openWitnessStore(database: Database): WitnessStore {
  checkMemory(database)
  migrate(database, 'witness', STEPS)
  // The file alone holds what was cosigned, and not only together with its WAL, which a copy may leave behind.
  database.prepare('PRAGMA wal_autocheckpoint = 1').all()
  const byOrigin = database.prepare('SELECT origin, size, root, note FROM witnessed WHERE origin = ?')
  const byHash = database.prepare('SELECT origin, size, root, note FROM witnessed WHERE hash = ?')
  const put = database.prepare(
    `INSERT INTO witnessed (origin, hash, size, root, note) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (origin) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note`,
  )
  const newest = (origin: string): Witnessed | undefined => witnessedOf(byOrigin.all(origin)[0])
  return {
    newest,
    newestByHash: (hash) => witnessedOf(byHash.all(hash)[0]),
    advance: ({ head, note }, hash, oldSize) =>
      // Looked at and changed in one: otherwise of two requests the slower one would take back what the faster one got.
      database.atomically(() => {
        const isNewest = (newest(head.origin)?.head.size ?? 0) === oldSize
        if (isNewest) put.run(head.origin, hash, head.size, head.root, note)
        return isNewest
      }),
  }
}

/** SQLite takes an empty file for a new database, and looks at a page when it is read. */
function checkMemory(database: Database): void {
  const [table] = database.prepare("SELECT name FROM sqlite_schema WHERE name = 'witnessed'").all()
  if (table === undefined) throw damaged('no memory of a witness')
  const [found] = database.prepare('PRAGMA integrity_check(1)').all()
  if (found?.['integrity_check'] !== 'ok') throw damaged('not whole')
  const one = database.prepare('SELECT origin, size, root, note FROM witnessed WHERE origin = ?')
  for (const { origin } of database.prepare('SELECT origin FROM witnessed').all())
    witnessedOf(one.all(String(origin))[0])
}

/** Throws `home.damaged` for a row that does not say what its checkpoint says: SQLite keeps no sum of its pages. */
function witnessedOf(row: Row | undefined): Witnessed | undefined {
  if (row === undefined) return undefined
  const { origin, size, root, note } = row
  const head = peekCheckpoint(String(note))
  const isWhole =
    head !== undefined &&
    head.origin === origin &&
    head.size === size &&
    root instanceof Uint8Array &&
    sameBytes(head.root, root)
  if (!isWhole) throw damaged('a row that contradicts itself')
  return { head, note: String(note) }
}

function damaged(what: string): Fault {
  return new Fault('home.damaged', { what })
}
