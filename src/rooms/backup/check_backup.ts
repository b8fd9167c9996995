import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { loadLog } from '#trust/ledger/load.ts'
import { logKeysOf, verifiersOf } from '#trust/ledger/log_keys.ts'
import { sortOrigins } from '#trust/ledger/origin.ts'
import { verifyLedger, type VerifyReport } from '#trust/ledger/verify.ts'
import { LocalKeys } from '#trust/vault/local_keys.ts'
import { backupFiles } from './backup_files.ts'
import type { BackupFolder } from './backup_folder.ts'
import { DamagedFiles } from './damaged_files.ts'
import type { KeptFile, Manifest } from './manifest.ts'
import { readWhole, sha256Of, type ObjectStore } from './object_store.ts'

/**
 * Checks at the end of a run that the backup would open: every file is there, what was written by this run reads back as it
 * was, and the ledger loads with the keys in the backup. Throws `backup.damaged`, `ledger.corrupt`.
 */
export async function checkCopy(
  store: ObjectStore,
  { files: kept, head }: Manifest,
  { fresh, now }: { readonly fresh: readonly KeptFile[]; readonly now: Millis },
): Promise<void> {
  for (const { object, bytes, path } of kept) if (!(await store.has(object, bytes))) throw damaged(path)
  for (const file of fresh) await checkFile(store, file)
  if (head === undefined) return
  const { log, sidecarKey } = await keysIn(store, kept)
  const files = backupFiles(store, kept)
  for (const { folder } of (await sortOrigins(files, 'ledger')).finished) {
    const verifiers = verifiersOf(logKeysOf(log, now), folder.origin)
    await loadLog(files, { folder, verifiers }, { sidecarKey, wanted: [] })
  }
}

export interface CheckedBackup {
  readonly manifest: Manifest
  /** Undefined where the backup holds no ledger. */
  readonly ledger: VerifyReport | undefined
  /** What was not as it should be and is read from its twin. The next run writes it anew. */
  readonly damaged: readonly string[]
}

/**
 * Reads every byte of a backup and checks every entry of the ledger in it. Nothing is written, and memory holds one segment.
 * Throws `backup.damaged`, which names all files that are, and what is read from its twin.
 */
export async function checkBackup(
  { store, damaged: beside }: Pick<BackupFolder, 'store' | 'damaged'>,
  read: Manifest,
  { now, onFile }: { readonly now: Millis; readonly onFile: (file: KeptFile) => void },
): Promise<CheckedBackup> {
  const damaged = new DamagedFiles()
  for (const file of read.files) {
    await damaged.isWhole(file, async () => await checkFile(store, file))
    onFile(file)
  }
  damaged.throwIfAny(beside.length === 0 ? '' : ` Their twins were read in place of ${beside.join(' and ')}.`)
  if (read.head === undefined) return { manifest: read, ledger: undefined, damaged: beside }
  const { log, sidecarKey } = await keysIn(store, read.files)
  const keys = { logKeys: logKeysOf(log, now), sidecarKey }
  const ledger = await verifyLedger({ files: backupFiles(store, read.files), directory: 'ledger', keys })
  return { manifest: read, ledger, damaged: beside }
}

async function checkFile(store: ObjectStore, { object, path, bytes, sha256 }: KeptFile): Promise<void> {
  const source = await store.open(object)
  if (source.bytes !== bytes || (await sha256Of(source)) !== sha256) throw damaged(path)
}

/** Whether a file of a backup reads back. */
export async function isWhole(store: ObjectStore, file: KeptFile): Promise<boolean> {
  return await new DamagedFiles().isWhole(file, async () => await checkFile(store, file))
}

/** Throws `backup.damaged` when the keys of the home are not in it. */
async function keysIn(store: ObjectStore, kept: readonly KeptFile[]): Promise<LocalKeys> {
  const files = new Map<string, Uint8Array>()
  for (const { path, object } of kept)
    if (path.startsWith(KEYS)) files.set(path.slice(KEYS.length), await readWhole(await store.open(object)))
  try {
    return new LocalKeys(files)
  } catch (thrown) {
    throw new Fault(
      'backup.damaged',
      { place: 'keys' },
      { say: 'The keys in the backup are not whole.', cause: thrown },
    )
  }
}

const KEYS = 'keys/'

function damaged(place: string): Fault {
  return new Fault('backup.damaged', { place }, { say: `${place} is missing or damaged in the backup.` })
}
