import { openPiece, PIECE_TAG_BYTES, sealPiece } from './crypto.ts'

/** Plain bytes of each chunk but the last. */
export const CHUNK_BYTES = 64 * 1_024
/** The same chunk encrypted. */
export const SEALED_CHUNK_BYTES = CHUNK_BYTES + PIECE_TAG_BYTES

/**
 * Encrypts one chunk of a long text, which is AES-256-GCM by chunks in the STREAM construction (Hoang, Reyhanitabar, Rogaway,
 * Vizár, "Online Authenticated-Encryption and its Nonce-Reuse Misuse-Resistance", section 7): the nonce is the number of the
 * chunk and whether it is the last. So chunks cannot be left out, doubled, put in another order or cut off at the end.
 *
 * The key must be for this text alone. Every chunk but the last has `CHUNK_BYTES`; a text of none is one empty last chunk.
 */
export function sealChunk(key: Uint8Array, place: ChunkPlace, plain: Uint8Array): Uint8Array {
  return sealPiece(key, nonceOf(place), plain)
}

/** Opens a chunk; undefined when it is not the one of this place, or was changed. */
export function openChunk(key: Uint8Array, place: ChunkPlace, sealed: Uint8Array): Uint8Array | undefined {
  return openPiece(key, nonceOf(place), sealed)
}

export interface ChunkPlace {
  /** From 0. */
  readonly number: number
  readonly isLast: boolean
}

/** Bytes of a text of so many plain bytes when it is encrypted. */
export function sealedLength(plainBytes: number): number {
  return plainBytes + chunksIn(plainBytes) * PIECE_TAG_BYTES
}

/** Plain bytes of a text of so many encrypted ones; undefined where no text has so many. */
export function plainLength(sealedBytes: number): number | undefined {
  const chunks = Math.max(1, Math.ceil(sealedBytes / SEALED_CHUNK_BYTES))
  const plain = sealedBytes - chunks * PIECE_TAG_BYTES
  return plain >= 0 && sealedLength(plain) === sealedBytes ? plain : undefined
}

export function chunksIn(plainBytes: number): number {
  return Math.max(1, Math.ceil(plainBytes / CHUNK_BYTES))
}

const NONCE_BYTES = 12
const NUMBER_BYTES = 6

function nonceOf({ number, isLast }: ChunkPlace): Uint8Array {
  const nonce = Buffer.alloc(NONCE_BYTES)
  nonce.writeUIntBE(number, NONCE_BYTES - 1 - NUMBER_BYTES, NUMBER_BYTES)
  nonce[NONCE_BYTES - 1] = isLast ? 1 : 0
  return nonce
}
