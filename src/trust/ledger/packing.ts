import { promisify } from 'node:util'
import { constants, createZstdDecompress, zstdCompress, zstdDecompress } from 'node:zlib'
import { concat, release, sameBytes } from '#base/bytes.ts'
import { SHA256_BYTES, sha256 } from '#base/crypto.ts'
import { LIMITS } from '#base/limits.ts'
import { BUNDLE } from './bundle.ts'
import { filterBytes, idFilter } from './id_filter.ts'
import { idsIn, joinLines, linesOf, NEWLINE } from './packed_text.ts'

/**
 * The file of the leaves of a sealed segment: head, bundle hashes, filter of ids, text, SHA-256 of all before it. The
 * text is the leaves, a line each (canonical JSON has no line break inside), through zstd.
 */
export interface PackedHead {
  readonly first: number
  readonly count: number
  /** Time of the first entry. */
  readonly at: number
  readonly tiles: readonly Uint8Array[]
  /** What `mayHoldId` reads. */
  readonly filter: Uint8Array
}

export interface LeafBlock {
  /** Number of the first entry; a multiple of a bundle. */
  readonly first: number
  /** Time of the first entry. */
  readonly at: number
  /** Number of leaves; whole bundles. */
  readonly count: number
  /** The leaves, a line each. */
  readonly text: Uint8Array
  /** The ids in the text. */
  readonly ids: ReadonlySet<string>
  /** The hash of each bundle. */
  readonly tiles: readonly Uint8Array[]
}

/** Head bytes before the bundle hashes. */
export const PACKED_HEAD_BYTES = 36

