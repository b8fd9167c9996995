const QUOTE = 0x22
const PERCENT = 0x25
const SLASH = 0x2f
const BACKSLASH = 0x5c
const LOWER_U = 0x75
const ASCII_END = 0x80

/**
 * UTF-8 bytes with `\uXXXX`, `\/`, `\"` and `%XX` undone, however many backslashes stand in front: JSON inside JSON
 * doubles them. Undefined when there is nothing to undo. For searching only: other escapes stay as they are.
 */
export function undoEscapes(bytes: Buffer): Buffer | undefined {
  const first = firstEscape(bytes)
  if (first < 0) return undefined
  const undone = Buffer.allocUnsafe(bytes.length)
  let to = bytes.copy(undone, 0, 0, first)
  let at = first
  while (at < bytes.length) {
    const byte = bytes[at] ?? 0
    at += 1
    if (byte === BACKSLASH) {
      while (bytes[at] === BACKSLASH) at += 1
      const next = bytes[at] ?? 0
      const code = next === LOWER_U ? hexAt(bytes, at + 1, 4) : -1
      if (code >= 0) {
        to += writeCode(undone, to, code)
        at += 5
      } else if (next === SLASH || next === QUOTE) {
        undone[to++] = next
        at += 1
      } else undone[to++] = byte
    } else {
      const code = byte === PERCENT ? hexAt(bytes, at, 2) : -1
      if (code >= 0) at += 2
      undone[to++] = code >= 0 ? code : byte
    }
  }
  return to < bytes.length ? undone.subarray(0, to) : undefined
}

/** Most escapes of what need not be escaped are ASCII. Gives the number of bytes, never more than the escape had. */
function writeCode(bytes: Buffer, at: number, code: number): number {
  if (code >= ASCII_END) return bytes.write(String.fromCharCode(code), at)
  bytes[at] = code
  return 1
}

function firstEscape(bytes: Buffer): number {
  const backslash = bytes.indexOf(BACKSLASH)
  const percent = bytes.indexOf(PERCENT)
  return backslash < 0 || (percent >= 0 && percent < backslash) ? percent : backslash
}

/** The number that so many hexadecimal digits stand for; -1 when one of them is none. */
function hexAt(bytes: Buffer, at: number, digits: number): number {
  let value = 0
  for (let index = at; index < at + digits; index += 1) {
    const digit = HEX_DIGITS[bytes[index] ?? 0] ?? -1
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}

const HEX_DIGITS = Int8Array.from({ length: 256 }, (_, byte) => {
  const letter = String.fromCharCode(byte)
  return /[0-9a-fA-F]/.test(letter) ? Number.parseInt(letter, 16) : -1
})
