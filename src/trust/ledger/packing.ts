import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { concat, sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES, sha256 } from '#base/crypto.ts'
import { BUNDLE, bundleHashes } from './bundle.ts'
import { fromHalves, ID_BYTES, ID_CHARACTERS, toHalves } from './packed_id.ts'

/**
 * The file of the leaves of a sealed segment: head, bundle hashes, ids, hashes, text, SHA-256 of all before it.
 *
 * What is random in a leaf cannot be compressed and keeps the rest from being compressed well. So the 32 bytes behind
 * each base64url hash and the 12 behind each id stand in columns of their own, and the text that is left, nearly the
 * same in every leaf, goes through zstd. The column of ids also makes a search by id a plain byte search.
 */
export interface PackedHead {
  readonly first: number
  readonly count: number
  /** Time of the first entry. */
  readonly at: number
  readonly tiles: readonly Uint8Array[]
  /** Where the column of ids stands in the file. */
  readonly ids: { readonly start: number; readonly end: number }
}

/** Head bytes before the bundle hashes. */
export const PACKED_HEAD_BYTES = 40

/** Packs the leaves of a segment that starts at `first`, a whole number of bundles. */
export async function packLeaves(
  first: number,
  at: number,
  leaves: readonly Uint8Array[],
): Promise<Uint8Array> {
  const columns: Columns = { ids: [], hashes: [], known: new Map() }
  const texts: string[] = []
  for (let start = 0; start < leaves.length; start += BUNDLE) {
    for (const leaf of leaves.slice(start, start + BUNDLE)) texts.push(toTemplate(leaf, columns))
    await nextTurn()
  }
  const text = Buffer.from(texts.join(''), 'latin1')
  const zipped = await compress(text)
  const head = Buffer.alloc(PACKED_HEAD_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUIntBE(first, 8, 6)
  head.writeUIntBE(at, 14, 6)
  const sizes = [leaves.length, columns.ids.length, columns.hashes.length, text.length, zipped.length]
  sizes.forEach((size, index) => head.writeUInt32BE(size, SIZES_AT + 4 * index))
  const tiles = await bundleHashes(leaves)
  const body = concat(head, ...tiles, ...columns.ids, ...columns.hashes, zipped)
  return concat(body, sha256(body))
}

/**
 * Reads the head and the bundle hashes from the beginning of the file; undefined when it is not such a file or more
 * bytes are needed than `bytes` has.
 */
export function parsePackedHead(bytes: Uint8Array): PackedHead | undefined {
  const sizes = parseSizes(bytes)
  if (sizes === undefined || bytes.length < sizes.idsAt) return undefined
  const tiles: Uint8Array[] = []
  for (let at = PACKED_HEAD_BYTES; at < sizes.idsAt; at += SHA256_BYTES)
    tiles.push(bytes.subarray(at, at + SHA256_BYTES))
  const { first, count, at, idsAt, hashesAt } = sizes
  return { first, count, at, tiles, ids: { start: idsAt, end: hashesAt } }
}

/** Bytes from the beginning of the file that `parsePackedHead` needs; undefined when it is not such a file. */
export function packedHeadBytes(bytes: Uint8Array): number | undefined {
  return parseSizes(bytes)?.idsAt
}

/** True when the file ends with the hash of all bytes before it. */
export function hasRightDigest(bytes: Uint8Array): boolean {
  const body = bytes.length - SHA256_BYTES
  return body >= 0 && sameBytes(sha256(bytes.subarray(0, body)), bytes.subarray(body))
}

/** Gives back the leaves, byte for byte; undefined when the file is damaged. */
export async function unpackLeaves(bytes: Uint8Array): Promise<readonly Uint8Array[] | undefined> {
  const sizes = parseSizes(bytes)
  if (sizes === undefined || sizes.zippedAt + sizes.zippedBytes + SHA256_BYTES !== bytes.length)
    return undefined
  const zipped = bytes.subarray(sizes.zippedAt, sizes.zippedAt + sizes.zippedBytes)
  const text = await decompress(zipped, sizes.textBytes)
  if (text?.length !== sizes.textBytes) return undefined
  const columns = new ColumnReader(
    bytes.subarray(sizes.idsAt, sizes.hashesAt),
    bytes.subarray(sizes.hashesAt, sizes.zippedAt),
  )
  const leaves: Uint8Array[] = []
  for (let start = 0; start < text.length;) {
    const end = text.indexOf(NEWLINE, start)
    if (end < 0) return undefined
    const leaf = columns.fill(text.toString('latin1', start, end))
    if (leaf === undefined) return undefined
    leaves.push(leaf)
    start = end + 1
    if (leaves.length % BUNDLE === 0) await nextTurn()
  }
  return leaves.length === sizes.count && columns.isUsedUp ? leaves : undefined
}

/** zstd at the level where our text stops getting much smaller: 9 is 8 % larger than 19 and 40 times as fast. */
export async function compress(bytes: Uint8Array): Promise<Buffer> {
  return zip(bytes, { params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL } })
}

