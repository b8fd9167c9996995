import type { Clock } from '#base/clock.ts'
import { ed25519PublicBytes, hmacSha256, newEd25519Pem, newMlDsa44Pem, sha256Hex } from '#base/crypto.ts'
import type { Files } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { JsonValue } from '#base/json.ts'
import type { EntryDraft, EntryKind } from '#base/recorder.ts'
import { openLedger, type Ledger } from '#trust/ledger/ledger.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { listOrigins, type OriginFolder } from '#trust/ledger/layout.ts'
import type { LedgerOptions } from '#trust/ledger/open.ts'
import { readEntries, type ReadEntry, type ReadOptions } from '#trust/ledger/read.ts'
import { SimulatedFiles } from './simulated_files.ts'
import { bundleHashes } from '#trust/ledger/bundle.ts'
import { idsIn, joinLines } from '#trust/ledger/packed_text.ts'
import { packLeaves } from '#trust/ledger/packing.ts'

export const LEDGER = '/home/ledger'

/** Keys that are the same in every run, but for the signing keys, which no test looks at. */
export const KEYS = {
  signingPem: newEd25519Pem(),
  mlDsaPem: newMlDsa44Pem(),
  pseudonymKey: hmacSha256(Buffer.alloc(32, 1), 'pseudonym'),
  sidecarKey: hmacSha256(Buffer.alloc(32, 2), 'sidecar'),
}

export const PUBLIC_KEY = ed25519PublicBytes(KEYS.signingPem)
export const PUBLIC_KEYS = logKeysOf(KEYS, 0)

/** A clock that stands still until it is moved. */
export class HandClock implements Clock {
  time = 1_795_000_000_000

  now(): number {
    return this.time
  }

  monotonic(): number {
    return this.time
  }
}

/** A simulated disk with an empty, durable home and a folder for anchors. */
export async function emptyDisk(): Promise<SimulatedFiles> {
  const files = new SimulatedFiles()
  for (const folder of ['/home', '/anchor']) {
    await files.makeDirectory(folder)
    await files.syncDirectory('/')
  }
  files.steps.length = 0
  return files
}

/** A ledger on a disk, with checkpoints on demand only. */
export function openOn(files: Files, more: Partial<LedgerOptions> = {}): Promise<Ledger> {
  return openLedger({
    files,
    directory: LEDGER,
    keys: KEYS,
    clock: new HandClock(),
    checkpointEveryMs: 1e9,
    reserveBytes: 1_024,
    ...more,
  })
}

/** An intent as the door writes it. */
export function intent(number: number, more: Partial<EntryDraft> = {}): EntryDraft {
  return {
    kind: 'intent',
    id: newEntryId(),
    at: 1_795_000_000_000 + number * 7,
    reserved: false,
    fields: {
      action: 'model:invoke',
      caller: `Service::"svc-${number % 20}"`,
      kid: `kid${number % 20}abcd`,
      policies: ['space-default-models'],
      set: sha256Hex('set'),
      resource: `Model::"${['echo', 'house-model', 'large'][number % 3]}"`,
      address: `10.0.${number % 7}.${number % 251}`,
      content: sha256Hex(`request ${number}`),
    },
    ...more,
  }
}

/** The outcome of an intent. */
export function outcome(of: EntryDraft, number: number): EntryDraft {
  return {
    kind: 'outcome',
    id: of.id,
    at: of.at + 300 + (number % 400),
    reserved: false,
    fields: {
      status: 200,
      ms: (number * 37) % 3_000,
      tokens_in: (number * 101) % 2_000,
      tokens_out: (number * 53) % 900,
      content: sha256Hex(`answer ${number}`),
      provider: 'openai',
      region: 'eu',
    },
  }
}

export function draft(kind: EntryKind, fields: Readonly<Record<string, JsonValue>>): EntryDraft {
  return { kind, id: newEntryId(), at: 1_795_000_000_000, reserved: false, fields }
}

/** The folder of the newest log. */
export async function newestFolder(files: Files, directory = LEDGER): Promise<OriginFolder> {
  const folder = (await listOrigins(files, directory)).folders.at(-1)
  if (folder === undefined) throw new Error('there is no log')
  return folder
}

export async function readAll(
  files: Files,
  options: ReadOptions = {},
  directory = LEDGER,
): Promise<ReadEntry[]> {
  const entries: ReadEntry[] = []
  for await (const entry of readEntries(files, await newestFolder(files, directory), options))
    entries.push(entry)
  return entries
}

/** The packed file of whole bundles of leaves, with the right hashes. */
export async function packOf(first: number, at: number, leaves: readonly Uint8Array[]): Promise<Uint8Array> {
  const text = joinLines(leaves)
  const tiles = await bundleHashes(leaves)
  return await packLeaves({ first, at, count: leaves.length, text, ids: idsIn(text), tiles })
}
