import { watch } from 'node:fs'
import * as fs from 'node:fs/promises'
import { join, sep } from 'node:path'
import { errorCode } from './files.ts'
import { NOT_PLAIN, readPlainFile } from './plain_file.ts'

export interface TextFolderLimits {
  /** What the names of wanted files end in, as in `.cedar`. */
  readonly suffix: string
  readonly maxFiles: number
  readonly maxFileBytes: number
}

export interface TextFile {
  readonly name: string
  readonly text: string
}

/** What stands in a folder of text files. With a fault in it, the files are not all there. */
export interface TextFolder {
  /** Sorted by name. */
  readonly files: readonly TextFile[]
  readonly faults: readonly { readonly name: string; readonly message: string }[]
}

const PLAIN_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/**
 * Reads all files of a folder whose names end in the suffix, not those of folders in it. Names that begin with `.` are
 * left out: editors keep their own files under such names. A link is followed as long as it stays inside the folder.
 * Never throws: whatever cannot be read is told as a fault.
 */
export async function readTextFolder(directory: string, limits: TextFolderLimits): Promise<TextFolder> {
  const files: TextFile[] = []
  const faults: { name: string; message: string }[] = []
  try {
    const root = await fs.realpath(directory)
    const entries = await fs.readdir(root)
    const names = entries.filter((name) => name.endsWith(limits.suffix) && !name.startsWith('.')).sort()
    if (names.length > limits.maxFiles)
      return { files, faults: [{ name: '', message: `the folder holds more than ${limits.maxFiles} files` }] }
    for (const name of names) {
      const read = await readText(root, name, limits.maxFileBytes)
      if (read.kind === 'text') files.push({ name, text: read.text })
      else faults.push({ name: PLAIN_NAME.test(name) ? name : '', message: read.message })
    }
  } catch (thrown) {
    faults.push({ name: '', message: `the folder cannot be read (${errorCode(thrown) ?? 'error'})` })
  }
  return { files, faults }
}

/**
 * Calls `onQuiet` when something in the folder changed and then nothing did for `quietMs`: an editor writes a file in
 * several steps. Gives a function that stops it. For development: where the system cannot watch, nothing is told.
 */
export function watchFolder(directory: string, quietMs: number, onQuiet: () => void): () => void {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(directory, { persistent: false }, () => {
    clearTimeout(timer)
    timer = setTimeout(onQuiet, quietMs)
    timer.unref()
  })
  const stop = (): void => {
    clearTimeout(timer)
    watcher.close()
  }
  watcher.on('error', stop)
  return stop
}

type Read =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'fault'; readonly message: string }

async function readText(root: string, name: string, maxBytes: number): Promise<Read> {
  if (!PLAIN_NAME.test(name)) return fault('a file name takes letters, digits, ".", "_" and "-" only')
  try {
    const path = await fs.realpath(join(root, name))
    if (!path.startsWith(root + sep)) return fault('the file is a link that leads out of the folder')
    // Not through a link that came after the check.
    const bytes = await readPlainFile(path, { maxBytes, links: 'refuse' })
    return {
      kind: 'text',
      text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    }
  } catch (thrown) {
    const code = errorCode(thrown) ?? ''
    if (NOT_PLAIN.has(code)) return fault(`the file is not a plain file of at most ${maxBytes} bytes`)
    return fault(thrown instanceof TypeError ? 'the file is not UTF-8' : `cannot be read (${code})`)
  }
}

function fault(message: string): Read {
  return { kind: 'fault', message }
}
