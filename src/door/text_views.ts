import { ALPHANUMERIC, BASE64, BASE64URL, CLASS, classAt, endOfRun } from '#base/random_text.ts'

/** A text as a reader further on may see it, with the way back to the places of the text that was sent. */
export interface View {
  readonly text: string
  /** The stretch of the original text that `start` to `end` of this view stands for. */
  readonly original: (start: number, end: number) => readonly [start: number, end: number]
}

/**
 * The other views of a text that detectors look at besides the text itself; most texts have none.
 *
 * One view without invisible characters and with one level of `\uXXXX`, `\xXX`, `\n`, `\/` and `%XX` undone; one for each
 * long run of base 64, decoded. Not covered: deeper or mixed encodings, base 64 broken into lines, hexadecimal, HTML
 * entities, letters replaced by look-alikes, and a credential spread over several strings.
 */
export function viewsOf(text: string): readonly View[] {
  const undone = hasDisguise(text) ? undo(text) : undefined
  const decoded = decodedRuns(text)
  return undone === undefined ? decoded : [undone, ...decoded]
}

/**
 * Format characters, fillers and joiners that show nothing (Unicode category Cf and kin), variation selectors and tags.
 * On a text of Latin-1 only, the engine sees that no range can match and does not look at the text at all.
 */
const INVISIBLE =
  '[\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u200b-\\u200f\\u202a-\\u202e\\u2060-\\u206f\\u3164' +
  '\\ufe00-\\ufe0f\\ufeff\\uffa0\\ufff9-\\ufffb]|\\udb40[\\udc00-\\udfff]'
const HAS_INVISIBLE = new RegExp(INVISIBLE)
const SOFT_HYPHEN = '\u00ad'
const HAS_ESCAPE = /\\[ux/nrtbf]/
const HAS_PERCENT = /%[0-9a-fA-F]{2}/
/** Up to four backslashes: JSON inside JSON doubles them. */
const DISGUISE = new RegExp(
  `\\\\{1,4}(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|([/nrtbf]))|%([0-9a-fA-F]{2})|${SOFT_HYPHEN}|${INVISIBLE}`,
  'g',
)

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '/': '/',
  n: '\n',
  r: '\r',
  t: '\t',
  b: '\b',
  f: '\f',
}

function hasDisguise(text: string): boolean {
  if (text.includes(SOFT_HYPHEN) || HAS_INVISIBLE.test(text)) return true
  if (text.includes('\\') && HAS_ESCAPE.test(text)) return true
  return text.includes('%') && HAS_PERCENT.test(text)
}

/** A stretch that is the same in both texts, or one character that stands for a longer original. */
interface Piece {
  readonly at: number
  readonly original: number
  readonly originalLength: number
  readonly isKept: boolean
}

function undo(text: string): View {
  const pieces: Piece[] = []
  let view = ''
  let from = 0
  const keep = (to: number): void => {
    if (to > from) pieces.push({ at: view.length, original: from, originalLength: to - from, isKept: true })
    view += text.slice(from, to)
  }
  for (const match of text.matchAll(DISGUISE)) {
    keep(match.index)
    const [whole, unicode, byte, letter, percent] = match
    const hex = unicode ?? byte ?? percent
    const shown =
      hex === undefined ? (SHORT_ESCAPES[letter ?? ''] ?? '') : String.fromCharCode(Number.parseInt(hex, 16))
    if (shown !== '') {
      pieces.push({
        at: view.length,
        original: match.index,
        originalLength: whole.length,
        isKept: false,
      })
    }
    view += shown
    from = match.index + whole.length
  }
  keep(text.length)
  const original = (start: number, end: number): readonly [number, number] => [
    originalOf(pieces, start)[0],
    originalOf(pieces, end - 1)[1],
  ]
  return { text: view, original }
}

/** The stretch of the original that one character of the view stands for. */
function originalOf(pieces: readonly Piece[], at: number): readonly [start: number, end: number] {
  let low = 0
  let high = pieces.length - 1
  while (low < high) {
    const middle = (low + high + 1) >> 1
    if ((pieces[middle]?.at ?? 0) <= at) low = middle
    else high = middle - 1
  }
  const piece = pieces[low]
  if (piece === undefined) return [0, 0]
  if (!piece.isKept) return [piece.original, piece.original + piece.originalLength]
  const start = piece.original + at - piece.at
  return [start, start + 1]
}

/** 24 bytes: shorter ones hold no credential of a known form. */
const LEAST_RUN = 32
/** A longer run is an image or a file; its beginning is looked at. */
const MOST_DECODED = 65_536
const RUN = BASE64 | BASE64URL
const LETTERS = ALPHANUMERIC

function decodedRuns(text: string): readonly View[] {
  const views: View[] = []
  // A run of this length covers one of these places; between them nothing needs to be read.
  let place = LEAST_RUN - 1
  while (place < text.length) {
    if ((classAt(text, place) & RUN) === 0) {
      place += LEAST_RUN
      continue
    }
    let start = place
    while ((classAt(text, start - 1) & RUN) !== 0) start -= 1
    const end = endOfLongRun(text, place)
    if (end - start >= LEAST_RUN) views.push(decodedRun(text, start, end))
    place = end + LEAST_RUN
  }
  return views
}

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

function decodedRun(text: string, runStart: number, runEnd: number): View {
  let start = runStart
  // A path or a rule of dashes in front would shift the groups of four.
  while (start < runEnd && (classAt(text, start) & LETTERS) === 0) start += 1
  const encoded = text.slice(start, Math.min(runEnd, start + MOST_DECODED))
  const end = endOfRun(text, runEnd, CLASS.equals)
  return { text: Buffer.from(encoded, 'base64').toString('latin1'), original: () => [start, end] }
}
