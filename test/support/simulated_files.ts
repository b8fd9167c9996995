import type { FileFacts, Files, WritableFile } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'

/** What changes the disk; each is one step at which a crash or a failure can be placed. */
export type StepKind =
  | 'create'
  | 'write'
  | 'datasync'
  | 'truncate'
  | 'rename'
  | 'unlink'
  | 'makeDirectory'
  | 'removeDirectory'
  | 'syncDirectory'

export interface Step {
  readonly number: number
  readonly kind: StepKind
  readonly path: string
}

/**
 * What is left of unsynced work after a crash. A real disk may leave any of these:
 * `lost` only what was synced; `kept` everything, still unsynced (the process died, the machine did not); `torn`
 * names kept, the first half of the unsynced bytes of each file; `holed` names and lengths kept, the second half of them;
 * `nameless` unsynced bytes kept, unsynced names lost.
 */
export const SURVIVALS = ['lost', 'kept', 'torn', 'holed', 'nameless'] as const
export type Survival = (typeof SURVIVALS)[number]

/** What happens at a step: nothing, a crash before it takes effect, or an error of the file system. */
export type Verdict = 'go' | 'crash' | { readonly code: string }

interface Inode {
  readonly identity: string
  bytes: Buffer
  durable: Buffer
  links: number
  /** After a failed sync the system may forget that pages are dirty: a later sync proves nothing. */
  forgotten: boolean
}

/** A disk in memory that knows the difference between written and durable. Reads see what was written. */
export class SimulatedFiles implements Files {
  /** Decides about each step; set by a test. */
  judge: (step: Step) => Verdict = () => 'go'
  /** Bytes that the disk takes in all, for `ENOSPC`. */
  capacity = Number.POSITIVE_INFINITY
  readonly steps: Step[] = []
  #crashed = false
  #nextInode = 1
  #names = new Map<string, Inode>()
  #durableNames = new Map<string, Inode>()
  #folders = new Set<string>()
  #durableFolders = new Set<string>()
  /** Folders that have another name which is not durable yet. */
  #moved: readonly { readonly from: string; readonly to: string }[] = []

