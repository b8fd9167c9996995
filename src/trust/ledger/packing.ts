import { setImmediate as nextTurn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { constants, zstdCompress, zstdDecompress } from 'node:zlib'
import { concat, sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES, sha256 } from '#base/crypto.ts'
import { LIMITS } from '#base/limits.ts'
import { BUNDLE, bundleHashes } from './bundle.ts'
import { ID_BYTES } from './packed_id.ts'
import { ColumnReader, NEWLINE, toTemplate, type Columns, type PackedText } from './packed_text.ts'

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

/** Takes the parts of such a file apart and unpacks its text; undefined when the file is damaged. */
export async function openPack(bytes: Uint8Array): Promise<PackedText | undefined> {
  const sizes = parseSizes(bytes)
  if (sizes === undefined || sizes.zippedAt + sizes.zippedBytes + SHA256_BYTES !== bytes.length)
    return undefined
  const zipped = bytes.subarray(sizes.zippedAt, sizes.zippedAt + sizes.zippedBytes)
  const text = await decompress(zipped, sizes.textBytes)
  if (text?.length !== sizes.textBytes) return undefined
  const ids = bytes.subarray(sizes.idsAt, sizes.hashesAt)
  const hashes = bytes.subarray(sizes.hashesAt, sizes.zippedAt)
  return { text, ids, hashes, count: sizes.count }
}

/** Gives back the leaves, byte for byte; undefined when the file is damaged. */
export async function unpackLeaves(bytes: Uint8Array): Promise<readonly Uint8Array[] | undefined> {
  const pack = await openPack(bytes)
  if (pack === undefined) return undefined
  const { text, count } = pack
  const columns = new ColumnReader(pack)
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
  return leaves.length === count && columns.isUsedUp ? leaves : undefined
}

/**
 * The first leaf of such a file, from a few pieces of it; undefined when the file is damaged. `read` gives the bytes
 * from a place on, fewer at the end of the file.
 */
export async function firstPackedLeaf(
  read: (from: number, length: number) => Promise<Uint8Array>,
): Promise<Uint8Array | undefined> {
  const sizes = parseSizes(await read(0, PACKED_HEAD_BYTES))
  if (sizes === undefined) return undefined
  const zipped = await read(sizes.zippedAt, Math.min(sizes.zippedBytes, FIRST_BYTES))
  const text = await decompressStart(zipped)
  const end = text?.indexOf(NEWLINE) ?? -1
  if (text === undefined || end < 0) return undefined
  const ids = await read(sizes.idsAt, ID_BYTES)
  const hashes = await read(sizes.hashesAt, Math.min(sizes.zippedAt - sizes.hashesAt, LIMITS.leafBytes))
  return new ColumnReader({ ids, hashes }).fill(text.toString('latin1', 0, end))
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

/** What the first bytes of a zstd file give, which is cut off somewhere. */
async function decompressStart(bytes: Uint8Array): Promise<Buffer | undefined> {
  try {
    return await unzip(bytes, { finishFlush: constants.ZSTD_e_flush, maxOutputLength: TEXT_BYTES })
  } catch {
    return undefined
  }
}

const zip = promisify<Uint8Array, object, Buffer>(zstdCompress)
const unzip = promisify<Uint8Array, object, Buffer>(zstdDecompress)
const ZSTD_LEVEL = 9
const MAGIC = 'GHLEAF1\n'
const SIZES_AT = 20
/** A zstd block gives at most 128 KiB and takes no more (RFC 8878 section 3.1.1.2.4); a leaf is shorter. */
const FIRST_BYTES = 512 * 1_024
/** More than any segment holds; bounds what a changed head can make us allocate. */
export const TEXT_BYTES = 512 * 1_024 * 1_024

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
