import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { saltFor } from './commitment.ts'
import { listOrigins, listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { kindOf, parseLeaf } from './leaf.ts'
import { firstPackedLeaf } from './packing.ts'
import { firstRawLeaf, type RawSegment } from './raw_segment.ts'
import { openGroups, openSealed, openSealedSecrets, readSegment, scanLive } from './segment_reader.ts'
import { SidecarBox, type SecretRecord } from './sidecar.ts'

/**
 * Readers take no lock: they read beside a process that appends and seals. They show what is in the files and prove
 * nothing; `verifyLedger` does that.
 */

/** A sensitive value with the salt that proves it (`verifyDisclosure`). */
export interface Disclosed {
  readonly value: JsonValue
  readonly salt: Uint8Array
}

export interface ReadEntry {
  readonly origin: string
  readonly index: number
  readonly leaf: JsonObject
  /** The leaf as it was hashed. */
  readonly bytes: Uint8Array
  /** Sensitive values by name; undefined without the key and where they were shredded. */
  readonly opened: Readonly<Record<string, Disclosed>> | undefined
}

export interface ReadOptions {
  /** First entry, from 0. */
  readonly from?: number
  /** Entry before which to stop; the end of the log when left out. */
  readonly to?: number
  /** 32 bytes; opens the sensitive values. */
  readonly sidecarKey?: Uint8Array
}

/** The entries of one log in order. Throws `ledger.corrupt` where a segment cannot be read. */
export async function* readEntries(
  files: Files,
  folder: OriginFolder,
  options: ReadOptions,
): AsyncGenerator<ReadEntry, void, undefined> {
  const { from = 0, to = Number.MAX_SAFE_INTEGER } = options
  const { segments } = await listSegments(files, folder)
  for (const [at, segment] of segments.entries()) {
    const next = segments[at + 1]?.first ?? Number.MAX_SAFE_INTEGER
    if (next <= from || segment.first >= to) continue
    for (const entry of await entriesOf(files, folder, segment.first, options))
      if (entry.index >= from && entry.index < to) yield entry
  }
}

/** The last `count` entries of the newest log, oldest first. */
export async function tailEntries(
  files: Files,
  directory: string,
  count: number,
  options: Pick<ReadOptions, 'sidecarKey'> = {},
): Promise<readonly ReadEntry[]> {
  const { folders } = await listOrigins(files, directory)
  const entries: ReadEntry[] = []
  for (const folder of folders.toReversed())
    for (const { first } of (await listSegments(files, folder)).segments.toReversed()) {
      if (entries.length >= count) return entries.slice(-count)
      entries.unshift(...(await entriesOf(files, folder, first, options)))
    }
  return count > 0 ? entries.slice(-count) : []
}

/** The first entry of a log, read without the rest of its segment; undefined when it has none or cannot be read. */
export async function readFirstLeaf(files: Files, folder: OriginFolder): Promise<JsonObject | undefined> {
  const raw = segmentPath(folder, 0, 'raw')
  const isRaw = (await files.facts(raw)) !== undefined
  const path = isRaw ? raw : segmentPath(folder, 0, 'leaves')
  if (!isRaw && (await files.facts(path)) === undefined) return undefined
  const read = async (from: number, length: number) => await files.readRange(path, from, length)
  const leaf = isRaw ? firstRawLeaf(await read(0, FIRST_BYTES)) : await firstPackedLeaf(read)
  return leaf === undefined ? undefined : parseLeaf(leaf)
}

async function entriesOf(
  files: Files,
  folder: OriginFolder,
  first: number,
  options: Pick<ReadOptions, 'sidecarKey'>,
): Promise<readonly ReadEntry[]> {
  const box = options.sidecarKey && new SidecarBox(options.sidecarKey, folder.origin)
  const { leaves, secrets } = await openSegment(files, folder, first, box)
  return leaves.map((bytes, at) => toReadEntry(folder, first + at, bytes, secrets?.[at]))
}

/** The entry of a leaf, with what its record opens. */
export function toReadEntry(
  { origin }: OriginFolder,
  index: number,
  bytes: Uint8Array,
  record: SecretRecord,
): ReadEntry {
  const leaf = parseLeaf(bytes)
  return { origin, index, leaf, bytes, opened: disclose(leaf, record) }
}

interface OpenedSegment {
  readonly leaves: readonly Uint8Array[]
  readonly secrets: readonly SecretRecord[] | undefined
}

async function openSegment(
  files: Files,
  folder: OriginFolder,
  first: number,
  box: SidecarBox | undefined,
): Promise<OpenedSegment> {
  const bytes = await readSegment(files, folder, first)
  if (bytes.kind === 'raw') {
    const raw = await scanLive(files, folder, first, bytes.raw)
    if (raw === undefined) throw unreadable(segmentPath(folder, first, 'raw'))
    const leaves = raw.groups.flatMap((group) => group.leaves)
    return { leaves, secrets: box && rawSecrets(raw, box) }
  }
  const sealed = bytes.kind === 'sealed' ? await openSealed(bytes.leaves) : undefined
  if (sealed === undefined) throw unreadable(segmentPath(folder, first, 'leaves'))
  const sidecar = bytes.kind === 'sealed' ? bytes.sidecar : undefined
  const secrets = box && sidecar && (await openSealedSecrets(sealed.head, sidecar, box))
  return { leaves: sealed.leaves, secrets }
}

function rawSecrets(raw: RawSegment, box: SidecarBox): readonly SecretRecord[] {
  const opened = openGroups(raw, box)
  return raw.groups.flatMap((group, at) => opened[at] ?? group.leaves.map(() => undefined))
}

function disclose(leaf: JsonObject, record: SecretRecord): ReadEntry['opened'] {
  if (record === undefined) return undefined
  const kind = kindOf(leaf)
  return Object.fromEntries(
    record.fields.map(([name, value]) => [name, { value, salt: saltFor(record.seed, kind, name) }]),
  )
}

/** A head frame and one leaf. */
const FIRST_BYTES = 2 * LIMITS.leafBytes

/** The fault for a segment that cannot be read. */
export function unreadable(place: string): Fault {
  return new Fault('ledger.corrupt', { place, what: 'cannot be read' })
}
