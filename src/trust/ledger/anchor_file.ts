import { sameBytes } from '#base/bytes.ts'
import { errorCode, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import { peekCheckpoint, type Head } from './checkpoint.ts'
import { openOurs } from './known_heads.ts'
import type { LogKey } from './log_keys.ts'

export interface AnchorLog {
  readonly files: Files
  /** The keys of the home. */
  readonly keys: readonly LogKey[]
  /** The newest head of the log in use. */
  readonly newest: Head
  /** The root of the first `size` entries of it. */
  rootAt(size: number): Promise<Uint8Array>
}

/**
 * Why the file of an anchor must stay as it is; undefined when it may be replaced. A place that was away at the start, or is
 * somebody else's too, may hold what this log does not reach: over it the newest checkpoint would wipe out the only trace of
 * a rollback. `known` is what was put there, or compared with the log at the start.
 */
export async function reasonToKeep(
  path: string,
  known: string | undefined,
  log: AnchorLog,
): Promise<string | undefined> {
  const { files, keys, newest } = log
  const found = await readCopy(files, path)
  if ('problem' in found) return found.problem
  const { text } = found
  // What is no checkpoint at all tells nothing.
  if (text === undefined || text === known || peekCheckpoint(text) === undefined) return undefined
  const head = openOurs(text, keys)
  if (head === undefined) return 'holds a checkpoint that no key of this home has signed: it is not replaced'
  if (head.origin !== newest.origin)
    return 'holds a checkpoint of another log of this home, which was not there at the start: start the door again'
  if (head.size > newest.size)
    return `holds ${head.size} entries of this log, of which ${newest.size} are here: it was rolled back`
  const root = await log.rootAt(head.size)
  return sameBytes(root, head.root)
    ? undefined
    : 'holds another history of this log: one of the two is a fork'
}

/** A link is not followed: what it points to may be on another disk today than tomorrow. */
async function readCopy(
  files: Files,
  path: string,
): Promise<{ readonly text: string | undefined } | { readonly problem: string }> {
  try {
    return { text: Buffer.from(await files.read(path, LIMITS.noteBytes)).toString('utf8') }
  } catch (thrown) {
    const code = errorCode(thrown)
    if (code === 'ENOENT') return { text: undefined }
    return { problem: `cannot be read, so it is not replaced: ${code ?? 'unknown error'}` }
  }
}
