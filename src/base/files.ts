import { constants, fdatasync, write } from 'node:fs'
import * as node from 'node:fs/promises'
import { platform } from 'node:os'
import { LIMITS } from './limits.ts'
import { openPlainForWriting, readPlainFile, readPlainRange } from './plain_file.ts'

/**
 * The one seam for files whose loss would matter. Everything that must survive a crash goes through it, so that a
 * simulated disk can drop what was not synced and fail at any step.
 *
 * Failures are the errors of Node's file system, with their `code` (`ENOENT`, `ENOSPC`, `EIO`, …), and those of
 * `NOT_PLAIN` where something else stands in the place of a plain file.
 */
export interface Files {
  /** Opens a file for writing, creating it (mode 0600) when missing. The new name is durable after `syncDirectory`. */
  openForWriting(path: string): Promise<WritableFile>
  /** All of a plain file, up to `maxBytes` (`LIMITS.homeFileBytes` when left out). */
  read(path: string, maxBytes?: number): Promise<Uint8Array>
  /** At most `length` bytes from `from` on; fewer at the end of the file. */
  readRange(path: string, from: number, length: number): Promise<Uint8Array>
  /** Undefined when there is no such file. */
  facts(path: string): Promise<FileFacts | undefined>
  /** True for a link, wherever it leads; false also where nothing is. */
  isLink(path: string): Promise<boolean>
  /** Names in a folder, sorted; empty when there is no such folder. */
  list(path: string): Promise<readonly string[]>
  /** Makes a folder and those above it (mode 0700); one that is there stays as it is. */
  makeDirectory(path: string): Promise<void>
  /** Removes an empty folder. */
  removeDirectory(path: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** Removes a file, or a link; one that is not there is no failure, a folder is `ERR_FS_EISDIR`. */
  unlink(path: string): Promise<void>
  /** Makes creations, renames and removals in a folder durable. */
  syncDirectory(path: string): Promise<void>
  /** Bytes that this process may still write on the disk that holds `path`. */
  freeBytes(path: string): Promise<number>
}

/** An open file. */
export interface WritableFile {
  /**
   * Writes all bytes from the place `at` on, and makes content and length durable, or throws; after a throw any prefix of
   * them may be in the file, and nothing may be assumed about what of it is durable, ever.
   */
  write(bytes: Uint8Array, at: number): Promise<void>
  /** Makes durable what is in the file. After a throw nothing may be assumed about what was not. */
  datasync(): Promise<void>
  truncate(bytes: number): Promise<void>
  /** Facts of the open file itself, which may no longer be the one at its path. */
  facts(): Promise<FileFacts>
  close(): Promise<void>
}

export interface FileFacts {
  readonly bytes: number
  /** Device and inode: equal for the same file only. */
  readonly identity: string
  /** Names that the file has; 0 once it is unlinked. */
  readonly links: number
}

const FOLDER_MODE = 0o700
const TEMPORARY_SUFFIX = '.tmp'

/** The files of this machine. */
export const NODE_FILES: Files = {
  openForWriting: async (path) =>
    new NodeWritableFile(await openPlainForWriting(path, SYNCED_BY_WRITE ? constants.O_DSYNC : 0)),
  read: (path, maxBytes = LIMITS.homeFileBytes) => readPlainFile(path, { maxBytes, links: 'refuse' }),
  readRange: readPlainRange,
  facts: factsAt,
  isLink,
  list: listFolder,
  makeDirectory: async (path) => {
    await node.mkdir(path, { recursive: true, mode: FOLDER_MODE })
  },
  removeDirectory: (path) => node.rmdir(path),
  rename: (from, to) => node.rename(from, to),
  unlink: (path) => node.rm(path, { force: true }),
  syncDirectory,
  freeBytes: async (path) => {
    const facts = await node.statfs(path)
    return facts.bavail * facts.bsize
  },
}

/**
 * Replaces a whole file so that a crash leaves the old content or the new, never a mixture: write beside it, sync,
 * rename, sync the folder. Two calls for one path must not overlap.
 */
export async function writeAtomic(files: Files, path: string, bytes: Uint8Array): Promise<void> {
  await replaceFile(files, path, bytes)
  await files.syncDirectory(folderOf(path))
}

/**
 * As `writeAtomic`, but after a crash the old content may be back until `syncDirectory`: for many files of one folder. Two
 * calls for one path may overlap where their writers have different names.
 */
export async function replaceFile(files: Files, path: string, bytes: Uint8Array, writer = ''): Promise<void> {
  const temporary = path + writer + TEMPORARY_SUFFIX
  // A file left by an earlier try is not used again: after a failed sync a later one on it would prove nothing.
  await files.unlink(temporary)
  const file = await files.openForWriting(temporary)
  try {
    await file.write(bytes, 0)
  } finally {
    await file.close()
  }
  await files.rename(temporary, path)
}

/** True for the name of a file that `writeAtomic` had not finished. */
export function isTemporary(name: string): boolean {
  return name.endsWith(TEMPORARY_SUFFIX)
}

/** The `code` of a file system error, if it has one. */
export function errorCode(thrown: unknown): string | undefined {
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  return typeof thrown.code === 'string' ? thrown.code : undefined
}

/** The folder part of a path; `.` for a bare name. */
export function folderOf(path: string): string {
  const slash = path.lastIndexOf('/')
  if (slash < 0) return '.'
  return slash === 0 ? '/' : path.slice(0, slash)
}

/**
 * With O_DSYNC a write is its own fdatasync (open(2)), and a group of entries takes one turn of a thread for two. Other
 * systems have the flag too, but not all of them let it reach the disk, as the fdatasync of Node does.
 */
const SYNCED_BY_WRITE = platform() === 'linux'

class NodeWritableFile implements WritableFile {
  readonly #handle: node.FileHandle

  constructor(handle: node.FileHandle) {
    this.#handle = handle
  }

  async write(bytes: Uint8Array, at: number): Promise<void> {
    // One call may write only a part, for example when the disk is nearly full.
    for (let written = 0; written < bytes.length;) {
      written += await writeSome(this.#handle.fd, bytes.subarray(written), at + written)
    }
    if (!SYNCED_BY_WRITE) await this.datasync()
  }

  datasync(): Promise<void> {
    return new Promise((resolve, reject) => {
      fdatasync(this.#handle.fd, (error) => (error === null ? resolve() : reject(error)))
    })
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes)
  }

  async facts(): Promise<FileFacts> {
    return toFacts(await this.#handle.stat({ bigint: true }))
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** With callbacks: those of a `FileHandle` cost a third more, and this is done for every group of entries. */
function writeSome(fd: number, bytes: Uint8Array, at: number): Promise<number> {
  return new Promise((resolve, reject) => {
    write(fd, bytes, 0, bytes.length, at, (error, count) => (error === null ? resolve(count) : reject(error)))
  })
}

async function factsAt(path: string): Promise<FileFacts | undefined> {
  try {
    return toFacts(await node.stat(path, { bigint: true }))
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw thrown
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await node.lstat(path)).isSymbolicLink()
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return false
    throw thrown
  }
}

interface Stats {
  readonly size: bigint
  readonly dev: bigint
  readonly ino: bigint
  readonly nlink: bigint
}

function toFacts(stats: Stats): FileFacts {
  return { bytes: Number(stats.size), identity: `${stats.dev}:${stats.ino}`, links: Number(stats.nlink) }
}

async function listFolder(path: string): Promise<readonly string[]> {
  try {
    const names = await node.readdir(path)
    return names.sort()
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return []
    throw thrown
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await node.open(path, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
