import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, writeAtomic, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { openBackupKey, type BackupKey, type BackupSecret } from './backup_key.ts'

/** The file that says how the key of a backup is encrypted, and the same again: without it nothing of a backup opens. */
export const HEADS = ['gatehouse-backup', 'gatehouse-backup.copy'] as const
const [HEAD, COPY] = HEADS

export interface OpenHead {
  readonly text: string
  readonly key: BackupKey
  /** Those of the two that are not as they should be. A copy that was never made, as in older backups, is none. */
  readonly damaged: readonly string[]
}

/**
 * Opens the key of a backup with each of both heads that opens, in their order: two that say different things are two keys, as
 * where one is of another backup with the same secret. A bit that is wrong in one of them looks as a wrong secret does, so the
 * other one is tried then, too. Throws `backup.key`, and `backup.damaged` where there is none.
 */
export async function openHeads(
  files: Files,
  path: string,
  secret: BackupSecret,
): Promise<readonly [first: OpenHead, other?: OpenHead]> {
  const texts = new Map<string, string>()
  for (const name of HEADS) {
    const text = await readHead(files, `${path}/${name}`)
    if (text !== undefined) texts.set(name, text)
  }
  const opened: OpenHead[] = []
  const faults: Fault[] = []
  for (const text of new Set(texts.values()))
    try {
      const key = await openBackupKey(text, secret)
      const damaged = HEADS.filter((name) => texts.get(name) !== text && (texts.has(name) || name === HEAD))
      opened.push({ text, key, damaged })
    } catch (thrown) {
      if (!(thrown instanceof Fault)) throw thrown
      faults.push(thrown)
    }
  const [first, other] = opened
  if (first !== undefined) return other === undefined ? [first] : [first, other]
  // Of two that say different things the one that reads well is right about the secret.
  throw faults.find(({ code }) => code === 'backup.key') ?? (texts.size === 0 ? noBackup() : noHead(faults))
}

/** True where one of both is there, whole or not. */
export async function hasHead(files: Files, path: string): Promise<boolean> {
  for (const name of HEADS) if ((await files.facts(`${path}/${name}`)) !== undefined) return true
  return false
}

/** Writes what differs from this text, the copy last. */
export async function writeHeads(files: Files, path: string, text: string): Promise<void> {
  for (const name of [HEAD, COPY])
    if ((await readHead(files, `${path}/${name}`)) !== text)
      await writeAtomic(files, `${path}/${name}`, utf8(text))
}

/** Undefined where it is missing; what is no head where it cannot be read: a broken sector is what the other one is for. */
async function readHead(files: Files, path: string): Promise<string | undefined> {
  try {
    return Buffer.from(await files.read(path, LIMITS.noteBytes)).toString('utf8')
  } catch (thrown) {
    const code = errorCode(thrown)
    if (code === undefined) throw thrown
    return code === 'ENOENT' ? undefined : UNREADABLE
  }
}

const UNREADABLE = ''

function noBackup(): Fault {
  return new Fault('backup.damaged', { place: HEAD }, { say: 'There is no backup in this folder.' })
}

function noHead([cause]: readonly Fault[]): Fault {
  const say = `${HEAD} is damaged or cannot be read, and there is no whole copy of it.`
  return new Fault('backup.damaged', { place: HEAD }, { say, cause })
}