/** Packs the leaves of a segment. */
export async function packLeaves({ first, at, count, text, ids, tiles }: LeafBlock): Promise<Uint8Array> {
  const filter = idFilter(ids, count)
  const zipped = await compress(text, LEAVES_ZSTD)
  const head = Buffer.alloc(PACKED_HEAD_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUIntBE(first, 8, 6)
  head.writeUIntBE(at, 14, 6)
  const sizes = [count, filter.length, text.length, zipped.length]
  sizes.forEach((size, index) => head.writeUInt32BE(size, SIZES_AT + 4 * index))
  const packed = withDigest(head, ...tiles, filter, zipped)
  release(zipped)
  return packed
}

/** The parts one after another, and the SHA-256 of all of them. */
export function withDigest(...parts: readonly Uint8Array[]): Uint8Array {
  const bytes = concat(...parts, new Uint8Array(SHA256_BYTES))
  const body = bytes.length - SHA256_BYTES
  bytes.set(sha256(bytes.subarray(0, body)), body)
  return bytes
}

/**
 * Reads the head, the bundle hashes and the filter from the beginning of the file; undefined when it is not such a
 * file or more bytes are needed than `bytes` has.
 */
export function parsePackedHead(bytes: Uint8Array): PackedHead | undefined {
  const sizes = parseSizes(bytes)
  if (sizes === undefined || bytes.length < sizes.zippedAt) return undefined
  const tiles: Uint8Array[] = []
  for (let at = PACKED_HEAD_BYTES; at < sizes.filterAt; at += SHA256_BYTES)
    tiles.push(bytes.subarray(at, at + SHA256_BYTES))
  const { first, count, at, filterAt, zippedAt } = sizes
  return { first, count, at, tiles, filter: bytes.subarray(filterAt, zippedAt) }
}

/** Bytes from the beginning of the file that `parsePackedHead` needs; undefined when it is not such a file. */
export function packedHeadBytes(bytes: Uint8Array): number | undefined {
  return parseSizes(bytes)?.zippedAt
}

/** True when the file ends with the hash of all bytes before it. */
export function hasRightDigest(bytes: Uint8Array): boolean {
  const body = bytes.length - SHA256_BYTES
  return body >= 0 && sameBytes(sha256(bytes.subarray(0, body)), bytes.subarray(body))
}

/** True when the filter is the one of these leaves: another could hide an entry from who looks for it. */
export function hasRightFilter({ filter }: PackedHead, leaves: readonly Uint8Array[]): boolean {
  return sameBytes(filter, idFilter(idsIn(joinLines(leaves)), leaves.length))
}

/** Unpacks the text of such a file; undefined when the file is damaged. */
export async function openPack(bytes: Uint8Array): Promise<Buffer | undefined> {
  const sizes = parseSizes(bytes)
  if (sizes === undefined || sizes.zippedAt + sizes.zippedBytes + SHA256_BYTES !== bytes.length)
    return undefined
  const zipped = bytes.subarray(sizes.zippedAt, sizes.zippedAt + sizes.zippedBytes)
  const text = await decompress(zipped, sizes.textBytes)
  return text?.length === sizes.textBytes ? text : undefined
}

/** Gives back the leaves, byte for byte; undefined when the file is damaged. */
export async function unpackLeaves(bytes: Uint8Array): Promise<readonly Uint8Array[] | undefined> {
  const text = await openPack(bytes)
  const leaves = text && linesOf(text)
  return leaves?.length === parseSizes(bytes)?.count ? leaves : undefined
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
  return await decompressLine(await read(sizes.zippedAt, Math.min(sizes.zippedBytes, FIRST_BYTES)))
}

/** zstd with these parameters. */
export async function compress(bytes: Uint8Array, params: Readonly<Record<number, number>>): Promise<Buffer> {
  return zip(bytes, { params, chunkSize: ZSTD_CHUNK_BYTES })
}

/** Undefined when it is not zstd or would be longer than `most` bytes. */
export async function decompress(bytes: Uint8Array, most: number): Promise<Buffer | undefined> {
  try {
    const maxOutputLength = Math.max(1, Math.min(most, TEXT_BYTES))
    // Of known length it comes in one piece, with a byte to spare that shows its end, and is not copied together.
    const chunkSize = maxOutputLength < ZSTD_PIECE_BYTES ? maxOutputLength + 1 : ZSTD_CHUNK_BYTES
    return await unzip(bytes, { maxOutputLength, chunkSize })
  } catch {
    // Every error of zstd means the same here: the bytes are not what we wrote.
    return undefined
  }
}

/** The first line of a zstd file of which these are the first bytes; undefined when it is longer than any leaf. */
async function decompressLine(bytes: Uint8Array): Promise<Buffer | undefined> {
  const stream = createZstdDecompress({ chunkSize: LIMITS.leafBytes })
  const pieces: Buffer[] = []
  stream.end(bytes)
  try {
    // It gives one piece at a time, so what lies behind the line is never unpacked, however much it would be.
    for await (const piece of stream as AsyncIterable<Buffer>) {
      pieces.push(piece)
      const text = Buffer.concat(pieces)
      const end = text.indexOf(NEWLINE)
      if (end >= 0) return text.subarray(0, end)
      if (text.length > LIMITS.leafBytes) return undefined
    }
  } catch {
    // As in `decompress`; also when the bytes end before the line does.
  }
  return undefined
}

const zip = promisify<Uint8Array, object, Buffer>(zstdCompress)
const unzip = promisify<Uint8Array, object, Buffer>(zstdDecompress)
/**
 * As small as level 9 (which is 3 % smaller than level 1), in three quarters of its time, with 2 MiB of memory for 16.
 * Leaves look like those shortly before them, and what looks alike is long: no match is near six bytes, none far away.
 */
const LEAVES_ZSTD = {
  [constants.ZSTD_c_strategy]: constants.ZSTD_lazy2,
  [constants.ZSTD_c_minMatch]: 6,
  [constants.ZSTD_c_searchLog]: 3,
  [constants.ZSTD_c_hashLog]: 17,
  [constants.ZSTD_c_chainLog]: 17,
  [constants.ZSTD_c_windowLog]: 18,
}
/** Each piece of output is a turn of a thread: Node's own 16 KiB would make hundreds of them for a segment. */
const ZSTD_CHUNK_BYTES = 1_024 * 1_024
/** More than the text of a usual segment, and no more than a changed head may make us allocate at once. */
const ZSTD_PIECE_BYTES = 8 * 1_024 * 1_024
const MAGIC = 'GHLEAF1\n'
const SIZES_AT = 20
/** A zstd block gives at most 128 KiB and takes no more (RFC 8878 section 3.1.1.2.4); a leaf is shorter. */
const FIRST_BYTES = 512 * 1_024
/** More than any segment holds; bounds what a changed head can make us allocate. */
export const TEXT_BYTES = 512 * 1_024 * 1_024
/** A leaf with nothing but its kind, id and time, and its line break. */
const LEAST_LEAF_BYTES = 60
/** More than any segment holds; with it the head stays below 12 MiB. */
const MOST_LEAVES = Math.floor(TEXT_BYTES / LEAST_LEAF_BYTES)

interface Sizes {
  readonly first: number
  readonly count: number
  readonly at: number
  readonly filterAt: number
  readonly zippedAt: number
  readonly zippedBytes: number
  readonly textBytes: number
}

function parseSizes(bytes: Uint8Array): Sizes | undefined {
  const head = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (head.length < PACKED_HEAD_BYTES || head.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined
  const size = (index: number): number => head.readUInt32BE(SIZES_AT + 4 * index)
  const count = size(0)
  if (count === 0 || count % BUNDLE !== 0 || count > MOST_LEAVES) return undefined
  // However many ids there are, the filter has room for one of each entry.
  if (size(1) === 0 || size(1) > filterBytes(count)) return undefined
  const filterAt = PACKED_HEAD_BYTES + (count / BUNDLE) * SHA256_BYTES
  return {
    first: head.readUIntBE(8, 6),
    at: head.readUIntBE(14, 6),
    count,
    filterAt,
    zippedAt: filterAt + size(1),
    textBytes: size(2),
    zippedBytes: size(3),
  }
}
