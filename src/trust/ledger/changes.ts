import { sameBytes } from '#base/bytes.ts'
import type { Files } from '#base/files.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import type { EntryKind } from '#base/recorder.ts'
import { bundleHashes } from './bundle.ts'
import { openCheckpoint, peekCheckpoint, type Head } from './checkpoint.ts'
import { listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { idOf, parseLeaf } from './leaf.ts'
import { corrupt, loadLog } from './load.ts'
import { sortOrigins, type FinishedOrigin } from './origin.ts'
import { scanSegment } from './raw_segment.ts'
import { openGroups, openSealed, openSealedSecrets, readSegment } from './segment_reader.ts'
import { SidecarBox, type SecretRecord } from './sidecar.ts'
import { BundleTiles } from './tile_bundles.ts'

/** A change that the ledger has, and whether it says that the change was made. */
export interface LedgerChange {
  readonly leaf: JsonObject
  /** Place of the entry, for messages. */
  readonly place: string
  /** Sensitive values by name; undefined where they cannot be opened or were shredded. */
  readonly values: Readonly<Record<string, JsonValue>> | undefined
  /** The outcome of the request that asked for it; undefined when there is none. */
  readonly outcome: JsonObject | undefined
}

export interface ChangesParts {
  readonly files: Files
  readonly directory: string
  readonly sidecarKey: Uint8Array
  /** A checkpoint of this home: only what is behind it is read. Without one, or of a log that is gone, everything is. */
  readonly since: string | undefined
}

/**
 * The changes of keys, callers and policies that were recorded behind a checkpoint, oldest first. It holds one segment
 * in memory at a time.
 *
 * Throws `ledger.corrupt` where entries cannot be read or proven: a change must not be hidden.
 */
export async function changesSince(parts: ChangesParts): Promise<readonly LedgerChange[]> {
  const { files, directory, sidecarKey } = parts
  const { finished } = await sortOrigins(files, directory)
  const start = startOf(finished, parts.since)
  const changes = new Map<string, LedgerChange>()
  for (const [at, origin] of finished.entries()) {
    if (at < start.log) continue
    // The newest log is proven when it is opened.
    if (at < finished.length - 1) await loadLog(files, origin, { sidecarKey, wanted: [] })
    await collect({ files, folder: origin.folder, sidecarKey }, at === start.log ? start.entry : 0, changes)
  }
  return [...changes.values()]
}

function startOf(
  finished: readonly FinishedOrigin[],
  since: string | undefined,
): { readonly log: number; readonly entry: number } {
  const peeked = since === undefined ? undefined : peekCheckpoint(since)
  const log = finished.findIndex(({ folder }) => folder.origin === peeked?.origin)
  const head: Head | undefined = finished[log] && openCheckpoint(since ?? '', finished[log].verifiers)
  return head === undefined ? { log: 0, entry: 0 } : { log, entry: head.size }
}

interface LogParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly sidecarKey: Uint8Array
}

async function collect(parts: LogParts, from: number, changes: Map<string, LedgerChange>): Promise<void> {
  const { segments } = await listSegments(parts.files, parts.folder)
  for (const [at, { first }] of segments.entries()) {
    const next = segments[at + 1]?.first ?? Number.MAX_SAFE_INTEGER
    if (next <= from) continue
    const { leaves, secrets } = await openProven(parts, first)
    for (const [index, bytes] of leaves.entries()) {
      if (first + index < from) continue
      const place = `${parts.folder.path} entry ${first + index}`
      if (isOfKind(bytes, 'change')) takeChange(place, parseLeaf(bytes), secrets[index], changes)
      else if (changes.size > 0 && isOfKind(bytes, 'outcome')) takeOutcome(parseLeaf(bytes), changes)
    }
  }
}

/** Nearly all entries are none of these and are passed over unread. */
function isOfKind(leaf: Buffer, kind: EntryKind): boolean {
  return leaf.includes(`"kind":"${kind}"`)
}

function takeChange(
  place: string,
  leaf: JsonObject,
  record: SecretRecord,
  changes: Map<string, LedgerChange>,
): void {
  const values = record && Object.fromEntries(record.fields)
  changes.set(idOf(leaf), { leaf, place, values, outcome: undefined })
}

function takeOutcome(leaf: JsonObject, changes: Map<string, LedgerChange>): void {
  const id = idOf(leaf)
  const change = changes.get(id)
  if (change !== undefined) changes.set(id, { ...change, outcome: leaf })
}

interface Proven {
  readonly leaves: readonly Buffer[]
  readonly secrets: readonly SecretRecord[]
}

/**
 * The leaves of a segment, with the secrets that open. They are proven by what the checkpoint has proven when the log was
 * loaded: the hashes in the head of a sealed segment, and the tiles that stand for a raw one.
 */
export async function openProven({ files, folder, sidecarKey }: LogParts, first: number): Promise<Proven> {
  const box = new SidecarBox(sidecarKey, folder.origin)
  const bytes = await readSegment(files, folder, first)
  const place = segmentPath(folder, first, bytes.kind === 'raw' ? 'raw' : 'leaves')
  const opened = bytes.kind === 'raw' ? openRaw(bytes.raw, box) : await openPacked(bytes, box)
  if (opened === undefined) throw corrupt(place, 'the changes in it cannot be read')
  if (bytes.kind === 'raw' && !(await new BundleTiles(files, folder).agreesWith(first, opened.leaves)))
    throw corrupt(place, 'not the entries that the checkpoint covers')
  return opened
}

function openRaw(content: Uint8Array, box: SidecarBox): Proven | undefined {
  const raw = scanSegment(content)
  if (raw === undefined) return undefined
  const opened = openGroups(raw, box)
  return {
    leaves: raw.groups.flatMap((group) => group.leaves.map(toBuffer)),
    secrets: raw.groups.flatMap((group, at) => opened[at] ?? group.leaves.map(() => undefined)),
  }
}

async function openPacked(
  bytes: Awaited<ReturnType<typeof readSegment>>,
  box: SidecarBox,
): Promise<Proven | undefined> {
  const sealed = bytes.kind === 'sealed' ? await openSealed(bytes.leaves) : undefined
  if (bytes.kind !== 'sealed' || sealed === undefined) return undefined
  const found = await bundleHashes(sealed.leaves)
  if (!sealed.head.tiles.every((tile, at) => sameBytes(tile, found[at] ?? EMPTY))) return undefined
  const secrets = bytes.sidecar && (await openSealedSecrets(sealed.head, bytes.sidecar, box))
  return { leaves: sealed.leaves.map(toBuffer), secrets: secrets ?? [] }
}

const EMPTY = new Uint8Array(0)

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
