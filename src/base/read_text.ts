import { errorCode, type Files } from './files.ts'
import { LIMITS } from './limits.ts'

/** A short file as UTF-8; undefined when there is none. Throws as the file system does. */
export async function readTextIfThere(files: Files, path: string): Promise<string | undefined> {
  try {
    return Buffer.from(await files.read(path, LIMITS.noteBytes)).toString('utf8')
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}
