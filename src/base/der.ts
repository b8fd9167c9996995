/** One element of DER (X.690): its tag as it stands, and what is in it. */
export interface DerElement {
  readonly tag: number
  readonly content: Uint8Array
}

const LONG_TAG = 0x1f
const LONG_LENGTH = 0x80
/** Lengths of up to four bytes; certificates have at most some thousand bytes. */
const MOST_LENGTH_BYTES = 4

/**
 * The elements that stand one after the other in the bytes. Throws RangeError for what is not DER: an end too early, a length
 * that could be shorter, or a tag of more than one byte, which no certificate has.
 */
export function readDer(bytes: Uint8Array): readonly DerElement[] {
  const elements: DerElement[] = []
  for (let at = 0; at < bytes.length;) {
    const tag = byteAt(bytes, at)
    if ((tag & LONG_TAG) === LONG_TAG) throw new RangeError('a tag of more than one byte')
    const { length, start } = readLength(bytes, at + 1)
    if (start + length > bytes.length) throw new RangeError('an element ends too late')
    elements.push({ tag, content: bytes.subarray(start, start + length) })
    at = start + length
  }
  return elements
}

function readLength(bytes: Uint8Array, at: number): { readonly length: number; readonly start: number } {
  const first = byteAt(bytes, at)
  if (first < LONG_LENGTH) return { length: first, start: at + 1 }
  const count = first - LONG_LENGTH
  if (count === 0 || count > MOST_LENGTH_BYTES) throw new RangeError('a length that is not DER')
  let length = 0
  for (let place = at + 1; place <= at + count; place++) length = length * 256 + byteAt(bytes, place)
  const isShortest = length >= LONG_LENGTH && length >= 256 ** (count - 1)
  if (!isShortest) throw new RangeError('a length that could be shorter')
  return { length, start: at + 1 + count }
}

function byteAt(bytes: Uint8Array, at: number): number {
  const byte = bytes[at]
  if (byte === undefined) throw new RangeError('it ends too early')
  return byte
}
