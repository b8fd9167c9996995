import * as node from 'node:fs/promises'
import { Fault } from './fault.ts'
import { errorCode } from './files.ts'

/** Bits that let anyone but the owner make, replace or remove files in a folder. */
const OTHERS_WRITE = 0o022

/**
 * Throws `home.exposed` unless the folder belongs to the user and nobody else may write in it: whoever may could put
 * files of theirs in place of the configuration, the policies or the socket. One that is not there is none's yet.
 *
 * `user` is the id of the user of this process; undefined on systems without such ids.
 */
export async function checkOwnFolder(folder: string, user: number | undefined): Promise<void> {
  const facts = await node.stat(folder).catch((thrown: unknown) => {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw new Fault('home.unwritable', { folder }, { cause: thrown })
  })
  if (facts === undefined || user === undefined) return
  if (facts.uid !== user)
    throw exposed(folder, 'belongs to another user; give it to the user that runs the door')
  if ((facts.mode & OTHERS_WRITE) !== 0)
    throw exposed(folder, `may be written by others; run: chmod go-w ${folder}`)
}

function exposed(folder: string, what: string): Fault {
  return new Fault('home.exposed', { folder }, { say: `${folder} ${what}` })
}
