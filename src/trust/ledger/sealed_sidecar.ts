import { constants } from 'node:zlib'
import { release } from '#base/bytes.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import { compress, decompress, hasRightDigest, TEXT_BYTES, withDigest } from './packing.ts'
import { decodeRecords, type BoxPlace, type SecretRecord, type SidecarBox } from './sidecar.ts'

/**
 * The encoded records of a sealed segment in one box: head, the records compressed and encrypted, SHA-256 of all before
 * it.
 */
export async function closeSegmentSidecar(
  box: SidecarBox,
  place: BoxPlace,
  records: Uint8Array,
): Promise<Uint8Array> {
  const zipped = await compress(records, RECORDS_ZSTD)
  const sealed = box.close(zipped, place)
  release(zipped)
  return withDigest(encodeHead(place), sealed)
}

/** What can be said of the file without the key. */
export function isWholeSidecar(bytes: Uint8Array, first: number, count: number): boolean {
  const head = encodeHead({ first, count })
  return hasRightDigest(bytes) && Buffer.compare(bytes.subarray(0, head.length), head) === 0
}

/** The secrets of the entries of a sealed segment; undefined when the file, key or leaves are not the right ones. */
export async function openSegmentSidecar(
  box: SidecarBox,
  place: BoxPlace,
  bytes: Uint8Array,
): Promise<readonly SecretRecord[] | undefined> {
  const plain = await openSegmentRecords(box, place, bytes)
  return plain === undefined ? undefined : decodeRecords(plain, place.count)
}

/** The same, not yet decoded: the records one after another, at most so many bytes. */
export async function openSegmentRecords(
  box: SidecarBox,
  place: BoxPlace,
  bytes: Uint8Array,
  most = TEXT_BYTES,
): Promise<Uint8Array | undefined> {
  if (!isWholeSidecar(bytes, place.first, place.count)) return undefined
  const sealed = bytes.subarray(HEAD_BYTES, bytes.length - SHA256_BYTES)
  const zipped = box.open(sealed, place)
  return zipped === undefined ? undefined : await decompress(zipped, most)
}

/** What the box of a sealed segment is bound to. */
export function segmentPlace(first: number, count: number, tiles: readonly Uint8Array[]): BoxPlace {
  return { segment: first, form: 'segment', first, count, hashes: tiles }
}

/** Finds the seed that an intent shares with its outcome, shortly behind it; higher levels find no more. */
const RECORDS_ZSTD = {
  [constants.ZSTD_c_strategy]: constants.ZSTD_dfast,
  [constants.ZSTD_c_minMatch]: 6,
  [constants.ZSTD_c_hashLog]: 17,
  [constants.ZSTD_c_chainLog]: 17,
  [constants.ZSTD_c_windowLog]: 18,
}
const MAGIC = 'GHSIDE1\n'
const HEAD_BYTES = 18

function encodeHead(place: Pick<BoxPlace, 'first' | 'count'>): Buffer {
  const head = Buffer.alloc(HEAD_BYTES)
  head.write(MAGIC, 0, 'latin1')
  head.writeUIntBE(place.first, 8, 6)
  head.writeUInt32BE(place.count, 14)
  return head
}
