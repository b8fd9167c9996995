/** One message of the channel between the writer and a worker. */
export interface Frame {
  readonly kind: number
  /** Joins an answer to what was asked. */
  readonly id: number
  readonly payload: Buffer
}

/** Bytes of the payload (uint32), kind (uint8) and id (uint32), big-endian. */
export const HEADER_BYTES = 9

/** What cannot be a frame of ours: whoever sent it is not the program that we started. */
export class MalformedFrame extends Error {}

/** Cuts a stream of bytes into frames. A payload is copied only where it came in several parts. */
export class FrameReader {
  readonly #mostBytes: number
  #chunks: Buffer[] = []
  #bytes = 0
  /** Of the frame at hand with its header; 0 while the header is not there. */
  #needed = 0

  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes
  }

  /** Gives the frames that are complete with this chunk. Throws `MalformedFrame`. */
  *push(chunk: Buffer): Generator<Frame, void, undefined> {
    this.#chunks.push(chunk)
    this.#bytes += chunk.length
    while (this.#bytes >= Math.max(this.#needed, HEADER_BYTES)) {
      const bytes = this.#joined()
      const length = bytes.readUInt32BE(0)
      if (length > this.#mostBytes) throw new MalformedFrame('a frame that is too long')
      this.#needed = HEADER_BYTES + length
      if (bytes.length < this.#needed) return
      const rest = bytes.subarray(this.#needed)
      const frame = {
        kind: bytes.readUInt8(4),
        id: bytes.readUInt32BE(5),
        payload: bytes.subarray(HEADER_BYTES, this.#needed),
      }
      this.#chunks = rest.length === 0 ? [] : [rest]
      this.#bytes = rest.length
      this.#needed = 0
      yield frame
    }
  }

  #joined(): Buffer {
    const [first, ...others] = this.#chunks
    if (first !== undefined && others.length === 0) return first
    const joined = Buffer.concat(this.#chunks, this.#bytes)
    this.#chunks = [joined]
    return joined
  }
}

/** A frame whose payload is this text. */
export function textFrame(kind: number, id: number, text: string): Buffer {
  const length = Buffer.byteLength(text)
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length)
  frame.writeUInt32BE(length, 0)
  frame.writeUInt8(kind, 4)
  frame.writeUInt32BE(id, 5)
  frame.write(text, HEADER_BYTES)
  return frame
}
