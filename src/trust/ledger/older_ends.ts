import type { Files } from '#base/files.ts'
import type { Head } from './checkpoint.ts'
import { listOrigins } from './layout.ts'
import { readFirstLeaf } from './read.ts'
import { successionOf } from './succession.ts'

/**
 * Where the logs before one ended, newest first: the first entry of each log states the root of the one before it. So whoever
 * holds that entry of `origin` outside holds all of these too. It ends where a log follows nothing, or what is not here.
 *
 * Throws `ledger.corrupt`, and the errors of the file system.
 */
export async function olderEnds(files: Files, directory: string, origin: string): Promise<readonly Head[]> {
  const { folders } = await listOrigins(files, directory)
  const ends: Head[] = []
  let logs = folders.slice(0, folders.findIndex((folder) => folder.origin === origin) + 1)
  for (let log = logs.at(-1); log !== undefined; log = logs.at(-1)) {
    const opening = await readFirstLeaf(files, log)
    const before = opening && successionOf(opening)?.before
    // Without an entry it does not hold its own first one either.
    if (before === undefined || before.size === 0) break
    ends.push(before)
    logs = logs.slice(0, logs.slice(0, -1).findIndex((each) => each.origin === before.origin) + 1)
  }
  return ends
}
