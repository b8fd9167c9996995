import type { Files } from '#base/files.ts'
import { Turns } from '#base/turns.ts'
import { listSegments, segmentPath, type OriginFolder } from './layout.ts'
import { idOf, kindOf, parseLeaf } from './leaf.ts'
import { keptOf, type OpenIntent } from './open_intents.ts'
import { sortOrigins } from './origin.ts'
import { scanSegment } from './raw_segment.ts'
import { unreadable } from './read.ts'
import { openSealed, readSegment } from './segment_reader.ts'

/** Before an entry of a log. */
export interface LogPlace {
  readonly origin: string
  readonly entry: number
}

export interface OpenIntentParts {
  readonly files: Files
  readonly directory: string
  /** Where to begin; undefined, or in a log that is not there, at the beginning of all. */
  readonly from: LogPlace | undefined
  /** Where to end in the newest log. */
  readonly to: LogPlace
  /** Intents without an outcome before `from`. */
  readonly before: readonly OpenIntent[]
  /** As many are held at once. */
  readonly most: number
  /** True once nobody waits for it any more: it then ends at the next pause, with what is of no use. */
  readonly isStopped: () => boolean
}

export interface FoundOpenIntents {
  readonly open: readonly OpenIntent[]
  /** Where to look further, once those are settled; undefined when all was looked at. */
  readonly next: LogPlace | undefined
}

/**
 * The intents up to a place that have no outcome up to there. It holds one segment and `most` of them in memory; where
 * there are more, it gives the oldest ones, and from where to go on. It takes no turn of the event loop for long, and
 * proves nothing: a wrong entry only costs the outcome of its request.
 *
 * Throws `ledger.corrupt` where a segment cannot be read.
 */
export async function findOpenIntents(parts: OpenIntentParts): Promise<FoundOpenIntents> {
  const { files, directory, from, to, before, most } = parts
  const search = new Search(before, most)
  const { finished } = await sortOrigins(files, directory)
  const start = Math.max(
    0,
    finished.findIndex(({ folder }) => folder.origin === from?.origin),
  )
  for (const { folder } of finished.slice(start)) {
    const first = folder.origin === from?.origin ? from.entry : 0
    const end = folder.origin === to.origin ? to.entry : Number.MAX_SAFE_INTEGER
    await searchLog(parts, folder, { first, end, search })
  }
  return { open: search.open, next: search.next }
}

const TURNS = new Turns()
/** Read in one turn of the event loop: a millisecond of work. */
const LEAVES_AT_ONCE = 256

async function searchLog(
  { files, isStopped }: OpenIntentParts,
  folder: OriginFolder,
  range: { readonly first: number; readonly end: number; readonly search: Search },
): Promise<void> {
  const { segments } = await listSegments(files, folder)
  for (const [at, { first }] of segments.entries()) {
    const next = segments[at + 1]?.first ?? Number.MAX_SAFE_INTEGER
    if (next <= range.first || first >= range.end) continue
    const leaves = await leavesOf(files, folder, first)
    for (const [index, leaf] of leaves.entries()) {
      if (index % LEAVES_AT_ONCE === 0) await TURNS.next()
      if (isStopped()) return
      const entry = first + index
      if (entry >= range.first && entry < range.end) range.search.look(leaf, { origin: folder.origin, entry })
    }
  }
}

async function leavesOf(files: Files, folder: OriginFolder, first: number): Promise<readonly Uint8Array[]> {
  const bytes = await readSegment(files, folder, first)
  if (bytes.kind === 'raw') {
    const raw = scanSegment(bytes.raw)
    if (raw === undefined) throw unreadable(segmentPath(folder, first, 'raw'))
    return raw.groups.flatMap((group) => group.leaves)
  }
  const sealed = bytes.kind === 'sealed' ? await openSealed(bytes.leaves) : undefined
  if (sealed === undefined) throw unreadable(segmentPath(folder, first, 'leaves'))
  return sealed.leaves
}

class Search {
  readonly #open = new Map<string, OpenIntent>()
  readonly #most: number
  next: LogPlace | undefined

  constructor(before: readonly OpenIntent[], most: number) {
    this.#most = most
    for (const intent of before) this.#open.set(intent.id, intent)
  }

  get open(): readonly OpenIntent[] {
    return [...this.#open.values()]
  }

  look(leaf: Uint8Array, place: LogPlace): void {
    const bytes = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength)
    // Most entries are one of these; the others are passed over unread.
    if (!bytes.includes('"kind":"intent"') && !bytes.includes('"kind":"outcome"')) return
    const entry = parseLeaf(leaf)
    if (kindOf(entry) === 'outcome') this.#open.delete(idOf(entry))
    if (kindOf(entry) !== 'intent' || this.next !== undefined) return
    const id = idOf(entry)
    if (this.#open.size < this.#most) this.#open.set(id, { id, fields: keptOf(entry) })
    // From here on only outcomes are looked for, so that of those that are held it is certain.
    else this.next = place
  }
}
