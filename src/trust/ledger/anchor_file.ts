import { sameBytes } from '#base/bytes.ts'
import { errorCode } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import type { OutsideFiles } from '#base/outside_files.ts'
import { peekCheckpoint, type Head } from './checkpoint.ts'
import { forked, outage, rolledBack, type HolderProblem } from './contradiction.ts'
import { openOurs } from './known_heads.ts'
import type { LogKey } from './log_keys.ts'

export interface AnchorLog {
  /** The keys of the home. */
  readonly keys: readonly LogKey[]
  /** The newest head of the log in use. */
  readonly newest: Head
  /** The root of the first `size` entries of it. */
  readonly rootAt: (size: number) => Promise<Uint8Array>
}

/**
 * Why the file of an anchor must stay as it is; undefined when it may be replaced. A place that was away at the start, or is
 * somebody else's too, may hold what this log does not reach: over it the newest checkpoint would wipe out the only trace of
 * a rollback. `text` is what is there, `known` what was put there, or compared with the log at the start.
 */
export async function reasonToKeep(
  text: string | undefined,
  known: string | undefined,
  { keys, newest, rootAt }: AnchorLog,
): Promise<HolderProblem | undefined> {
  // What is no checkpoint at all tells nothing.
  if (text === undefined || text === known || peekCheckpoint(text) === undefined) return undefined
  const head = openOurs(text, keys)
  if (head === undefined)
    return outage('holds a checkpoint that no key of this home has signed: it is not replaced')
  if (head.origin !== newest.origin)
    return outage(
      'holds a checkpoint of another log of this home, which was not there at the start: start the door again',
    )
  if (head.size > newest.size) return rolledBack('holds', head.size, newest.size)
  const root = await rootAt(head.size)
  return sameBytes(root, head.root) ? undefined : forked('holds')
}

/**
 * What is in the file of an anchor; undefined where there is none. Throws as `OutsideFiles`: a link is not followed, because
 * what it points to may be on another disk today than tomorrow.
 */
export async function readCopy(outside: OutsideFiles, path: string): Promise<string | undefined> {
  try {
    return Buffer.from(await outside.read(path, LIMITS.noteBytes)).toString('utf8')
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}
