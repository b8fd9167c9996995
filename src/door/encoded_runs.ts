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
    const reading = readableIn(scratch.subarray(0, length))
    if (reading !== '') readings.push(reading)
  }
  return readings
}

/** Of random bytes, one place in four million begins this many readable ones. */
const LEAST_READABLE = 16
const READABLE = new Uint8Array(256).fill(1, 0x20, 0x7f)
for (const code of [0x00, 0x09, 0x0a, 0x0d]) READABLE[code] = 1

/**
 * What reads as text, without what stands between: an image has its notes in it, and among megabytes of random bytes stand
 * some that would pass for an address.
 */
function readableIn(bytes: Buffer): string {
  const texts: string[] = []
  let place = LEAST_READABLE - 1
  while (place < bytes.length) {
    let start = place
    while (start > 0 && READABLE[bytes[start - 1] ?? 0] === 1) start -= 1
    let end = place
    while (end < bytes.length && READABLE[bytes[end] ?? 0] === 1) end += 1
    if (end - start >= LEAST_READABLE) texts.push(withoutZeros(bytes.subarray(start, end)))
    place = end + LEAST_READABLE
  }
  return texts.join(BETWEEN)
}

/** Parts two texts for every detector. */
const BETWEEN = '\n\n'

/** Every second byte of the ASCII part of UTF-16 is zero. */
function withoutZeros(text: Buffer): string {
  return text.toString('latin1').replaceAll('\0', '')
}
