import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import type { OutsideFiles } from '#base/outside_files.ts'
import { openCheckpoint, peekCheckpoint, type Head } from './checkpoint.ts'
import { loadLog, type LoadedLog } from './load.ts'
import { verifiersOf, type LogKey } from './log_keys.ts'
import type { FinishedOrigin } from './origin.ts'
import type { Succession } from './succession.ts'

/** What is known of our logs from outside the ledger folder. */
export interface KnownHeads {
  readonly heads: readonly Head[]
  /** Sources that hold no checkpoint of our key. */
  readonly problems: readonly string[]
  /** What anchors hold that is of our logs, by path. */
  readonly copies: ReadonlyMap<string, string>
}

/** Collects the heads that were kept outside. An anchor that is not there yet is no problem. */
export async function loadKnownHeads(
  outside: OutsideFiles,
  sources: { readonly anchors: readonly string[]; readonly knownHeads: readonly string[] },
  keys: readonly LogKey[],
): Promise<KnownHeads> {
  const heads: Head[] = []
  const problems: string[] = []
  const copies = new Map<string, string>()
  const texts = sources.knownHeads.map((text): [string, string] => ['a head kept in the home', text])
  for (const path of sources.anchors) {
    const text = await readAnchor(outside, path)
    if (text.kind === 'text') texts.push([path, text.text])
    if (text.kind === 'unreadable') problems.push(`${path} cannot be read`)
  }
  for (const [source, text] of texts) {
    const head = openOurs(text, keys)
    if (head === undefined) problems.push(`${source} holds no checkpoint of the key of this home`)
    else heads.push(head)
    if (head !== undefined && sources.anchors.includes(source)) copies.set(source, text)
  }
  return { heads, problems, copies }
}

/**
 * The heads that the logs of this home do not reach: the home was restored to an older state, and to append to the
 * newest log would fork it.
 *
 * Throws `ledger.corrupt` when a log has other entries than a head covers.
 */
export async function unreachedHeads(
  files: Files,
  logs: {
    readonly finished: readonly FinishedOrigin[]
    readonly current: LoadedLog
    /** What the first entries of the finished logs say. */
    readonly successions: readonly Succession[]
    readonly sidecarKey: Uint8Array
  },
  heads: readonly Head[],
): Promise<readonly Head[]> {
  const unreached: Head[] = []
  for (const head of heads) {
    const origin = logs.finished.find((each) => each.folder.origin === head.origin)
    const isCurrent = origin?.folder.path === logs.current.folder.path
    const log =
      isCurrent || origin === undefined
        ? logs.current
        : await loadLog(files, origin, { sidecarKey: logs.sidecarKey, wanted: [head.size] })
    const root = origin === undefined ? undefined : log.roots.get(head.size)
    if (root === undefined) unreached.push(head)
    else if (!sameBytes(root, head.root))
      throw new Fault('ledger.corrupt', {
        place: `${log.folder.path} entries 0 to ${head.size - 1}`,
        what: 'forked: a checkpoint held outside covers other entries',
      })
  }
  const recorded = logs.successions.flatMap((each) => each.after)
  return unreached.filter(
    (head) => !recorded.some((each) => each.origin === head.origin && each.size >= head.size),
  )
}

/** The head of a checkpoint that a key of this home signed; undefined for any other text. */
export function openOurs(text: string, keys: readonly LogKey[]): Head | undefined {
  const origin = peekCheckpoint(text)?.origin
  return origin === undefined ? undefined : openCheckpoint(text, verifiersOf(keys, origin))
}

type AnchorText =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' }
  | { readonly kind: 'text'; readonly text: string }

async function readAnchor(outside: OutsideFiles, path: string): Promise<AnchorText> {
  try {
    return { kind: 'text', text: Buffer.from(await outside.read(path, LIMITS.noteBytes)).toString('utf8') }
  } catch (thrown) {
    // A disk that is away must not keep the ledger from opening; doctor tells of it.
    return { kind: errorCode(thrown) === 'ENOENT' ? 'none' : 'unreadable' }
  }
}
