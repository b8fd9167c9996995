import { Fault } from '#base/fault.ts'
import { errorCode } from '#base/files.ts'

/** Runs work on files that are named on the command line: what the file system refuses is told with the place. */
export async function withFileFaults<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (thrown) {
    const code = errorCode(thrown)
    if (thrown instanceof Fault || code === undefined) throw thrown
    const place = thrown instanceof Error && 'path' in thrown ? String(thrown.path) : 'the disk'
    throw new Fault('copy.failed', { place, error: code }, { say: `${place}: ${code}.`, cause: thrown })
  }
}
