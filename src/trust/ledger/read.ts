import { Fault } from '#base/fault.ts'
import { errorCode, type Files } from '#base/files.ts'
import { isEntryId } from '#base/ids.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { saltFor } from './commitment.ts'
import { listOrigins, listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { kindOf, parseLeaf } from './leaf.ts'
import { ID_BYTES, toHalves } from './packed_id.ts'
import { packedHeadBytes, PACKED_HEAD_BYTES, parsePackedHead } from './packing.ts'
import type { RawSegment } from './raw_segment.ts'
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

/**
 * All entries of one request, newest first, from all logs. It stops at the segment that holds the request's intent
 * or refusal, so a recent id is found in a few milliseconds and an unknown one after a search of every id column.
 */
export async function findEntries(
  files: Files,
  directory: string,
  id: string,
  options: Pick<ReadOptions, 'sidecarKey'> = {},
): Promise<readonly ReadEntry[]> {
  if (!isEntryId(id)) return []
  const found: ReadEntry[] = []
  const { folders } = await listOrigins(files, directory)
  for (const folder of folders.toReversed())
    for (const { first } of (await listSegments(files, folder)).segments.toReversed()) {
      if (!(await mayHold(files, folder, first, id))) continue
      const entries = await entriesOf(files, folder, first, options)
      found.push(...entries.filter(({ leaf }) => leaf['id'] === id).toReversed())
      // Nothing of a request is recorded before its first entry.
      if (found.some(({ leaf }) => leaf['kind'] === 'intent' || leaf['kind'] === 'refusal')) return found
    }
  return found
}

async function entriesOf(
  files: Files,
  folder: OriginFolder,
  first: number,
  options: Pick<ReadOptions, 'sidecarKey'>,
): Promise<readonly ReadEntry[]> {
  const box = options.sidecarKey && new SidecarBox(options.sidecarKey, folder.origin)
  const { leaves, secrets } = await openSegment(files, folder, first, box)
  return leaves.map((bytes, at) => {
    const leaf = parseLeaf(bytes)
    return { origin: folder.origin, index: first + at, leaf, bytes, opened: disclose(leaf, secrets?.[at]) }
  })
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

/** A byte search that may find too much, never too little. */
async function mayHold(files: Files, folder: OriginFolder, first: number, id: string): Promise<boolean> {
  const path = segmentPath(folder, first, 'leaves')
  try {
    const head = await files.readRange(path, 0, PACKED_HEAD_BYTES)
    const bytes = packedHeadBytes(head)
    const place =
      bytes === undefined ? undefined : parsePackedHead(await files.readRange(path, 0, bytes))?.ids
    if (place === undefined) return true
    const column = Buffer.from(await files.readRange(path, place.start, place.end - place.start))
    return holdsId(column, toHalves(id))
  } catch (thrown) {
    if (errorCode(thrown) !== 'ENOENT') throw thrown
  }
  const bytes = await readSegment(files, folder, first)
  return bytes.kind !== 'raw' || Buffer.from(bytes.raw).includes(`"id":"${id}"`)
}

function holdsId(column: Buffer, wanted: Uint8Array): boolean {
  for (let at = column.indexOf(wanted); at >= 0; at = column.indexOf(wanted, at + 1))
    if (at % ID_BYTES === 0) return true
  return false
}

function unreadable(place: string): Fault {
  return new Fault('ledger.corrupt', { place, what: 'cannot be read' })
}
