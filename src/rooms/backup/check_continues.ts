import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import type { KeptFile, Manifest } from './manifest.ts'

/**
 * Looks whether a home goes on from where a backup was made: it is the home of that backup, or one that was restored from it.
 * It must have every log of the backup, and in the newest of them all entries that the backup has. Only then does a backup of
 * it hold all that this one does, and may take its place.
 *
 * Throws `backup.foreign`, and `ledger.corrupt` where that log is damaged in the home.
 */
export async function checkContinues(
  files: Files,
  home: string,
  { head, files: kept }: Manifest,
): Promise<void> {
  const logs = new TiledLogs(files, `${home}/ledger`)
  const names = new Set(await logs.names())
  if (!logsIn(kept).every((name) => names.has(name)))
    throw foreign('The folder holds the backup of another home, or of a log that this home has no more.')
  if (head === undefined) return
  const log = await logs.ofOrigin(head.origin)
  if (log === undefined) throw foreign('The folder holds the backup of another home.')
  const { head: now } = await log.signed()
  if (now.size < head.size)
    throw foreign(
      'The folder holds more entries of the ledger than this home: the home was set back, or another copy of it ran on.',
    )
  if (!sameBytes(await log.rootAt(head.size), head.root))
    throw foreign(
      'The folder holds other entries of the ledger than this home: two copies of one home ran on.',
    )
}

/** The names of the folders of the logs that a backup holds. */
function logsIn(kept: readonly KeptFile[]): readonly string[] {
  const names = kept.map(({ path }) => LOG.exec(path)?.[1]).filter((name) => name !== undefined)
  return [...new Set(names)]
}

const LOG = /^ledger\/([^/]+)\/[^/]+$/

function foreign(say: string): Fault {
  return new Fault('backup.foreign', {}, { say })
}
