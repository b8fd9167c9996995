import { migrate, type Database, type Row } from '#base/sqlite.ts'
import type { Head } from '#trust/ledger/checkpoint.ts'

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

/** Opens what a witness remembers. Throws `home.unwritable` and `home.damaged`. */
export function openWitnessStore(database: Database): WitnessStore {
  migrate(database, 'witness', STEPS)
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

function witnessedOf(row: Row | undefined): Witnessed | undefined {
  if (row === undefined) return undefined
  const { origin, size, root, note } = row
  if (!(root instanceof Uint8Array)) throw new TypeError('a root is bytes')
  return { head: { origin: String(origin), size: Number(size), root }, note: String(note) }
}
