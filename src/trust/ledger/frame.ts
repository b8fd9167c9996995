import { crc32 } from 'node:zlib'

/**
 * Frames of an active segment: length (4 bytes), type (1), CRC-32 (4), payload. The checksum is zlib's CRC-32 over
 * length, type and payload: it finds accidents; the Merkle tree finds intent.
 */
export const FRAME_BYTES = 9

export const FRAME_TYPE = {
  /** First frame of a file: which log, which first entry. */
  head: 0x48,
  leaf: 0x4c,
  /** Last frame of a group: the encrypted secrets of its leaves. A group without it was never acknowledged. */
  group: 0x47,
} as const

export type FrameType = (typeof FRAME_TYPE)[keyof typeof FRAME_TYPE]

export interface Frame {
  readonly type: FrameType
  readonly payload: Uint8Array
  /** Where the next frame starts. */
  readonly end: number
}

const TYPES = Object.values(FRAME_TYPE)

/** Larger payloads are not ours: a group is bounded by the queue. */
const PAYLOAD_BYTES = 64 * 1_024 * 1_024

/** Writes a frame at `offset` and gives the offset behind it. */
export function putFrame(target: Buffer, offset: number, type: FrameType, payload: Uint8Array): number {
  target.writeUInt32BE(payload.length, offset)
  target.writeUInt8(type, offset + 4)
  target.set(payload, offset + FRAME_BYTES)
  target.writeUInt32BE(checksum(target, offset, payload.length), offset + 5)
  return offset + FRAME_BYTES + payload.length
}

/** The frame at `offset`; undefined when there is no whole frame with a right checksum. */
export function frameAt(bytes: Buffer, offset: number): Frame | undefined {
  if (offset + FRAME_BYTES > bytes.length) return undefined
  const length = bytes.readUInt32BE(offset)
  const end = offset + FRAME_BYTES + length
  if (length > PAYLOAD_BYTES || end > bytes.length) return undefined
  const type = frameType(bytes[offset + 4])
  if (type === undefined || bytes.readUInt32BE(offset + 5) !== checksum(bytes, offset, length))
    return undefined
  return { type, payload: bytes.subarray(offset + FRAME_BYTES, end), end }
}

function checksum(bytes: Buffer, offset: number, length: number): number {
  const payloadStart = offset + FRAME_BYTES
  return crc32(bytes.subarray(payloadStart, payloadStart + length), headChecksum(bytes, offset))
}

/** CRC-32 of length and type. A call into zlib for five bytes costs as much as one for a leaf. */
function headChecksum(bytes: Buffer, offset: number): number {
  let sum = 0xffffffff
  for (let at = offset; at < offset + 5; at++)
    sum = (CRC_OF_BYTE[(sum ^ (bytes[at] ?? 0)) & 0xff] ?? 0) ^ (sum >>> 8)
  return ~sum >>> 0
}

/** What each byte does to the sum: the polynomial of zlib, lowest bit first. */
const CRC_OF_BYTE = Int32Array.from({ length: 256 }, (_, byte) => {
  let sum = byte
  for (let bit = 0; bit < 8; bit++) sum = (sum & 1) === 1 ? 0xedb88320 ^ (sum >>> 1) : sum >>> 1
  return sum
})

function frameType(byte: number | undefined): FrameType | undefined {
  return TYPES.find((type) => type === byte)
}