/** Undefined when it is not zstd or would be longer than `most` bytes. */
export async function decompress(bytes: Uint8Array, most: number): Promise<Buffer | undefined> {
  try {
    return await unzip(bytes, { maxOutputLength: Math.max(1, Math.min(most, TEXT_BYTES)) })
  } catch {
    // Every error of zstd means the same here: the bytes are not what we wrote.
    return undefined
  }
}

const zip = promisify<Uint8Array, object, Buffer>(zstdCompress)
const unzip = promisify<Uint8Array, object, Buffer>(zstdDecompress)
const ZSTD_LEVEL = 9
const MAGIC = 'GHLEAF1\n'
const SIZES_AT = 20
const NEWLINE = 0x0a
/** More than any segment holds; bounds what a changed head can make us allocate. */
export const TEXT_BYTES = 512 * 1_024 * 1_024

// Bytes 0xFD to 0xFF never stand in UTF-8, so these marks cannot meet text of a leaf. Texts are Latin-1 here: one
// character per byte.
const HASH_MARK = '\u00fd'
const ID_MARK = '\u00fe'
const SAME_ID_MARK = '\u00ff'
const HASH_PATTERN = /"([A-Za-z0-9_-]{43})"/g
const ID_PATTERN = new RegExp(`"id":"([0-9A-Za-z]{${ID_CHARACTERS}})"`)
const MARK_PATTERN = /\u00fd|\u00fe|\u00ff([\u0080-\u00ff]{2})/g
/** Two characters of 7 bits say how many ids ago the same id stood. */
const FARTHEST = 128 * 128

interface Columns {
  readonly ids: Uint8Array[]
  readonly hashes: Uint8Array[]
  /** The place of each id in the column. */
  readonly known: Map<string, number>
}

function toTemplate(leaf: Uint8Array, columns: Columns): string {
  const text = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength).toString('latin1')
  const withoutHashes = text.replace(HASH_PATTERN, (whole, encoded: string) => {
    const hash = Buffer.from(encoded, 'base64url')
    // The last character carries 4 bits only; another spelling of the same hash must stay text.
    if (hash.toString('base64url') !== encoded) return whole
    columns.hashes.push(hash)
    return `"${HASH_MARK}"`
  })
  return `${withoutHashes.replace(ID_PATTERN, (_, id: string) => `"id":"${idMark(id, columns)}"`)}\n`
}

function idMark(id: string, columns: Columns): string {
  const place = columns.known.get(id)
  const back = place === undefined ? FARTHEST : columns.ids.length - place
  if (back < FARTHEST) return SAME_ID_MARK + String.fromCharCode(0x80 + (back >> 7), 0x80 + (back & 0x7f))
  columns.known.set(id, columns.ids.length)
  columns.ids.push(toHalves(id))
  return ID_MARK
}

class ColumnReader {
  readonly #ids: Uint8Array
  readonly #hashes: Buffer
  #nextId = 0
  #nextHash = 0
  #isShort = false

  constructor(ids: Uint8Array, hashes: Uint8Array) {
    this.#ids = ids
    this.#hashes = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength)
  }

  get isUsedUp(): boolean {
    return this.#nextId * ID_BYTES === this.#ids.length && this.#nextHash === this.#hashes.length
  }

  fill(template: string): Uint8Array | undefined {
    const text = template.replace(MARK_PATTERN, (mark, back: string | undefined) => {
      const part = mark === HASH_MARK ? this.#hash() : this.#id(back)
      if (part === undefined) this.#isShort = true
      return part ?? ''
    })
    return this.#isShort ? undefined : Buffer.from(text, 'latin1')
  }

  #hash(): string | undefined {
    const start = this.#nextHash
    this.#nextHash += SHA256_BYTES
    if (this.#nextHash > this.#hashes.length) return undefined
    return this.#hashes.toString('base64url', start, this.#nextHash)
  }

  #id(back: string | undefined): string | undefined {
    const distance = back === undefined ? 0 : ((back.charCodeAt(0) - 0x80) << 7) + back.charCodeAt(1) - 0x80
    const place = back === undefined ? this.#nextId++ : this.#nextId - distance
    const start = place * ID_BYTES
    if (place < 0 || start + ID_BYTES > this.#ids.length) return undefined
    return fromHalves(this.#ids.subarray(start, start + ID_BYTES))
  }
}

interface Sizes {
  readonly first: number
  readonly count: number
  readonly at: number
  readonly idsAt: number
  readonly hashesAt: number
  readonly zippedAt: number
  readonly zippedBytes: number
  readonly textBytes: number
}

function parseSizes(bytes: Uint8Array): Sizes | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (head.length < PACKED_HEAD_BYTES || head.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  const size = (index: number): number => head.readUInt32BE(SIZES_AT + 4 * index)
  const count = size(0)
  if (count === 0 || count % BUNDLE !== 0) return undefined
  const idsAt = PACKED_HEAD_BYTES + (count / BUNDLE) * SHA256_BYTES
  const hashesAt = idsAt + size(1) * ID_BYTES
  const zippedAt = hashesAt + size(2) * SHA256_BYTES
  return {
    first: head.readUIntBE(8, 6),
    at: head.readUIntBE(14, 6),
    count,
    idsAt,
    hashesAt,
    zippedAt,
    textBytes: size(3),
    zippedBytes: size(4),
  }
}
