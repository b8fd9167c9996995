import { Fault } from '#base/fault.ts'
import type { Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import type { KeptFile } from './manifest.ts'
import type { ByteSource, ObjectStore } from './object_store.ts'

/** The files of a home as they stand in a backup, to be read as if they stood in a folder: nothing is written anywhere. */
export function backupFiles(store: ObjectStore, kept: readonly KeptFile[]): Files {
  const files = new Map(kept.map((file) => [file.path, file]))
  const folders = foldersOf(kept)
  const open = async (path: string): Promise<ByteSource> => {
    const file = files.get(path)
    if (file === undefined) throw Object.assign(new Error('no such file'), { code: 'ENOENT', path })
    return await store.open(file.object)
  }
  return {
    read: async (path, maxBytes = LIMITS.homeFileBytes) => {
      const source = await open(path)
      if (source.bytes > maxBytes) throw Object.assign(new Error('too large'), { code: 'EFBIG', path })
      return await source.read(0, source.bytes)
    },
    readRange: async (path, from, length) => await (await open(path)).read(from, length),
    facts: async (path) => {
      const file = files.get(path)
      return file && { bytes: file.bytes, identity: file.object, links: 1 }
    },
    isLink: async () => false,
    list: async (path) => [...(folders.get(path) ?? [])].sort(),
    freeBytes: async () => 0,
    openForWriting: refuse,
    makeDirectory: refuse,
    removeDirectory: refuse,
    rename: refuse,
    unlink: refuse,
    syncDirectory: refuse,
  }
}

/** Names in each folder. */
function foldersOf(kept: readonly KeptFile[]): ReadonlyMap<string, ReadonlySet<string>> {
  const folders = new Map<string, Set<string>>()
  for (const { path } of kept) {
    const parts = path.split('/')
    for (const [at, name] of parts.entries()) {
      const folder = parts.slice(0, at).join('/')
      folders.set(folder, (folders.get(folder) ?? new Set()).add(name))
    }
  }
  return folders
}

async function refuse(): Promise<never> {
  throw new Fault('internal.bug', { error: 'a backup is only read' })
}
