import * as fs from 'node:fs'
import { dirname, join } from 'node:path'
import { errorCode } from './files.ts'
import { Fault } from './fault.ts'
import { readPlainFileNow } from './plain_file.ts'

const FOLDER_MODE = 0o700
const FILE_MODE = 0o600
/** Bits that let anyone but the owner do anything. */
const OTHERS = 0o077
/** Larger is no key of ours. */
const MAX_FILE_BYTES = 64 * 1_024

/**
 * Reads all files of a folder that only its owner may read; undefined when there is no such folder.
 *
 * Throws `home.damaged`, with what to do, when others may read the folder or a file, or one of them is not a plain
 * file, and `home.unwritable` when it cannot be read.
 */
export function readPrivateFolder(directory: string): ReadonlyMap<string, Uint8Array> | undefined {
  const names = namesIn(directory)
  if (names === undefined) return undefined
  checkPrivate(directory, fs.lstatSync(directory), 'folder')
  return new Map(names.map((name) => [name, readPrivateFile(join(directory, name))]))
}

/**
 * Makes such a folder with all its files at once: after a crash it is there whole or not at all. The folder must not
 * exist or be empty. Throws `home.unwritable`.
 */
export function createPrivateFolder(directory: string, files: ReadonlyMap<string, Uint8Array>): void {
  const unfinished = `${directory}.new`
  try {
    fs.rmSync(unfinished, { recursive: true, force: true })
    fs.mkdirSync(unfinished, { mode: FOLDER_MODE })
    for (const [name, bytes] of files) writeSynced(join(unfinished, name), bytes)
    syncFolder(unfinished)
    fs.renameSync(unfinished, directory)
    syncFolder(dirname(directory))
  } catch (thrown) {
    throw new Fault('home.unwritable', { directory, error: errorCode(thrown) ?? null }, { cause: thrown })
  }
}

/**
 * Puts one more file into such a folder: after a crash it is there whole or not at all. Throws `home.unwritable`, also
 * when there is a file of this name.
 */
export function addPrivateFile(directory: string, name: string, bytes: Uint8Array): void {
  const unfinished = `${directory}.${name}.new`
  try {
    fs.rmSync(unfinished, { force: true })
    writeSynced(unfinished, bytes)
    fs.linkSync(unfinished, join(directory, name))
    syncFolder(directory)
    fs.rmSync(unfinished)
  } catch (thrown) {
    throw new Fault('home.unwritable', { directory, error: errorCode(thrown) ?? null }, { cause: thrown })
  }
}

/** Removes one file of such a folder, if it is there. Throws `home.unwritable`. */
export function removePrivateFile(directory: string, name: string): void {
  try {
    fs.rmSync(join(directory, name), { force: true })
    syncFolder(directory)
  } catch (thrown) {
    throw new Fault('home.unwritable', { directory, error: errorCode(thrown) ?? null }, { cause: thrown })
  }
}

function namesIn(directory: string): readonly string[] | undefined {
  try {
    return fs.readdirSync(directory).sort()
  } catch (thrown) {
    if (errorCode(thrown) === 'ENOENT') return undefined
    throw unreadable(directory, thrown)
  }
}

function readPrivateFile(path: string): Uint8Array {
  try {
    const rules = { maxBytes: MAX_FILE_BYTES, links: 'refuse' } as const
    return readPlainFileNow(path, rules, (facts) => checkPrivate(path, facts, 'file'))
  } catch (thrown) {
    const code = errorCode(thrown)
    if (code === 'ELOOP') throw damaged(path, 'is a symbolic link')
    if (code === 'EFBIG') throw damaged(path, 'is larger than any key')
    throw thrown instanceof Fault ? thrown : unreadable(path, thrown)
  }
}

function checkPrivate(path: string, facts: fs.Stats, kind: 'file' | 'folder'): void {
  const isRight = kind === 'file' ? facts.isFile() : facts.isDirectory()
  if (!isRight) throw damaged(path, `is not a plain ${kind}`)
  if ((facts.mode & OTHERS) === 0) return
  const mode = kind === 'file' ? '600' : '700'
  throw damaged(path, `may be read by others; run "chmod ${mode}" on it, and see who could have read it`)
}

function writeSynced(path: string, bytes: Uint8Array): void {
  const descriptor = fs.openSync(path, 'wx', FILE_MODE)
  try {
    fs.writeFileSync(descriptor, bytes)
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

function syncFolder(directory: string): void {
  const descriptor = fs.openSync(directory, 'r')
  try {
    fs.fsyncSync(descriptor)
  } finally {
    fs.closeSync(descriptor)
  }
}

function damaged(path: string, what: string): Fault {
  return new Fault('home.damaged', { path }, { say: `${path} ${what}.` })
}

function unreadable(path: string, cause: unknown): Fault {
  return new Fault('home.unwritable', { path, error: errorCode(cause) ?? null }, { cause })
}
