import { BASE64, BASE64URL, CLASS, classAt, endOfRun } from '#base/random_text.ts'

/** 24 bytes: shorter ones hold no credential of a known form. */
export const LEAST_RUN = 32

/** A long run of base 64, with what it may say. */
export interface EncodedRun {
  readonly start: number
  /** Padding included. */
  readonly end: number
  /** What reads as text, decoded from each of the four places where the encoding may begin. */
  readonly readings: readonly string[]
}

/**
 * The runs of base 64 in a text that decode to readable text, of one byte per character or two (UTF-16). Bytes of images and
 * the like are passed over.
 */
export function encodedRuns(text: string): readonly EncodedRun[] {
  const runs: EncodedRun[] = []
  let scratch: Buffer | undefined
  // A run of this length covers one of these places; between them nothing needs to be read.
  let place = LEAST_RUN - 1
  while (place < text.length) {
    if ((classAt(text, place) & RUN) === 0) {
      place += LEAST_RUN
      continue
    }
    const start = startOfRun(text, place)
    const end = endOfLongRun(text, place)
    if (end - start >= LEAST_RUN) {
      scratch ??= Buffer.allocUnsafe(text.length)
      const readings = readingsOf(text.slice(start, end), scratch)
      if (readings.length > 0) runs.push({ start, end: endOfRun(text, end, CLASS.equals), readings })
    }
    place = end + LEAST_RUN
  }
  return runs
}

/** The whole run that one place of a text belongs to, with its padding. */
export function runAround(text: string, place: number): { readonly start: number; readonly end: number } {
  return { start: startOfRun(text, place), end: endOfRun(text, endOfLongRun(text, place), CLASS.equals) }
}

function startOfRun(text: string, place: number): number {
  let start = place
  while ((classAt(text, start - 1) & RUN) !== 0) start -= 1
  return start
}

const RUN = BASE64 | BASE64URL
const RUN_END = /[^\w+/-]/g

/** Most runs are words and end at once; for megabytes of base 64 the engine's own search is several times as fast. */
function endOfLongRun(text: string, from: number): number {
  const soon = from + LEAST_RUN
  let end = from
  while (end < soon && (classAt(text, end) & RUN) !== 0) end += 1
  if (end < soon) return end
  RUN_END.lastIndex = end
  return RUN_END.test(text) ? RUN_END.lastIndex - 1 : text.length
}

/** Letters in front, a path for example, shift the groups of four. */
const OFFSETS = [0, 1, 2, 3]

function readingsOf(run: string, scratch: Buffer): readonly string[] {
  const readings: string[] = []
  for (const offset of OFFSETS) {
    const length = scratch.write(run.slice(offset), 0, 'base64')
    if (!isReadable(scratch, length)) continue
    readings.push(scratch.toString('latin1', 0, withoutZeros(scratch, length)))
  }
  return readings
}

/** Every second byte of the ASCII part of UTF-16 is zero. Gives the number of bytes that are left. */
function withoutZeros(bytes: Uint8Array, length: number): number {
  let left = bytes.subarray(0, length).indexOf(0)
  if (left < 0) return length
  for (let at = left; at < length; at++) {
    const byte = bytes[at] ?? 0
    if (byte !== 0) bytes[left++] = byte
  }
  return left
}

/** Of random bytes, one place in four million begins this many readable ones. */
const LEAST_READABLE = 16
const READABLE = new Uint8Array(256).fill(1, 0x20, 0x7f)
for (const code of [0x00, 0x09, 0x0a, 0x0d]) READABLE[code] = 1

function isReadable(bytes: Uint8Array, length: number): boolean {
  let place = LEAST_READABLE - 1
  while (place < length) {
    let before = place
    while (before >= 0 && READABLE[bytes[before] ?? 0] === 1) before -= 1
    let end = place
    while (end < length && READABLE[bytes[end] ?? 0] === 1) end += 1
    if (end - before > LEAST_READABLE) return true
    place = end + LEAST_READABLE
  }
  return false
}
