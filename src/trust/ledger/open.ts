import type { Clock } from '#base/clock.ts'
import { ed25519PublicBytes } from '#base/crypto.ts'
import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { folderOf, type Files } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import { ActiveSegment } from './active_segment.ts'
import type { Head } from './checkpoint.ts'
import { SEED_BYTES } from './commitment.ts'
import { loadKnownHeads, succession, unreachedHeads } from './known_heads.ts'
import { listSegments } from './layout.ts'
import { makeLeaf } from './leaf.ts'
import { loadLog, type LoadedLog } from './load.ts'
import { createOrigin, loadVerifier, sortOrigins, type FinishedOrigin, type OriginKeys } from './origin.ts'
import { usedBytes } from './space.ts'
import { randomBytes } from '#base/crypto.ts'

export interface LedgerKeys extends OriginKeys {
  /** 32 bytes: turns callers into pseudonyms. */
  readonly pseudonymKey: Uint8Array
}

export interface LedgerOptions {
  readonly files: Files
  /** The ledger folder; made when missing. */
  readonly directory: string
  readonly keys: LedgerKeys
  readonly clock: Clock
  /** Most bytes of the ledger folder; without it only the disk is the limit. */
  readonly maxBytes?: number | undefined
  /** The last bytes of that, and of the disk, are for reserved entries. Default 16 MiB. */
  readonly reserveBytes?: number | undefined
  /** Beyond this a segment ends at the next 256 entries. Default 8 MiB. */
  readonly segmentBytes?: number | undefined
  /** True seals on the thread of the caller: for tools and tests that do nothing else meanwhile. */
  readonly sealHere?: boolean | undefined
  /** Default 1,000. */
  readonly checkpointEveryMs?: number | undefined
  /** Files outside the ledger folder, best on another disk, that get a copy of each checkpoint. */
  readonly anchors?: readonly string[] | undefined
  /** The newest checkpoint that the caller kept outside the ledger folder. */
  readonly knownHead?: string | undefined
}

export interface OpenedLog {
  readonly log: LoadedLog
  readonly active: ActiveSegment
  readonly usedBytes: number
  /** Bytes of an unfinished write that were cut off. */
  readonly tornBytes: number
  readonly problems: readonly string[]
}

/** Finds or starts the log to append to and brings its files in order. Throws as `openLedger`. */
export async function openNewestLog(options: LedgerOptions): Promise<OpenedLog> {
  const { files, directory, keys } = options
  await files.makeDirectory(directory)
  await files.syncDirectory(folderOf(directory))
  const publicKey = ed25519PublicBytes(keys.signingPem)
  const known = await loadKnownHeads(
    files,
    { anchors: options.anchors ?? [], knownHead: options.knownHead },
    publicKey,
  )
  const { finished } = await sortOrigins(files, directory)
  const newest = finished.at(-1)
  let opened: Opened
  if (newest === undefined) opened = await openNew(options, undefined, known.heads)
  else {
    checkKey(newest, publicKey)
    opened = await openOld(options, newest, known.heads)
    const unreached = await unreachedHeads(files, { finished, current: opened.log }, known.heads)
    if (unreached.length > 0) {
      await opened.active.close()
      opened = await openNew(options, { head: headOf(opened.log) }, unreached)
    }
  }
  // An earlier process may have died before its names were durable; what follows builds on them.
  await files.syncDirectory(opened.log.folder.path)
  await files.syncDirectory(directory)
  const { temporary } = await listSegments(files, opened.log.folder)
  for (const name of temporary) await files.unlink(`${opened.log.folder.path}/${name}`)
  return { ...opened, usedBytes: await usedBytes(files, directory), problems: known.problems }
}

interface Opened {
  readonly log: LoadedLog
  readonly active: ActiveSegment
  readonly tornBytes: number
}

async function openOld(
  options: LedgerOptions,
  origin: FinishedOrigin,
  heads: readonly Head[],
): Promise<Opened> {
  const wanted = heads.filter((head) => head.origin === origin.folder.origin).map((head) => head.size)
  const log = await loadLog(options.files, origin, wanted)
  const active = await ActiveSegment.open(options.files, origin.folder, log.active)
  return { log, active, tornBytes: log.active.tornBytes }
}

async function openNew(
  options: LedgerOptions,
  before: { readonly head: Head } | undefined,
  unreached: readonly Head[],
): Promise<Opened> {
  const { files, directory, keys, clock } = options
  const isFirst = before === undefined && unreached.length === 0
  const draft = {
    kind: 'note',
    id: newEntryId(),
    at: clock.now(),
    fields: succession(before?.head, unreached),
    reserved: true,
  } as const
  // An opening entry has public fields only.
  const opening = isFirst ? undefined : makeLeaf(draft, randomBytes(SEED_BYTES), (value) => value)
  const folder = await createOrigin(files, directory, keys, opening)
  const verifier = await loadVerifier(files, folder)
  if (verifier === undefined)
    throw new Fault('ledger.corrupt', { place: folder.path, what: 'cannot be read' })
  return openOld(options, { folder, verifier }, [])
}

function headOf(log: LoadedLog): Head {
  return { origin: log.folder.origin, size: log.range.size, root: log.range.root() }
}

function checkKey(origin: FinishedOrigin, publicKey: Uint8Array): void {
  if (!sameBytes(origin.verifier.publicKey, publicKey))
    throw new Fault('home.damaged', {
      place: origin.folder.path,
      what: 'the signing key is not that of the log',
    })
}
