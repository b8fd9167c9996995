import { setImmediate as nextTurn } from 'node:timers/promises'
import { release, sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import type { Files } from '#base/files.ts'
import { BUNDLE, BUNDLE_LEVEL } from './bundle.ts'
import { segmentName, type OriginFolder, type SegmentFiles } from './layout.ts'
import { checkLeaf } from './leaf_check.ts'
import { CompactRange, leafHash } from './merkle.ts'
import { idFilter } from './id_filter.ts'
import { idsIn, NEWLINE } from './packed_text.ts'
import { hasRightDigest, openPack, parsePackedHead, type PackedHead } from './packing.ts'
import type { RawSegment } from './raw_segment.ts'
import { isWholeSidecar, openSegmentRecords, segmentPlace } from './sealed_sidecar.ts'
import { SecretsInOrder } from './secrets_in_order.ts'
import { secretsMatchChecked } from './secrets_match.ts'
import { openGroups, readSegment, scanLive } from './segment_reader.ts'
import { recordsIn, type SecretRecord, type SidecarBox } from './sidecar.ts'
import { TileCheck } from './tile_check.ts'

export interface LogWalkParts {
  readonly files: Files
  readonly folder: OriginFolder
  /** With it the sidecars are checked too. */
  readonly box: SidecarBox | undefined
  /** Sizes at which the root is wanted. */
  readonly wanted: readonly number[]
  report(place: string, what: string): void
}

interface OpenedSidecar {
  /** The records of its entries, one after another. */
  readonly records?: Uint8Array
  readonly wrong?: string
}

/** Entries that stand one after another in a file. */
interface Entries {
  /** Of the file. */
  readonly name: string
  readonly leaves: Iterable<Uint8Array>
  /** One for each, where they are known. */
  readonly secrets?: SecretsInOrder | undefined
  /** The hash that the file has for each bundle. */
  readonly tiles?: readonly Uint8Array[]
}

/** Goes through one log segment by segment, rebuilds its tree from the leaves and reports what is wrong on the way. */
export class LogWalk {
  readonly #parts: LogWalkParts
  readonly #tiles: TileCheck
  readonly #range: CompactRange
  /** The hash of the last whole bundle. */
  readonly #bundle = new Uint8Array(SHA256_BYTES)
  readonly #roots = new Map<number, Uint8Array>()
  #isWhole = true
  /** Entries before this are vouched for by stored bundle hashes too. */
  #bundled = 0
  #firstLeaf: Uint8Array | undefined
  #hasActive = false

  constructor(parts: LogWalkParts) {
    this.#parts = parts
    this.#tiles = new TileCheck({ ...parts, report: (place, what) => this.#report(place, what) })
    this.#range = new CompactRange((level, hash) => {
      if (level === 1) this.#bundle.set(hash)
      this.#tiles.add(level, hash)
    })
    this.#keepRoot()
  }

  get size(): number {
    return this.#range.size
  }

  get root(): Uint8Array {
    return this.#range.root()
  }

  get firstLeaf(): Uint8Array | undefined {
    return this.#firstLeaf
  }

  /** False once a place could not be read: entries behind it are not looked at. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  rootAt(size: number): Uint8Array | undefined {
    return this.#roots.get(size)
  }

  /** The narrowest place for a root that differs although no bundle does. */
  unprovenPlace(size: number): string {
    const from = this.#bundled < size ? this.#bundled : 0
    return `entries ${from} to ${size - 1}`
  }

  async visit(segment: SegmentFiles): Promise<void> {
    if (!this.#isWhole) return
    const { files, folder } = this.#parts
    if (segment.first !== this.size)
      return this.#stop(
        segmentName(segment.first, 'raw'),
        `entries from ${this.size} on are missing or doubled`,
      )
    const bytes = await readSegment(files, folder, segment.first)
    if (bytes.kind === 'missing') return this.#stop(segmentName(segment.first, 'leaves'), 'missing')
    // As listed: it may have been sealed since, and then a newer one is in use.
    this.#hasActive = segment.parts.has('raw')
    if (bytes.kind === 'raw') await this.#visitRaw(segment.first, bytes.raw)
    else await this.#visitSealed(segment.first, bytes.leaves, bytes.sidecar)
    await this.#tiles.look()
  }

  async finish(): Promise<void> {
    if (this.#isWhole) await this.#tiles.finish(this.size)
    if (this.#isWhole && !this.#hasActive) this.#stop('the last segment', 'the active segment is missing')
  }

  async #visitRaw(first: number, content: Uint8Array): Promise<void> {
    const name = segmentName(first, 'raw')
    const { files, folder, box } = this.#parts
    const raw = await scanLive(files, folder, first, content)
    if (raw?.origin !== folder.origin || raw.first !== first)
      return this.#stop(name, 'the head of the segment is damaged')
    const leaves = raw.groups.flatMap((group) => group.leaves)
    const secrets = box && new SecretsInOrder(this.#secretsOf(name, raw, box))
    await this.#take({ name, leaves, secrets })
    if (raw.ending.kind === 'damaged')
      this.#stop(`${name} entry ${raw.ending.entry}`, `damaged at byte ${raw.ending.at}`)
    if (raw.ending.kind === 'torn')
      this.#stop(
        `${name} entry ${this.size}`,
        `what stands at byte ${raw.ending.at} and behind is damaged or was never finished`,
      )
  }

  async #visitSealed(first: number, bytes: Uint8Array, sidecar: Uint8Array | undefined): Promise<void> {
    const name = segmentName(first, 'leaves')
    if (!hasRightDigest(bytes)) this.#report(name, 'the file was changed: its SHA-256 differs')
    const head = parsePackedHead(bytes)
    if (head?.first !== first || first % BUNDLE !== 0)
      return this.#stop(name, 'the head of the segment is damaged')
    const { records, wrong } = await this.#openSidecar(head, sidecar)
    const secrets = records && new SecretsInOrder(recordsIn(records))
    const text = await openPack(bytes)
    const isWhole = text !== undefined && countLines(text) === head.count
    if (!isWhole) {
      this.#report(name, `entries ${first} to ${first + head.count - 1} cannot be read`)
      // The stored bundle hashes still let the entries behind be checked.
      for (const tile of head.tiles) this.#appendBundle(tile)
    } else await this.#visitText(name, text, head, secrets)
    this.#bundled = this.size
    const isOpen = !isWhole || secrets?.isAtEnd() !== false
    const sidecarWrong = wrong ?? (isOpen ? undefined : DOES_NOT_OPEN)
    if (sidecarWrong !== undefined) this.#report(segmentName(first, 'sidecar'), sidecarWrong)
    // At once: a large log has many of them.
    for (const each of [records, text]) if (each !== undefined) release(each)
  }

  async #visitText(name: string, text: Buffer, head: PackedHead, secrets: Entries['secrets']): Promise<void> {
    if (!sameBytes(head.filter, idFilter(idsIn(text), head.count)))
      this.#report(name, 'the filter of ids is not that of its entries')
    const { at } = await this.#take({ name, leaves: linesIn(text), secrets, tiles: head.tiles })
    if (head.at !== at) this.#report(name, 'the time in the head is not that of the first entry')
  }

  async #openSidecar(head: PackedHead, sidecar: Uint8Array | undefined): Promise<OpenedSidecar> {
    const { box } = this.#parts
    if (sidecar === undefined) return { wrong: 'missing' }
    if (!isWholeSidecar(sidecar, head.first, head.count)) return { wrong: 'the file was changed' }
    if (box === undefined) return {}
    const records = await openSegmentRecords(box, segmentPlace(head.first, head.count, head.tiles), sidecar)
    return records === undefined ? { wrong: DOES_NOT_OPEN } : { records }
  }

  #secretsOf(name: string, raw: RawSegment, box: SidecarBox): readonly SecretRecord[] {
    return openGroups(raw, box).flatMap((secrets, at) => {
      const { first = 0, leaves = [] } = raw.groups[at] ?? {}
      if (secrets !== undefined) return secrets
      const place = `${name} entries ${first} to ${first + leaves.length - 1}`
      this.#report(place, 'the sidecar does not open for these entries')
      return leaves.map(() => undefined)
    })
  }

  /** Takes the next entries, and gives the time of the first. Gives other work a turn between bundles. */
  async #take({ name, leaves, secrets, tiles }: Entries): Promise<{ readonly at: number | undefined }> {
    let firstAt: number | undefined
    const from = this.size
    for (const bytes of leaves) {
      const checked = checkLeaf(bytes)
      firstAt ??= Number(checked.leaf()?.['at'])
      if (checked.wrong !== undefined) this.#report(`${name} entry ${this.size}`, checked.wrong)
      if (!secretsMatchChecked(checked, secrets?.take()))
        this.#report(`${name} entry ${this.size}`, 'the sidecar does not match the commitments')
      this.#append(bytes)
      if (this.size % BUNDLE > 0) continue
      const tile = tiles?.[(this.size - from) / BUNDLE - 1]
      if (tile !== undefined && !sameBytes(tile, this.#bundle))
        this.#report(
          `${name} entries ${this.size - BUNDLE} to ${this.size - 1}`,
          'the bundle does not match its hash',
        )
      await nextTurn()
    }
    return { at: firstAt }
  }

  #append(leaf: Uint8Array): void {
    this.#firstLeaf ??= Uint8Array.from(leaf)
    const hash = leafHash(leaf)
    this.#tiles.add(0, hash)
    this.#range.append(hash)
    this.#keepRoot()
  }

  #appendBundle(tile: Uint8Array): void {
    this.#tiles.skipBundle()
    this.#range.appendSubtree(BUNDLE_LEVEL, tile)
    this.#keepRoot()
  }

  #keepRoot(): void {
    if (this.#parts.wanted.includes(this.size)) this.#roots.set(this.size, this.#range.root())
  }

  #report(place: string, what: string): void {
    this.#parts.report(`${this.#parts.folder.path}/${place}`, what)
  }

  #stop(place: string, what: string): void {
    this.#isWhole = false
    this.#report(place, what)
  }
}

const DOES_NOT_OPEN = 'it does not open with the key for these entries'

function countLines(text: Buffer): number | undefined {
  let lines = 0
  for (let start = 0; start < text.length; lines += 1) {
    start = text.indexOf(NEWLINE, start) + 1
    if (start === 0) return undefined
  }
  return lines
}

function* linesIn(text: Buffer): Generator<Uint8Array, void, undefined> {
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(NEWLINE, start)
    yield text.subarray(start, end)
    start = end + 1
  }
}
