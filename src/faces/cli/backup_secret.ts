import { resolve } from 'node:path'
import { LIMITS } from '#base/limits.ts'
import { readPlainFile } from '#base/plain_file.ts'
import type { BackupSecret } from '#rooms/backup/backup_key.ts'
import type { Call, OptionRow } from './command.ts'
import { wrongUsage } from './usage.ts'

/** What opens a backup is read from files only: the arguments of a program can be seen by every user of the machine. */
export const SECRET_OPTIONS: readonly OptionRow[] = [
  { name: 'key-file', value: 'FILE', says: 'the key of the backup is in this file: 32 random bytes or more' },
  {
    name: 'passphrase-file',
    value: 'FILE',
    says: 'or the passphrase is in this file, of 12 characters or more',
  },
]

/** The secret that the options name. Throws `usage.wrong`. */
export async function readSecret(call: Call): Promise<BackupSecret> {
  const [keyFile, passphraseFile] = [call.option('key-file'), call.option('passphrase-file')]
  if ((keyFile === undefined) === (passphraseFile === undefined))
    throw wrongUsage('Give either --key-file or --passphrase-file.')
  const text = await readText(call, keyFile ?? passphraseFile ?? '')
  if (keyFile !== undefined) return { kind: 'key', bytes: text }
  // The same characters can be typed as other bytes on another machine (Unicode Standard Annex 15).
  return { kind: 'passphrase', bytes: Buffer.from(text.toString('utf8').normalize('NFC')) }
}

/** The content of a file without the line break that editors put at its end. */
async function readText(call: Call, file: string): Promise<Buffer> {
  try {
    const rules = { maxBytes: LIMITS.secretFileBytes, links: 'follow' } as const
    const content = await readPlainFile(resolve(call.world.cwd, file), rules)
    const end = content.at(-1) === LINE_FEED ? (content.at(-2) === CARRIAGE_RETURN ? 2 : 1) : 0
    return content.subarray(0, content.length - end)
  } catch {
    throw wrongUsage('The file with the key or passphrase cannot be read.')
  }
}

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
