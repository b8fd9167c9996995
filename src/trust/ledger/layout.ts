import { Fault } from '#base/fault.ts'
import { errorCode, isTemporary, type Files } from '#base/files.ts'

/**
 * The ledger folder: one folder per log origin, `0001-<id>`, and in it
 * `origin` the verifier keys (c2sp.org/signed-note) of the log, newest first, `checkpoint` its newest checkpoint, `cosigned`
 * the newest one that witnesses have cosigned, and per segment,
 * named for its first entry, either `<first>.raw` or, once sealed, `<first>.leaves` and `<first>.sidecar`; in `tile` the
 * full tiles of hashes (c2sp.org/tlog-tiles).
 */
export const FILE = {
  origin: 'origin',
  checkpoint: 'checkpoint',
  cosigned: 'cosigned',
  reserve: 'reserve',
  tile: 'tile',
} as const

export type Part = 'raw' | 'leaves' | 'sidecar'

/** The files of one segment that are there. */
export interface SegmentFiles {
  readonly first: number
  readonly parts: ReadonlySet<Part>
}

export interface OriginFolder {
  /** 1 for the first log of this home. */
  readonly number: number
  /** Name of the log, as in its checkpoints. */
  readonly origin: string
  readonly path: string
}

const ORIGIN_PREFIX = 'gatehouse.local/'
const FOLDER_PATTERN = /^([0-9]{4,})-([0-9A-Za-z]{16})$/
const SEGMENT_PATTERN = /^([0-9]{12,})\.(raw|leaves|sidecar)$/
const NUMBER_DIGITS = 4
const INDEX_DIGITS = 12

export function originFolder(directory: string, number: number, id: string): OriginFolder {
  const name = `${String(number).padStart(NUMBER_DIGITS, '0')}-${id}`
  return { number, origin: ORIGIN_PREFIX + id, path: `${directory}/${name}` }
}

/** The log folders, oldest first, and names that are none and not the ledger's own. Throws as `namesIn`. */
export async function listOrigins(
  files: Files,
  directory: string,
): Promise<{ readonly folders: readonly OriginFolder[]; readonly strange: readonly string[] }> {
  const folders: OriginFolder[] = []
  const strange: string[] = []
  for (const name of await namesIn(files, directory)) {
    const [, number = '', id = ''] = FOLDER_PATTERN.exec(name) ?? []
    const folder = originFolder(directory, Number(number), id)
    if (folder.path === `${directory}/${name}`) folders.push(folder)
    else if (name !== FILE.reserve && !isTemporary(name)) strange.push(name)
  }
  return { folders: folders.sort((left, right) => left.number - right.number), strange }
}

export function segmentPath(folder: OriginFolder, first: number, part: Part): string {
  return `${folder.path}/${segmentName(first, part)}`
}

export function segmentName(first: number, part: Part): string {
  return `${String(first).padStart(INDEX_DIGITS, '0')}.${part}`
}

/** The segments of a log in order, unfinished temporary files, and names that are neither. Throws as `namesIn`. */
export async function listSegments(
  files: Files,
  folder: OriginFolder,
): Promise<{
  readonly segments: readonly SegmentFiles[]
  readonly temporary: readonly string[]
  readonly strange: readonly string[]
}> {
  const segments = new Map<number, Set<Part>>()
  const temporary: string[] = []
  const strange: string[] = []
  for (const name of await namesIn(files, folder.path)) {
    const segment = parseSegmentName(name)
    if (segment !== undefined) {
      const parts = segments.get(segment.first) ?? new Set()
      segments.set(segment.first, parts.add(segment.part))
    } else if (isTemporary(name)) temporary.push(name)
    else if (!OF_LOG.has(name)) strange.push(name)
  }
  const inOrder = [...segments].map(([first, parts]) => ({ first, parts }))
  return { segments: inOrder.sort((left, right) => left.first - right.first), temporary, strange }
}

/** The names in a folder of the ledger; none where it is not there. Throws `ledger.corrupt` where it is no folder. */
export async function namesIn(files: Files, path: string): Promise<readonly string[]> {
  try {
    return await files.list(path)
  } catch (thrown) {
    throw errorCode(thrown) === 'ENOTDIR' ? notAFolder(path, thrown) : thrown
  }
}

export function notAFolder(place: string, cause: unknown): Fault {
  return new Fault('ledger.corrupt', { place, what: 'not a folder of a ledger' }, { cause })
}

/** Files of a log beside its segments. */
const OF_LOG: ReadonlySet<string> = new Set([FILE.origin, FILE.checkpoint, FILE.cosigned, FILE.tile])

function parseSegmentName(name: string): { first: number; part: Part } | undefined {
  const [, digits = '', suffix = ''] = SEGMENT_PATTERN.exec(name) ?? []
  const part = (['raw', 'leaves', 'sidecar'] as const).find((each) => each === suffix)
  if (part === undefined || segmentName(Number(digits), part) !== name) return undefined
  return { first: Number(digits), part }
}
