import fs from 'node:fs'
import { open as openFile } from 'node:fs/promises'
import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { newMlDsa44Pem } from '#base/crypto.ts'
import { NODE_FILES, type Files, type WritableFile } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft, EntryKind } from '#base/recorder.ts'
import { openLedger, type Ledger } from '#trust/ledger/ledger.ts'
import type { LedgerKeys } from '#trust/ledger/open.ts'

/** Bytes of the leaf of `wideIntent`. */
export const LEAF_BYTES = 512

export function newKeys(): LedgerKeys {
  const { privateKey } = generateKeyPairSync('ed25519')
  const signingPem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  const mlDsaPem = newMlDsa44Pem()
  return { signingPem, mlDsaPem, sidecarKey: randomBytes(32), pseudonymKey: randomBytes(32) }
}

/** Opens a ledger as the door does. `isBusy`: true while sealing should wait. */
export function openBenchLedger(
  directory: string,
  keys: LedgerKeys,
  files = NODE_FILES,
  isBusy: () => boolean = () => false,
): Promise<Ledger> {
  return openLedger({ files, directory, keys, clock: SYSTEM_CLOCK, isBusy })
}

/** For another process that opens the same ledger. */
export function writeKeys(path: string, keys: LedgerKeys): void {
  const { sidecarKey, pseudonymKey } = keys
  const secrets = { sidecarKey: hexOf(sidecarKey), pseudonymKey: hexOf(pseudonymKey) }
  fs.writeFileSync(path, JSON.stringify({ ...keys, ...secrets }), { mode: 0o600 })
}

export function readKeys(path: string): LedgerKeys {
  const { signingPem, mlDsaPem, sidecarKey, pseudonymKey } = JSON.parse(fs.readFileSync(path, 'utf8'))
  const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex')
  return { signingPem, mlDsaPem, sidecarKey: bytes(sidecarKey), pseudonymKey: bytes(pseudonymKey) }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex')
}

function draft(kind: EntryKind, id: string, fields: EntryDraft['fields']): EntryDraft {
  return { kind, id, at: SYSTEM_CLOCK.now(), fields, reserved: false }
}

const HASH_BYTES = 32
const POOL_BYTES = 4_096 * HASH_BYTES
let pool = Buffer.alloc(0)
let drawn = 0

/** What stands for the hash of a body. Drawn many at a time: one by one it would cost as much as the ledger's own hashes. */
function contentHash(): string {
  if (drawn === pool.length) {
    pool = randomBytes(POOL_BYTES)
    drawn = 0
  }
  drawn += HASH_BYTES
  return pool.toString('hex', drawn - HASH_BYTES, drawn)
}

const SET = contentHash()

/** Hashes and ids differ from entry to entry, as they do in life: they are what does not compress. */
export function intent(id: string, policies: readonly string[] = ['default.models']): EntryDraft {
  return draft('intent', id, {
    action: 'model:infer',
    caller: 'Service::"bench"',
    kid: 'k7Qb2mYp0sXk',
    address: '127.0.0.1',
    content: contentHash(),
    resource: 'Model::"house"',
    policies,
    set: SET,
  })
}

/** What brings the leaf of an intent to `LEAF_BYTES`. */
const POLICIES = [
  'default.models',
  'team.research.may-use-house-models',
  'team.research.no-findings-outside-eu',
  'budget.research.within-the-month-of-may',
]

export function wideIntent(id = newEntryId()): EntryDraft {
  return intent(id, POLICIES)
}

/** The outcome of such an intent: it costs as much, and its leaf is a byte longer. */
export function wideOutcome(id: string): EntryDraft {
  return { ...wideIntent(id), kind: 'outcome' }
}

export function outcome(id: string): EntryDraft {
  return draft('outcome', id, {
    provider: 'openai',
    region: 'eu',
    tokens_in: 150 + (id.charCodeAt(0) % 100),
    tokens_out: 40 + (id.charCodeAt(1) % 100),
    status: 200,
    content: contentHash(),
    ms: id.charCodeAt(2) % 20,
  })
}

/** What was written into segments. */
export interface GroupCount {
  groups: number
  /** Bytes of `measured` groups, without the room that may stand behind one. */
  bytes: number
  measured: number
}

/** The files of this machine, which count the groups that are written into segments. */
export function countingFiles(count: GroupCount): Files {
  const openForWriting = async (path: string): Promise<WritableFile> => {
    const file = await NODE_FILES.openForWriting(path)
    if (!path.endsWith('.raw')) return file
    let last: number | undefined
    return {
      write: async (bytes, at) => {
        count.groups += 1
        // Groups stand one behind the other: the next one tells how long this one is.
        if (last !== undefined) {
          count.bytes += at - last
          count.measured += 1
        }
        last = at
        await file.write(bytes, at)
      },
      datasync: () => file.datasync(),
      truncate: (bytes) => file.truncate(bytes),
      facts: () => file.facts(),
      close: () => file.close(),
    }
  }
  return { ...NODE_FILES, openForWriting }
}

/** The files of this machine without any sync: to make a ledger quickly that is only to be read. */
export const UNSYNCED_FILES: Files = {
  ...NODE_FILES,
  syncDirectory: async () => undefined,
  openForWriting: async (path) => {
    const made = await NODE_FILES.openForWriting(path)
    const handle = await openFile(path, 'r+')
    return {
      write: async (bytes, at) => {
        for (let done = 0; done < bytes.length;) {
          const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at + done)
          done += bytesWritten
        }
      },
      datasync: async () => undefined,
      truncate: (bytes) => handle.truncate(bytes),
      facts: () => made.facts(),
      close: async () => {
        await Promise.all([made.close(), handle.close()])
      },
    }
  },
}
