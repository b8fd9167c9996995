import { realpath } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'

/** Where a path leads that may not be there yet, through all links on the way that is there. */
export async function realPathOf(path: string): Promise<string> {
  const above = resolve(path, '..')
  return await realpath(path).catch(async () =>
    above === path ? path : join(await realPathOf(above), basename(path)),
  )
}
