import { sameBytes } from '#base/bytes.ts'
import type { Files } from '#base/files.ts'
import { BUNDLE, BUNDLE_LEVEL, bundleHashes } from './bundle.ts'
import { segmentName, type OriginFolder, type SegmentFiles } from './layout.ts'
import { parseLeaf } from './leaf.ts'
import { CompactRange, leafHash } from './merkle.ts'
import { hasRightDigest, hasRightFilter, parsePackedHead } from './packing.ts'
import type { RawSegment } from './raw_segment.ts'
import { isWholeSidecar } from './sealed_sidecar.ts'
import { secretsMatch } from './secrets_match.ts'
import { openGroups, openSealed, openSealedSecrets, readSegment, scanLive } from './segment_reader.ts'
import type { SecretRecord, SidecarBox } from './sidecar.ts'
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

/** Goes through one log segment by segment, rebuilds its tree from the leaves and reports what is wrong on the way. */
export class LogWalk {
  readonly #parts: LogWalkParts
  readonly #tiles: TileCheck
  readonly #range: CompactRange
  readonly #roots = new Map<number, Uint8Array>()
  #isWhole = true
  /** Entries before this are vouched for by stored bundle hashes too. */
  #bundled = 0
  #firstLeaf: Uint8Array | undefined
  #hasActive = false

  constructor(parts: LogWalkParts) {
    this.#parts = parts
    this.#tiles = new TileCheck({ ...parts, report: (place, what) => this.#report(place, what) })
    this.#range = new CompactRange(this.#tiles.add)
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
    for (const leaf of raw.groups.flatMap((group) => group.leaves)) this.#append(leaf)
    if (box !== undefined) this.#checkGroups(name, raw, box)
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
    if (head?.first !== first) return this.#stop(name, 'the head of the segment is damaged')
    const sealed = await openSealed(bytes)
    if (sealed === undefined) {
      this.#report(name, `entries ${first} to ${first + head.count - 1} cannot be read`)
      // The stored bundle hashes still let the entries behind be checked.
      for (const tile of head.tiles) this.#appendBundle(tile)
    } else {
      if (!hasRightFilter(head, sealed.leaves))
        this.#report(name, 'the filter of ids is not that of its entries')
      await this.#checkBundles(name, sealed.leaves, head.tiles)
    }
    this.#bundled = this.size
    if (sealed !== undefined && head.at !== Number(this.#leafOf(name, sealed.leaves[0])?.['at']))
      this.#report(name, 'the time in the head is not that of the first entry')
    const sidecarName = segmentName(first, 'sidecar')
    if (sidecar === undefined || !isWholeSidecar(sidecar, first, head.count))
      return this.#report(sidecarName, sidecar === undefined ? 'missing' : 'the file was changed')
    const { box } = this.#parts
    if (box === undefined || sealed === undefined) return
    const secrets = await openSealedSecrets(head, sidecar, box)
    if (secrets === undefined) this.#report(sidecarName, 'it does not open with the key for these entries')
    else this.#checkSecrets(name, first, sealed.leaves, secrets)
  }

  async #checkBundles(
    name: string,
    leaves: readonly Uint8Array[],
    tiles: readonly Uint8Array[],
  ): Promise<void> {
    const found = await bundleHashes(leaves)
    for (const [at, tile] of tiles.entries()) {
      const start = this.size + at * BUNDLE
      if (!sameBytes(found[at] ?? tile, tile))
        this.#report(
          `${name} entries ${start} to ${start + BUNDLE - 1}`,
          'the bundle does not match its hash',
        )
    }
    for (const leaf of leaves) this.#append(leaf)
  }

  #checkGroups(name: string, raw: RawSegment, box: SidecarBox): void {
    for (const [at, secrets] of openGroups(raw, box).entries()) {
      const group = raw.groups[at]
      if (group === undefined) continue
      const last = group.first + group.leaves.length - 1
      if (secrets === undefined)
        this.#report(
          `${name} entries ${group.first} to ${last}`,
          'the sidecar does not open for these entries',
        )
      else this.#checkSecrets(name, group.first, group.leaves, secrets)
    }
  }

  #checkSecrets(
    name: string,
    first: number,
    leaves: readonly Uint8Array[],
    secrets: readonly SecretRecord[],
  ): void {
    for (const [at, bytes] of leaves.entries()) {
      const leaf = this.#leafOf(`${name} entry ${first + at}`, bytes)
      if (leaf !== undefined && !secretsMatch(leaf, secrets[at]))
        this.#report(`${name} entry ${first + at}`, 'the sidecar does not match the commitments')
    }
  }

  #leafOf(place: string, bytes: Uint8Array | undefined): ReturnType<typeof parseLeaf> | undefined {
    try {
      return parseLeaf(bytes ?? new Uint8Array(0))
    } catch {
      this.#report(place, 'not a leaf')
      return undefined
    }
  }

  #append(leaf: Uint8Array): void {
    this.#firstLeaf ??= leaf
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
