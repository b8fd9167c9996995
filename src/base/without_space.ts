const SPACE = 0x20
const COLON = 0x3a
const BACKSLASH = 0x5c
const LOWER_N = 0x6e
const LOWER_R = 0x72
const LOWER_T = 0x74

/**
 * The bytes without white space, also where it is written `\n`, `\r` or `\t`, and without colons: what base 64 is broken
 * into lines with, and what parts the digits of a dump. Backslashes in a
 * row become one. For searching only.
 */
export function withoutSpace(bytes: Buffer): Buffer {
  const kept = Buffer.allocUnsafe(bytes.length)
  let to = 0
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte <= SPACE || byte === COLON) continue
    if (byte === BACKSLASH) {
      while (bytes[at + 1] === BACKSLASH) at += 1
      if (isEscapedSpace(bytes[at + 1])) {
        at += 1
        continue
      }
    }
    kept[to++] = byte
  }
  return kept.subarray(0, to)
}

function isEscapedSpace(letter: number | undefined): boolean {
  return letter === LOWER_N || letter === LOWER_R || letter === LOWER_T
}
