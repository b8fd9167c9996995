import { utf8 } from '#base/bytes.ts'
import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, writeAtomic, type Files } from '#base/files.ts'
import type { OutsideFiles } from '#base/outside_files.ts'
import { AnchorCopier, type Anchor } from './anchor_copier.ts'
import type { AnchorPlaces } from './anchor_places.ts'
import { signCheckpoint, type Head } from './checkpoint.ts'
import { FILE, type OriginFolder } from './layout.ts'
import { LogSigners, logKeysOf, type LogKeyring } from './log_keys.ts'
import type { CompactRange } from './merkle.ts'
import { isBy, parseNote } from './note.ts'
import { nameKeys } from './origin.ts'

/** A checkpoint with the head that it states. */
export interface SignedHead {
  readonly head: Head
  readonly text: string
}

/** The checkpoints of the log in use, for who holds them outside and for who changes the keys. */
export interface Checkpoints {
  /** The newest one; with the cosignatures that were gathered for it. */
  readonly newest: SignedHead
  /** The newest one that as many witnesses as are wanted have cosigned. */
  readonly cosigned: SignedHead | undefined
  /**
   * Keeps the cosignatures of a checkpoint: lines of c2sp.org/tlog-cosignature that have been verified. Throws as the
   * file system does.
   */
  cosign(of: SignedHead, lines: readonly string[], isEnough: boolean): Promise<void>
  /** Signs with these keys from now on, what is on disk at once. Throws `ledger.unwritable`, and as the file system does. */
  rekey(keys: LogKeyring): Promise<void>
}

export interface CheckpointerParts {
  readonly files: Files
  readonly folder: OriginFolder
  readonly keys: LogKeyring
  /** The tree of what is on disk. */
  readonly range: CompactRange
  readonly clock: Clock
  readonly everyMs: number
  readonly anchors: readonly string[]
  /** What they held at the start and was compared with the log, by path. */
  readonly copies: ReadonlyMap<string, string>
  readonly outside: OutsideFiles
  readonly places: AnchorPlaces
  readonly newest: SignedHead
  readonly cosigned: SignedHead | undefined
  /** The root of the first `size` entries that are signed. */
  readonly rootAt: (size: number) => Promise<Uint8Array>
  readonly isOurs: () => boolean
  onSigned(size: number): void
}

/**
 * Signs the head of the log: at most once per `everyMs` while entries come, and on demand. A failure is kept as state
 * and tried again; it does not stop the log, which is as durable as before.
 */
export class Checkpointer implements Checkpoints {
  readonly #parts: CheckpointerParts
  readonly #copier: AnchorCopier
  #keys: LogKeyring
  #signers: LogSigners
  #newest: SignedHead
  #cosigned: SignedHead | undefined
  #problem: string | undefined
  #signedAt = Number.NEGATIVE_INFINITY
  #timer: NodeJS.Timeout | undefined
  #work: Promise<void> = Promise.resolve()

  constructor(parts: CheckpointerParts) {
    this.#parts = parts
    this.#keys = parts.keys
    this.#signers = new LogSigners(parts.keys, parts.folder.origin)
    this.#newest = parts.newest
    this.#cosigned = parts.cosigned
    this.#copier = new AnchorCopier({
      ...parts,
      folder: parts.folder.path,
      newest: () => this.#newest,
      keys: () => logKeysOf(this.#keys, parts.clock.now()),
    })
  }

  get newest(): SignedHead {
    return this.#newest
  }

  get cosigned(): SignedHead | undefined {
    return this.#cosigned
  }

  get problem(): string | undefined {
    return this.#problem
  }

  get anchors(): readonly Anchor[] {
    return this.#copier.anchors
  }

  /** Sees to it that what is on disk now is signed within `everyMs`. */
  due(): void {
    if (this.#timer !== undefined) return
    const passed = this.#parts.clock.monotonic() - this.#signedAt
    const wait = Math.max(0, this.#parts.everyMs - passed)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      // A failure is kept as `problem`; the next entries bring the next try.
      void this.sign()
    }, wait)
    this.#timer.unref()
  }

  /** Signs what is on disk, unless the newest checkpoint covers it. The anchors get it when they can. */
  sign(): Promise<void> {
    return this.#inTurn(async () => await this.#signNow())
  }

  cosign(of: SignedHead, lines: readonly string[], isEnough: boolean): Promise<void> {
    return this.#inTurn(async () => {
      if (!this.#parts.isOurs()) return
      const text = of.text + lines.join('')
      // Those who read it find both beside each other: what is newest, and what witnesses have seen.
      if (this.#newest.text.startsWith(of.text)) {
        await this.#write(FILE.checkpoint, text)
        this.#newest = { head: of.head, text }
      }
      // Witnesses that are slow may answer after a newer one is cosigned.
      if (!isEnough || of.head.size < (this.#cosigned?.head.size ?? 0)) return
      await this.#write(FILE.cosigned, text)
      this.#cosigned = { head: of.head, text }
    })
  }

  rekey(keys: LogKeyring): Promise<void> {
    return this.#inTurn(async () => {
      const { files, folder, clock, isOurs } = this.#parts
      const signers = new LogSigners(keys, folder.origin)
      if (!isOurs()) return
      // Who reads the folder must know a key before it signs.
      await nameKeys(files, folder, signers.at(clock.now()))
      this.#keys = keys
      this.#signers = signers
      await this.#signNow()
      if (this.#problem !== undefined) throw new Fault('ledger.unwritable', { reason: this.#problem })
    })
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    await this.#work
    await this.#copier.close()
  }

  /** Resolves when the anchors have the newest checkpoint, or it is known why not. */
  async settled(): Promise<void> {
    await this.#copier.settled()
  }

  /** One after the other: they write the same files. What fails holds up nothing that comes after it. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => undefined)
    return done
  }

  async #signNow(): Promise<void> {
    const { clock, folder, range } = this.#parts
    // Over the newer checkpoint of another process it would be a rollback.
    if (!this.#parts.isOurs()) return
    this.#signedAt = clock.monotonic()
    if (range.size > this.#newest.head.size || !this.#isSignedByAll()) {
      // Taken together and at once: the tree may grow while the file is written.
      const head = { origin: folder.origin, size: range.size, root: range.root() }
      try {
        if (!(await this.#signHead(head))) return
      } catch (thrown) {
        this.#problem = `the checkpoint cannot be written: ${errorCode(thrown) ?? 'unknown error'}`
        return
      }
      this.#problem = undefined
      this.#parts.onSigned(head.size)
    }
    this.#copier.due()
  }

  /** False when a key came into use after it was signed. */
  #isSignedByAll(): boolean {
    const { signatures = [] } = parseNote(this.#newest.text) ?? {}
    const signers = this.#signers.at(this.#parts.clock.now())
    return signers.every((signer) => signatures.some((each) => isBy(each, signer)))
  }

  /** False when the home went to another process meanwhile. */
  async #signHead(head: Head): Promise<boolean> {
    const now = this.#parts.clock.now()
    const text = await signCheckpoint(head, this.#signers.at(now), now)
    // Asked again: a signature takes long enough for the home to go to another process.
    if (!this.#parts.isOurs()) return false
    await this.#write(FILE.checkpoint, text)
    this.#newest = { head, text }
    return true
  }

  async #write(name: string, text: string): Promise<void> {
    const { files, folder } = this.#parts
    await writeAtomic(files, `${folder.path}/${name}`, utf8(text))
  }
}
