import { lstat, opendir } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'
import { realPathOf } from './real_path.ts'

/**
 * Looks whether an export may write into a folder, which need not be there. Links among its tiles would lead what is
 * written, and what is removed, to elsewhere; and in a folder of the home an export would be taken for a log, or for a key
 * that is none, and no door would start.
 *
 * Throws `export.foreign`, and the errors of the file system.
 */
export async function checkExportTarget(home: string, directory: string): Promise<void> {
  const [first = ''] = relative(await realPathOf(home), await realPathOf(directory)).split(sep)
  if (OF_HOME.has(first))
    throw foreign(`The folder is in HOME/${first}, which holds nothing else than its own.`)
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

const OF_HOME: ReadonlySet<string> = new Set(['keys', 'ledger', 'policies', 'policy'])

function foreign(say: string): Fault {
  return new Fault('export.foreign', {}, { say })
}
