import type { Millis } from '#base/clock.ts'

/**
 * What `doctor` knows of an installation, gathered once by a face. A part that could not be read is undefined, and the
 * checks that need it answer `unknown`.
 */
export interface Facts {
  readonly now: Millis
  readonly home: HomeFacts | undefined
  readonly disk: DiskFacts | undefined
  readonly ledger: LedgerFacts | undefined
  readonly policy: PolicyFacts | undefined
  readonly listeners: readonly ListenerFacts[] | undefined
  readonly models: readonly ModelFacts[] | undefined
  /** Known to a running door alone, except that there are none. */
  readonly issuers: readonly IssuerFacts[] | undefined
  /** Known to a running door alone. */
  readonly workers: readonly WorkerFacts[] | undefined
  readonly node: NodeFacts | undefined
  readonly door: DoorState | undefined
}

export interface HomeFacts {
  readonly path: string
  /** Permission bits, as in 0o700. */
  readonly mode: number
  readonly isOwn: boolean
  /** Files of `keys/` with their permission bits. */
  readonly keyFiles: readonly { readonly name: string; readonly mode: number }[]
  /** True after a restore from a backup, until the next start. */
  readonly isRestored: boolean
  /** When `first-key` was written; undefined when it is gone. */
  readonly firstKeyAt: Millis | undefined
}

export interface DiskFacts {
  readonly freeBytes: number
  /** Bytes of the ledger now. */
  readonly ledgerBytes: number
  /** What the running door forecasts, which also knows the configured limit. */
  readonly daysLeft: number | undefined
}

export interface LedgerFacts {
  /** True when the running door can record; without one, when this process may write files in the ledger's folder. */
  readonly isWritable: boolean
  /** Why a running door cannot record. */
  readonly reason: string | undefined
  readonly entries: number
  /** What verification found wrong, in words; empty when it is consistent. */
  readonly problems: readonly string[]
  /** What does not stop the ledger but needs an operator, as an anchor that cannot be written. */
  readonly notices: readonly string[]
  /** Those who hold checkpoints outside of entries that are not here, in words: evidence that the ledger is not what it was. */
  readonly contradictions: readonly string[]
  /** Entries that a restore of the home is known to have lost. */
  readonly lost: number
  /** The last time that the home was restored from a copy. */
  readonly restored: RestoreFacts | undefined
  /** Requests of which the running door had to record that their outcome is not known; undefined when none runs. */
  readonly unknownOutcomes: number | undefined
  /** Wall clock of the first and last entry; undefined for an empty ledger. */
  readonly firstAt: Millis | undefined
  readonly lastAt: Millis | undefined
  /** Who holds checkpoints of the log in use outside. */
  readonly outside: OutsideFacts
}

export interface RestoreFacts {
  readonly at: Millis
  /** What the copy ended with; undefined when it held no ledger. */
  readonly before: { readonly origin: string; readonly size: number } | undefined
  /** Entries that are known to have followed; others may have. */
  readonly lost: number
}

export interface OutsideFacts {
  /** Entries of the log in use. */
  readonly entries: number
  /** Witnesses that it takes; 0 without any. */
  readonly quorum: number
  /** Entries that so many witnesses have cosigned, and when. */
  readonly witnessed: HeldFacts | undefined
  /** Entries that files, repositories or storage have a checkpoint of. */
  readonly anchored: HeldFacts | undefined
  /** Of these the files on the disk of the ledger, and whether there is nothing else. */
  readonly near: { readonly names: readonly string[]; readonly isAll: boolean }
}

export interface HeldFacts {
  readonly entries: number
  readonly at: Millis | undefined
}

export interface PolicyFacts {
  /** `degraded`: the files do not make a valid set, so the last good one holds; `none`: everything is refused. */
  readonly state: 'good' | 'degraded' | 'none'
  readonly set: string | undefined
  readonly problems: number
}

export interface ListenerFacts {
  readonly name: string
  readonly address: string
  readonly rule: 'socket' | 'loopback' | 'tls' | 'insecure' | 'exposed'
  /** End of a declared exception. */
  readonly expiresAt: Millis | undefined
}

export interface ModelFacts {
  readonly name: string
  readonly key: 'set' | 'missing' | 'none'
}

export interface IssuerFacts {
  readonly name: string
  readonly state: 'waiting' | 'fresh' | 'stale' | 'none'
  readonly problems: readonly string[]
}

export interface WorkerFacts {
  readonly number: number
  readonly state: 'serving' | 'starting' | 'given up'
  readonly restarts: number
}

export interface NodeFacts {
  readonly version: string
  /** The version that package.json locks; undefined when it cannot be read. */
  readonly pinned: string | undefined
}

export interface DoorState {
  readonly isRunning: boolean
  readonly pid: number | undefined
}

/** The facts of an installation of which nothing could be read. */
export function noFacts(now: Millis): Facts {
  return {
    now,
    home: undefined,
    disk: undefined,
    ledger: undefined,
    policy: undefined,
    listeners: undefined,
    models: undefined,
    issuers: undefined,
    workers: undefined,
    node: undefined,
    door: undefined,
  }
}
