import { lstat, opendir } from 'node:fs/promises'
import { join, sep } from 'node:path'
import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'

/**
 * Looks whether an export may write into a folder, which need not be there. Links among its tiles would lead what is
 * written, and what is removed, to elsewhere; and in the folder of the ledger an export would be taken for a log.
 *
 * Throws `export.foreign`, and the errors of the file system.
 */
export async function checkExportTarget(home: string, directory: string): Promise<void> {
  if (`${directory}${sep}`.startsWith(join(home, 'ledger', sep)))
    throw foreign('The folder is in that of the ledger, which holds logs and nothing else.')
  const tiles = join(directory, 'tile')
  try {
    let isPlain = !(await lstat(tiles)).isSymbolicLink()
    if (isPlain)
      for await (const entry of await opendir(tiles, { recursive: true })) isPlain &&= !entry.isSymbolicLink()
    if (!isPlain) throw foreign('There is a link among the tiles in the folder: an export has none.')
  } catch (thrown) {
    // Where there are no tiles yet, or no folder.
    if (errorCode(thrown) !== 'ENOENT') throw thrown
  }
}

function foreign(say: string): Fault {
  return new Fault('export.foreign', {}, { say })
}
