import type { Millis } from '#base/clock.ts'
import type { Files } from '#base/files.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { openProven } from './changes.ts'
import { listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { parseLeaf } from './leaf.ts'
import { loadLog } from './load.ts'
import { sortOrigins } from './origin.ts'
import { readPackedHead } from './segment_reader.ts'

/** An entry with what opens of it. */
export interface OpenedEntry {
  readonly leaf: JsonObject
  /** Sensitive values by name; empty where they cannot be opened or were shredded. */
  readonly values: Readonly<Record<string, JsonValue>>
}

export interface EntriesParts {
  readonly files: Files
  readonly directory: string
  readonly sidecarKey: Uint8Array
  /** Where to begin: an entry of the newest log, or the first segment of any log that may hold an entry of that time. */
  readonly from: { readonly entry: number } | { readonly at: Millis }
  /** Looks at the bytes of a leaf; only of those that it is true of anything is read. */
  readonly isWanted: (leaf: Buffer) => boolean
}

/**
 * The entries behind a place, oldest first, proven as `changesSince` has them. It holds one segment in memory at a time.
 * Throws `ledger.corrupt` where entries cannot be read or proven.
 */
export async function* entriesSince(parts: EntriesParts): AsyncGenerator<OpenedEntry, void, undefined> {
  const { files, directory, sidecarKey, from } = parts
  const { finished } = await sortOrigins(files, directory)
  const first = 'entry' in from ? Math.max(0, finished.length - 1) : 0
  for (const [at, origin] of finished.entries()) {
    if (at < first) continue
    const place = 'entry' in from ? from.entry : await firstSince(files, origin.folder, from.at)
    if (place === undefined) continue
    // The newest log is proven when it is opened.
    if (at < finished.length - 1) await loadLog(files, origin, { sidecarKey, wanted: [] })
    yield* entriesOf(parts, origin.folder, place)
  }
}

async function* entriesOf(
  { files, sidecarKey, isWanted }: EntriesParts,
  folder: OriginFolder,
  from: number,
): AsyncGenerator<OpenedEntry, void, undefined> {
  const { segments } = await listSegments(files, folder)
  for (const [at, { first }] of segments.entries()) {
    const next = segments[at + 1]?.first ?? Number.MAX_SAFE_INTEGER
    if (next <= from) continue
    const { leaves, secrets } = await openProven({ files, folder, sidecarKey }, first)
    for (const [index, bytes] of leaves.entries()) {
      if (first + index < from || !isWanted(bytes)) continue
      yield { leaf: parseLeaf(bytes), values: Object.fromEntries(secrets[index]?.fields ?? []) }
    }
  }
}

/** The first entry of the newest sealed segment that begins before a time, or of the log; undefined for an empty log. */
async function firstSince(files: Files, folder: OriginFolder, at: Millis): Promise<number | undefined> {
  const { segments } = await listSegments(files, folder)
  for (const { first, parts } of segments.toReversed()) {
    if (parts.has('raw')) continue
    const head = await readPackedHead(files, segmentPath(folder, first, 'leaves'))
    if (head !== undefined && head.at < at) return first
  }
  return segments[0]?.first
}