  /** The disk as found after the crash. */
  reopen(survival: Survival): SimulatedFiles {
    const after = new SimulatedFiles()
    const keepNames = survival !== 'lost' && survival !== 'nameless'
    after.capacity = this.capacity
    after.#nextInode = this.#nextInode
    const folders = keepNames ? this.#folders : this.#durableFolders
    // One whose own name is lost is lost with all that was in it.
    after.#folders = new Set([...folders].filter((path) => isReachable(path, folders)))
    after.#durableFolders = new Set(survival === 'kept' ? this.#durableFolders : after.#folders)
    after.#moved = survival === 'kept' ? this.#moved : []
    const copies = new Map<Inode, Inode>()
    const copyOf = (inode: Inode): Inode => {
      const bytes = survivingBytes(inode, survival)
      // While the machine runs on, what was not synced stays in danger.
      const durable = survival === 'kept' ? inode.durable : bytes
      const copy = copies.get(inode) ?? {
        ...inode,
        bytes,
        durable,
        links: 1,
        forgotten: survival === 'kept' && inode.forgotten,
      }
      copies.set(inode, copy)
      return copy
    }
    for (const [path, inode] of keepNames ? this.#names : this.#durableNames)
      if (isReachable(path, after.#folders)) after.#names.set(path, copyOf(inode))
    for (const [path, inode] of survival === 'kept' ? this.#durableNames : after.#names)
      after.#durableNames.set(path, copyOf(inode))
    return after
  }

  async openForWriting(path: string): Promise<WritableFile> {
    this.#refuseAfterCrash()
    let inode = this.#names.get(path)
    if (inode === undefined) {
      this.#step('create', path)
      if (!this.#folders.has(parentOf(path))) throw failure('ENOENT', path)
      inode = {
        identity: `sim:${this.#nextInode++}`,
        bytes: Buffer.alloc(0),
        durable: Buffer.alloc(0),
        links: 1,
        forgotten: false,
      }
      this.#names.set(path, inode)
    }
    return this.#writableFile(path, inode)
  }

  async read(path: string, maxBytes: number = LIMITS.homeFileBytes): Promise<Uint8Array> {
    const { bytes } = this.#find(path)
    if (bytes.length > maxBytes) throw failure('EFBIG', path)
    return Buffer.from(bytes)
  }

  async readRange(path: string, from: number, length: number): Promise<Uint8Array> {
    return Buffer.from(this.#find(path).bytes.subarray(from, from + length))
  }

  async facts(path: string): Promise<FileFacts | undefined> {
    this.#refuseAfterCrash()
    const inode = this.#names.get(path)
    return inode === undefined ? undefined : toFacts(inode)
  }

  async isLink(): Promise<boolean> {
    return false
  }

  async list(path: string): Promise<readonly string[]> {
    this.#refuseAfterCrash()
    if (this.#names.has(path)) throw failure('ENOTDIR', path)
    const paths = [...this.#names.keys(), ...this.#folders]
    return paths
      .filter((each) => each !== path && parentOf(each) === path)
      .map((each) => each.slice(path.length + 1))
      .sort()
  }

  async makeDirectory(path: string): Promise<void> {
    this.#refuseAfterCrash()
    if (this.#folders.has(path)) return
    this.#step('makeDirectory', path)
    for (let each = path; each !== '/' && each !== '.'; each = parentOf(each)) this.#folders.add(each)
  }

  async removeDirectory(path: string): Promise<void> {
    this.#step('removeDirectory', path)
    if ((await this.list(path)).length > 0) throw failure('ENOTEMPTY', path)
    this.#folders.delete(path)
  }

  async rename(from: string, to: string): Promise<void> {
    this.#step('rename', to)
    if (this.#folders.has(from)) return await this.#renameFolder(from, to)
    const inode = this.#find(from)
    const replaced = this.#names.get(to)
    if (replaced !== undefined) replaced.links = 0
    this.#names.delete(from)
    this.#names.set(to, inode)
  }

  /** With all that is in it; what is durable in it stays so, under the name that is durable. */
  async #renameFolder(from: string, to: string): Promise<void> {
    if (this.#folders.has(to) && (await this.list(to)).length > 0) throw failure('ENOTEMPTY', to)
    this.#names = movedKeys(this.#names, from, to)
    this.#folders = new Set([...this.#folders].map((each) => movedPath(each, from, to)))
    this.#moved = [...this.#moved, { from, to }]
  }

  async unlink(path: string): Promise<void> {
    this.#refuseAfterCrash()
    if (this.#folders.has(path)) throw failure('ERR_FS_EISDIR', path)
    const inode = this.#names.get(path)
    if (inode === undefined) return
    this.#step('unlink', path)
    inode.links = 0
    this.#names.delete(path)
  }

  async syncDirectory(path: string): Promise<void> {
    this.#step('syncDirectory', path)
    for (const { from, to } of this.#moved.filter((each) => parentOf(each.to) === path)) {
      this.#durableNames = movedKeys(this.#durableNames, from, to)
      this.#durableFolders = new Set(
        movedKeys(new Map([...this.#durableFolders].map((each) => [each, each])), from, to).keys(),
      )
    }
    this.#moved = this.#moved.filter((each) => parentOf(each.to) !== path)
    for (const each of this.#folders) if (parentOf(each) === path) this.#durableFolders.add(each)
    for (const each of this.#durableFolders)
      if (parentOf(each) === path && !this.#folders.has(each)) this.#durableFolders.delete(each)
    for (const each of this.#durableNames.keys())
      if (parentOf(each) === path && !this.#names.has(each)) this.#durableNames.delete(each)
    for (const [each, inode] of this.#names) if (parentOf(each) === path) this.#durableNames.set(each, inode)
  }

  async freeBytes(): Promise<number> {
    this.#refuseAfterCrash()
    return Math.max(0, this.capacity - this.#usedBytes())
  }

  /** Changes a file behind everyone's back, as an attacker or a bad disk does; undefined removes it. */
  tamper(path: string, bytes: Uint8Array | undefined): void {
    if (bytes === undefined) {
      const inode = this.#names.get(path)
      if (inode !== undefined) inode.links = 0
      this.#names.delete(path)
      this.#durableNames.delete(path)
      return
    }
    const found = this.#names.get(path)
    const inode = found ?? {
      identity: `sim:${this.#nextInode++}`,
      links: 1,
      forgotten: false,
      bytes: Buffer.alloc(0),
      durable: Buffer.alloc(0),
    }
    inode.bytes = Buffer.from(bytes)
    inode.durable = inode.bytes
    this.#names.set(path, inode)
    this.#durableNames.set(path, inode)
  }

  /** Every file with its bytes, for tests that look at all of them. */
  all(): Map<string, Uint8Array> {
    return new Map([...this.#names].map(([path, inode]) => [path, Buffer.from(inode.bytes)]))
  }

  #writableFile(path: string, inode: Inode): WritableFile {
    const write = (bytes: Uint8Array, at: number): void => {
      try {
        this.#step('write', path)
      } catch (thrown) {
        // A failed write may still have written a part.
        if (!this.#crashed) inode.bytes = written(inode.bytes, bytes.subarray(0, bytes.length >> 1), at)
        throw thrown
      }
      const growth = Math.max(0, at + bytes.length - inode.bytes.length)
      const missing = Math.max(0, growth - Math.max(0, this.capacity - this.#usedBytes()))
      inode.bytes = written(inode.bytes, bytes.subarray(0, bytes.length - missing), at)
      if (missing > 0) throw failure('ENOSPC', path)
    }
    const datasync = async (): Promise<void> => {
      try {
        this.#step('datasync', path)
      } catch (thrown) {
        if (!this.#crashed) inode.forgotten = true
        throw thrown
      }
      if (!inode.forgotten) inode.durable = inode.bytes
    }
    return {
      write: async (bytes, at) => {
        write(bytes, at)
        await datasync()
      },
      datasync,
      truncate: async (bytes) => {
        if (inode.bytes.length === bytes) return
        this.#step('truncate', path)
        inode.bytes = inode.bytes.subarray(0, bytes)
        // The pages that a failed sync may have forgotten are those that differ from what was durable.
        if (inode.durable.subarray(0, bytes).equals(inode.bytes)) inode.forgotten = false
      },
      facts: async () => {
        this.#refuseAfterCrash()
        return toFacts(inode)
      },
      close: async () => undefined,
    }
  }

  #step(kind: StepKind, path: string): void {
    this.#refuseAfterCrash()
    const step = { number: this.steps.length, kind, path }
    this.steps.push(step)
    const verdict = this.judge(step)
    if (verdict === 'go') return
    if (verdict === 'crash') {
      this.#crashed = true
      this.#refuseAfterCrash()
      return
    }
    throw failure(verdict.code, path)
  }

  #refuseAfterCrash(): void {
    if (this.#crashed) throw failure('ECRASHED', 'the machine is off')
  }

  #find(path: string): Inode {
    this.#refuseAfterCrash()
    const inode = this.#names.get(path)
    if (inode === undefined) throw failure('ENOENT', path)
    return inode
  }

  #usedBytes(): number {
    let used = 0
    for (const inode of this.#names.values()) used += inode.bytes.length
    return used
  }
}

function isReachable(path: string, folders: ReadonlySet<string>): boolean {
  for (let folder = parentOf(path); folder !== '/'; folder = parentOf(folder))
    if (!folders.has(folder)) return false
  return true
}

function survivingBytes(inode: Inode, survival: Survival): Buffer {
  const { bytes, durable } = inode
  switch (survival) {
    case 'lost':
      return durable
    case 'kept':
    case 'nameless':
      return bytes
    case 'torn':
      return bytes.length < durable.length
        ? durable
        : written(durable, bytes.subarray(0, unsyncedHalf(inode)), 0)
    case 'holed':
      return bytes.length < durable.length ? durable : holed(inode)
    default:
      throw new TypeError('no such survival')
  }
}

/** Where the second half of the unsynced bytes starts. */
function unsyncedHalf({ bytes, durable }: Inode): number {
  let from = 0
  while (from < durable.length && bytes[from] === durable[from]) from += 1
  let end = bytes.length
  while (end > from && end <= durable.length && bytes[end - 1] === durable[end - 1]) end -= 1
  return from + Math.ceil((end - from) / 2)
}

function holed(inode: Inode): Buffer {
  const { bytes, durable } = inode
  const half = unsyncedHalf(inode)
  const left = written(Buffer.alloc(bytes.length), durable, 0)
  return written(left, bytes.subarray(half), half)
}

/** The content of a file in which bytes were written from a place on. */
function written(before: Buffer, bytes: Uint8Array, at: number): Buffer {
  if (bytes.length === 0) return before
  const after = Buffer.alloc(Math.max(before.length, at + bytes.length))
  after.set(before)
  after.set(bytes, at)
  return after
}

function toFacts(inode: Inode): FileFacts {
  return { bytes: inode.bytes.length, identity: inode.identity, links: inode.links }
}

function movedPath(path: string, from: string, to: string): string {
  return path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path
}

function movedKeys<Value>(map: ReadonlyMap<string, Value>, from: string, to: string): Map<string, Value> {
  return new Map([...map].map(([path, value]) => [movedPath(path, from, to), value]))
}

function parentOf(path: string): string {
  const slash = path.lastIndexOf('/')
  return slash <= 0 ? '/' : path.slice(0, slash)
}

function failure(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code })
}
