import * as node from 'node:fs'
import * as promises from 'node:fs/promises'

/** How a file that is read whole may look. */
export interface PlainFileRules {
  /** More is refused before anything is read. */
  readonly maxBytes: number
  /** `follow` for files that others put in place, which often are links; `refuse` for what only Gatehouse writes. */
  readonly links: 'follow' | 'refuse'
}

/**
 * The content of a plain file. A pipe, a device or a folder in its place is refused at once: it must not hold up a
 * start, nor fill the memory.
 *
 * Throws the errors of the file system, and errors with the codes of `NOT_PLAIN`.
 */
export async function readPlainFile(path: string, rules: PlainFileRules): Promise<Buffer> {
  const { handle, size } = await openPlain(path, rules.links)
  try {
    return await readFrom(handle, 0, checkedSize(path, size, rules))
  } finally {
    await handle.close()
  }
}

/** As `readPlainFile`, for callers that cannot wait; `check` may refuse the open file by its facts. */
export function readPlainFileNow(
  path: string,
  rules: PlainFileRules,
  check: (facts: node.Stats) => void = () => undefined,
): Buffer {
  const descriptor = node.openSync(path, READ | (rules.links === 'refuse' ? O_NOFOLLOW : 0))
  try {
    const facts = node.fstatSync(descriptor)
    check(facts)
    if (!facts.isFile()) throw notPlain(path)
    const buffer = Buffer.alloc(checkedSize(path, facts.size, rules))
    let filled = 0
    while (filled < buffer.length) {
      const read = node.readSync(descriptor, buffer, filled, buffer.length - filled, filled)
      if (read === 0) break
      filled += read
    }
    return buffer.subarray(0, filled)
  } finally {
    node.closeSync(descriptor)
  }
}

/** At most `length` bytes of a plain file from `from` on; fewer at its end. Throws as `readPlainFile`. */
export async function readPlainRange(path: string, from: number, length: number): Promise<Buffer> {
  const { handle } = await openPlain(path, 'refuse')
  try {
    return await readFrom(handle, from, length)
  } finally {
    await handle.close()
  }
}

/**
 * Opens a plain file for writing, and makes it (mode 0600) when it is not there; `more` are flags of open(2) beside
 * those. Throws as `readPlainFile`.
 */
export async function openPlainForWriting(path: string, more = 0): Promise<promises.FileHandle> {
  const { handle } = await checkedFile(path, await promises.open(path, WRITE | more, FILE_MODE))
  return handle
}

/** What stands in the place of a plain file: a pipe, device, socket or folder; too much; a link; a pipe nobody reads. */
export const NOT_PLAIN: ReadonlySet<string> = new Set(['ENOTPLAIN', 'EFBIG', 'ELOOP', 'EISDIR', 'ENXIO'])

const { O_RDONLY, O_WRONLY, O_CREAT, O_NONBLOCK, O_NOFOLLOW } = node.constants
/** Without O_NONBLOCK a pipe holds up whoever opens it until somebody writes (open(2)); plain files do not care. */
const READ = O_RDONLY | O_NONBLOCK
const WRITE = O_WRONLY | O_CREAT | O_NONBLOCK | O_NOFOLLOW
const FILE_MODE = 0o600

interface PlainFile {
  readonly handle: promises.FileHandle
  readonly size: number
}

async function openPlain(path: string, links: PlainFileRules['links']): Promise<PlainFile> {
  return await checkedFile(path, await promises.open(path, READ | (links === 'refuse' ? O_NOFOLLOW : 0)))
}

/** Asks the open file, because the one at the path could be another by now. */
async function checkedFile(path: string, handle: promises.FileHandle): Promise<PlainFile> {
  const size = await handle.stat().then(
    (facts) => (facts.isFile() ? facts.size : undefined),
    () => undefined,
  )
  if (size !== undefined) return { handle, size }
  await handle.close()
  throw notPlain(path)
}

function checkedSize(path: string, size: number, { maxBytes }: PlainFileRules): number {
  if (size > maxBytes)
    throw Object.assign(new Error(`larger than ${maxBytes} bytes`), { code: 'EFBIG', path })
  return size
}

async function readFrom(handle: promises.FileHandle, from: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let filled = 0
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, from + filled)
    if (bytesRead === 0) break
    filled += bytesRead
  }
  return buffer.subarray(0, filled)
}

function notPlain(path: string): Error {
  return Object.assign(new Error('not a plain file'), { code: 'ENOTPLAIN', path })
}
