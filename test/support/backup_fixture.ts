import { utf8 } from '#base/bytes.ts'
import { writeAtomic, type Files } from '#base/files.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
import type { LedgerOptions } from '#trust/ledger/open.ts'
import { backUp, type BackedUp } from '#rooms/backup/back_up.ts'
import { BackupFolder } from '#rooms/backup/backup_folder.ts'
import type { BackupSecret } from '#rooms/backup/backup_key.ts'
import { emptyDisk, HandClock, intent, KEYS, openOn, outcome } from './ledger_fixture.ts'
import type { SimulatedFiles } from './simulated_files.ts'

export const HOME = '/home'
export const TARGET = '/anchor/backup'
export const SECRET: BackupSecret = { kind: 'key', bytes: Buffer.alloc(32, 9) }
/** A few milliseconds. */
export const CHEAP = { log2: 10, blocks: 8, lanes: 1 }

/** Files of a home beside its ledger. */
export const SMALL: readonly (readonly [path: string, text: string])[] = [
  ['gatehouse.yaml', 'models: {}\n'],
  ['policies/a b.cedar', 'permit (principal, action, resource);\n'],
  ['policy/current', 'x'.repeat(70_000)],
  ['policy/empty', ''],
  ['state.db', 'the copy of a database'],
]

/** A simulated disk with a home that has all but a ledger. */
export async function furnishedDisk(): Promise<SimulatedFiles> {
  const files = await emptyDisk()
  const keys = new Map<string, Uint8Array>([
    ['keys/ledger.pem', utf8(KEYS.signingPem)],
    ['keys/ledger.ml-dsa.pem', utf8(KEYS.mlDsaPem)],
    ['keys/pseudonym.key', KEYS.pseudonymKey],
    ['keys/sidecar.key', KEYS.sidecarKey],
    ['keys/pepper-1.key', Buffer.alloc(32, 3)],
  ])
  for (const folder of ['keys', 'policies', 'policy']) await files.makeDirectory(`${HOME}/${folder}`)
  await files.syncDirectory(HOME)
  for (const [path, bytes] of keys) await writeAtomic(files, `${HOME}/${path}`, bytes)
  for (const [path, text] of SMALL) await writeAtomic(files, `${HOME}/${path}`, utf8(text))
  await files.makeDirectory(`${HOME}/anchors`)
  for (const name of ['running.json', 'lock.db', 'counters', 'admin.sock', 'head.tmp', 'anchors/files'])
    files.tamper(`${HOME}/${name}`, utf8('not for a backup'))
  return files
}

/** Opens the ledger of such a home, with small segments so that some are sealed soon. */
export async function openLog(files: SimulatedFiles, more: Partial<LedgerOptions> = {}): Promise<Ledger> {
  return await openOn(files, { segmentBytes: 20_000, ...more })
}

export async function record(ledger: Ledger, from: number, count: number): Promise<void> {
  const intents = Array.from({ length: count }, (_, at) => intent(from + at))
  await Promise.all(intents.map(async (each) => await ledger.append(each)))
  await Promise.all(intents.map(async (each) => await ledger.append(outcome(each, 1))))
}

/** Backs up such a home as the command does. */
export async function backUpOnce(
  files: Files,
  { isRepair = false, mayDeleteOther = false, home = HOME } = {},
): Promise<BackedUp> {
  await BackupFolder.make(files, TARGET)
  const folder = await BackupFolder.prepare(files, TARGET, SECRET)
  return await backUp({
    files,
    home,
    folder,
    state: `${home}/state.db`,
    clock: new HandClock(),
    version: '1.2.3',
    isRepair,
    mayDeleteOther,
    onProgress: () => undefined,
  })
}
