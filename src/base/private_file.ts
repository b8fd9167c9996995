import * as node from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { newEntryId } from './ids.ts'

const FILE_MODE = 0o600

/**
 * Puts a text in place of a file that only its owner may read: written beside it under a name that nobody could have
 * prepared, then renamed. A symbolic link at the path is replaced, never followed.
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${newEntryId()}.tmp`)
  // `x` is O_EXCL, which refuses a link at the last part of the path too (open(2)).
  const handle = await node.open(temporary, 'wx', FILE_MODE)
  try {
    await handle.writeFile(text)
    await handle.sync()
    await node.rename(temporary, path)
  } catch (thrown) {
    await node.rm(temporary, { force: true })
    throw thrown
  } finally {
    await handle.close()
  }
}
