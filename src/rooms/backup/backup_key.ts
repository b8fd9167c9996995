import { fromBase64, toBase64, utf8 } from '#base/bytes.ts'
import {
  deriveKey,
  randomBytes,
  scryptKey,
  seal,
  SHA256_BYTES,
  unseal,
  type ScryptCost,
} from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { newEntryId } from '#base/ids.ts'

/** What opens a backup, as its owner keeps it. */
export type BackupSecret =
  | { readonly kind: 'passphrase'; readonly bytes: Uint8Array }
  | { readonly kind: 'key'; readonly bytes: Uint8Array }

/** The head of a backup: which one it is, and what its content is encrypted with. */
export interface BackupKey {
  /** 16 characters, different for each backup folder. */
  readonly id: string
  /** 32 random bytes. */
  readonly dataKey: Uint8Array
}

/** Fewer can be guessed. */
const PASSPHRASE_BYTES = 12
const KEY_BYTES = 32
const SALT_BYTES = 32
/** 128 MiB and a third of a second for each guess (OWASP Password Storage Cheat Sheet, scrypt). */
const COST: ScryptCost = { log2: 17, blocks: 8, lanes: 1 }
/** What a file that somebody else wrote may make us spend: 2 GiB. */
const MOST: ScryptCost = { log2: 20, blocks: 16, lanes: 4 }
const LEAST_LOG2 = 10
const TITLE = 'gatehouse backup v1'

/**
 * Makes the head of a new backup: text that may be read by anyone. The data key stands in it, encrypted under a key from
 * the secret and bound to the lines before it. Throws `usage.wrong` for a secret that is too short.
 */
export async function newBackupKey(
  secret: BackupSecret,
  cost = COST,
): Promise<{ readonly head: string; readonly key: BackupKey }> {
  checkSecret(secret)
  const key = { id: newEntryId(), dataKey: randomBytes(SHA256_BYTES) }
  const salt = toBase64(randomBytes(SALT_BYTES))
  const { log2, blocks, lanes } = cost
  const way = secret.kind === 'key' ? `key-file ${salt}` : `scrypt ${log2} ${blocks} ${lanes} ${salt}`
  const bound = `${TITLE}\nid ${key.id}\nkey ${way}\n`
  const sealed = seal(await wrappingKey(secret, way), key.dataKey, utf8(bound))
  return { head: `${bound}data ${toBase64(sealed)}\n`, key }
}

/** Opens the head of a backup. Throws `backup.damaged` for text of another form, `backup.key` for another secret. */
export async function openBackupKey(head: string, secret: BackupSecret): Promise<BackupKey> {
  const [, bound = '', id = '', way = '', data = ''] = HEAD.exec(head) ?? []
  const sealed = fromBase64(data)
  if (bound === '' || sealed === undefined) throw new Fault('backup.damaged', { place: 'gatehouse-backup' })
  const dataKey = unseal(await wrappingKey(secret, way), sealed, utf8(bound))
  if (dataKey === undefined) throw new Fault('backup.key')
  return { id, dataKey }
}

const HEAD = /^(gatehouse backup v1\nid ([0-9A-Za-z]{16})\nkey ([^\n]+)\n)data ([0-9A-Za-z+/=]+)\n$/

async function wrappingKey({ kind, bytes }: BackupSecret, way: string): Promise<Uint8Array> {
  const [name, ...rest] = way.split(' ')
  if (name !== (kind === 'key' ? 'key-file' : 'scrypt'))
    throw new Fault(
      'backup.key',
      {},
      {
        say:
          kind === 'key' ? 'This backup is opened by a passphrase.' : 'This backup is opened by a key file.',
      },
    )
  const salt = fromBase64(rest.at(-1) ?? '')
  if (salt === undefined) throw new Fault('backup.damaged', { place: 'gatehouse-backup' })
  if (kind === 'key') return deriveKey(bytes, `gatehouse backup key file v1\n${toBase64(salt)}`)
  return await scryptKey(bytes, salt, costOf(rest))
}

function costOf(words: readonly string[]): ScryptCost {
  const [log2 = 0, blocks = 0, lanes = 0] = words.slice(0, -1).map(Number)
  const isFair =
    words.length === 4 &&
    [log2, blocks, lanes].every((each) => Number.isSafeInteger(each) && each > 0) &&
    log2 >= LEAST_LOG2 &&
    log2 <= MOST.log2 &&
    blocks <= MOST.blocks &&
    // RFC 7914, section 2: N is less than 2^(128 r / 8).
    log2 < 16 * blocks &&
    lanes <= MOST.lanes
  if (!isFair) throw new Fault('backup.damaged', { place: 'gatehouse-backup' })
  return { log2, blocks, lanes }
}

function checkSecret({ kind, bytes }: BackupSecret): void {
  const least = kind === 'key' ? KEY_BYTES : PASSPHRASE_BYTES
  if (bytes.length >= least) return
  const what = kind === 'key' ? 'The key file' : 'The passphrase'
  throw new Fault('usage.wrong', {}, { say: `${what} must have at least ${least} bytes.` })
}
