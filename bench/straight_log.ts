import fs from 'node:fs'
import { concat, utf8 } from '#base/bytes.ts'
import { randomBytes } from '#base/crypto.ts'
import { NODE_FILES, writeAtomic } from '#base/files.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { signCheckpoint } from '#trust/ledger/checkpoint.ts'
import { SEED_BYTES } from '#trust/ledger/commitment.ts'
import { FILE, segmentPath, type OriginFolder } from '#trust/ledger/layout.ts'
import { makeLeaf } from '#trust/ledger/leaf.ts'
import { CompactRange, leafHash } from '#trust/ledger/merkle.ts'
import { noteSigner, type NoteSigner } from '#trust/ledger/note.ts'
import type { LedgerKeys } from '#trust/ledger/open.ts'
import { createOrigin } from '#trust/ledger/origin.ts'
import { rememberedPseudonyms } from '#trust/ledger/pseudonym.ts'
import { encodeGroup } from '#trust/ledger/raw_segment.ts'
import { encodeRecord, SidecarBox } from '#trust/ledger/sidecar.ts'

/** An entry that is ready to be written. */
export interface StraightEntry {
  readonly leaf: Uint8Array
  /** Its encoded secrets. */
  readonly record: Uint8Array
}

interface Waiting extends StraightEntry {
  readonly done: (() => void) | undefined
}

/** A group as it is written, and the hashes of its leaves. */
export interface StraightGroup {
  readonly bytes: Uint8Array
  readonly hashes: readonly Uint8Array[]
}

/**
 * What the ledger writes, and nothing around it: leaves with commitments, their secrets sealed for the group, frames, the
 * tree, one write that is its own sync, a signed checkpoint each second. No queue with a limit, no forecast of space, no
 * segments that end: what `ledger verify` finds in the folder is a log of one segment.
 */
export class StraightLog {
  readonly directory: string
  readonly #folder: OriginFolder
  readonly #box: SidecarBox
  readonly #signer: NoteSigner
  readonly #pseudonymOf: (value: string) => string
  readonly #range = new CompactRange()
  readonly #handle: number
  #end: number
  #length: number
  #waiting: Waiting[] = []
  #isBusy = false
  #soon: NodeJS.Timeout | undefined
  #seeds: Uint8Array = NOTHING
  #seedAt = 0
  #groups = 0

  private constructor(directory: string, folder: OriginFolder, keys: LedgerKeys) {
    this.directory = directory
    this.#folder = folder
    this.#box = new SidecarBox(keys.sidecarKey, folder.origin)
    this.#signer = noteSigner(folder.origin, keys.signingPem)
    this.#pseudonymOf = rememberedPseudonyms(keys.pseudonymKey)
    this.#handle = fs.openSync(segmentPath(folder, 0, 'raw'), fs.constants.O_WRONLY | fs.constants.O_DSYNC)
    this.#length = this.#end = fs.fstatSync(this.#handle).size
  }

  static async create(directory: string, keys: LedgerKeys): Promise<StraightLog> {
    return new StraightLog(
      directory,
      await createOrigin(NODE_FILES, directory, keys, { opening: undefined, at: 0 }),
      keys,
    )
  }

  /** Entries on disk, and the groups they were written in. */
  get written(): { readonly entries: number; readonly groups: number } {
    return { entries: this.#range.size, groups: this.#groups }
  }

  /** The secret that both entries of a request share. */
  drawSeed(): Uint8Array {
    if (this.#seedAt === this.#seeds.length) {
      this.#seeds = randomBytes(SEED_BYTES * SEEDS_AT_ONCE)
      this.#seedAt = 0
    }
    return this.#seeds.slice(this.#seedAt, (this.#seedAt += SEED_BYTES))
  }

  entryOf(draft: EntryDraft, seed: Uint8Array): StraightEntry {
    const { bytes: leaf, secrets } = makeLeaf(draft, seed, this.#pseudonymOf)
    return { leaf, record: encodeRecord(secrets) }
  }

  /** Calls `done` when the entry is on disk. One without it goes with the next group, or alone after a moment. */
  add({ leaf, record }: StraightEntry, done?: () => void): void {
    this.#waiting.push({ leaf, record, done })
    if (this.#isBusy) return
    if (done === undefined) this.#soon ??= setTimeout(() => this.#commit(), SOON_MS)
    else this.#commit()
  }

  groupOf(entries: readonly StraightEntry[]): StraightGroup {
    const first = this.#range.size
    const leaves = entries.map(({ leaf }) => leaf)
    const hashes = leaves.map(leafHash)
    const place = { segment: 0, form: 'group', first, count: entries.length, hashes } as const
    const sealed = this.#box.close(concat(...entries.map(({ record }) => record)), place)
    return { bytes: encodeGroup(first, leaves, sealed), hashes }
  }

  /** Writes a group and syncs it with the same call; then its entries are in the tree. */
  write({ bytes, hashes }: StraightGroup, done: () => void): void {
    const end = this.#end + bytes.length
    const written = end <= this.#length ? bytes : concat(bytes, ROOM)
    fs.write(this.#handle, written, 0, written.length, this.#end, (error, count) => {
      if (error !== null) throw error
      if (count < written.length) throw new Error('the disk is full')
      this.#length = Math.max(this.#length, this.#end + written.length)
      this.#end = end
      for (const hash of hashes) this.#range.append(hash)
      this.#groups += 1
      done()
    })
  }

  /** Signs what is on disk. */
  async sign(): Promise<void> {
    const head = { origin: this.#folder.origin, size: this.#range.size, root: this.#range.root() }
    const text = await signCheckpoint(head, [this.#signer], 0)
    await writeAtomic(NODE_FILES, `${this.#folder.path}/${FILE.checkpoint}`, utf8(text))
  }

  close(): void {
    clearTimeout(this.#soon)
    fs.closeSync(this.#handle)
  }

  #commit(): void {
    clearTimeout(this.#soon)
    this.#soon = undefined
    const group = this.#waiting
    if (group.length === 0) return
    this.#isBusy = true
    this.#waiting = []
    this.write(this.groupOf(group), () => {
      this.#isBusy = false
      this.#commit()
      for (const { done } of group) done?.()
    })
  }
}

const NOTHING = new Uint8Array(0)
const SEEDS_AT_ONCE = 128
/** As the ledger waits for an intent to share a sync with an outcome. */
const SOON_MS = 5
/** Zeros that the next groups are written over: to sync a file that stays as long as it is takes half the time. */
const ROOM = Buffer.alloc(256 * 1_024)
