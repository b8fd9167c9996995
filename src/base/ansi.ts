const ESCAPE = 0x1b
/** A control of one character says the same as an escape and the letter so far before it (ECMA-48 section 5.3). */
const CONTROL_OFFSET = 0x40
/** CSI, by its letter. */
const CONTROL_SEQUENCE = 0x5b
/** DCS, SOS, OSC, PM and APC: all have a text inside. */
const STRINGS: ReadonlySet<number> = new Set([0x50, 0x58, 0x5d, 0x5e, 0x5f])
const BELL = 0x07
const STRING_TERMINATOR = 0x9c
const BACKSLASH = 0x5c
/** Longer sequences no terminal takes. */
const MOST_PARAMETERS = 64
const MOST_STRING = 512

/** The last character for which `beginsAnsi` may hold. */
export const LAST_ANSI = 0x9f

/** True for a character with which a control sequence of a terminal begins. */
export function beginsAnsi(code: number): boolean {
  const letter = code - CONTROL_OFFSET
  return code === ESCAPE || letter === CONTROL_SEQUENCE || STRINGS.has(letter)
}

/**
 * Where the sequence that begins at a place ends (ECMA-48 sections 5.4 to 5.6). Of one behind an escape that is broken off
 * this is what a terminal may take for it; of a text inside that does not end, or is longer than 512 characters, only what
 * opens it: without that, the rest is plain text. One that begins with a control of one character has to be whole, since
 * text in a wrong encoding has such controls too; otherwise -1.
 */
export function endOfAnsi(text: string, start: number): number {
  const code = text.charCodeAt(start)
  if (code !== ESCAPE) return endOfWhole(text, start + 1, code - CONTROL_OFFSET)
  const letter = text.charCodeAt(start + 1)
  const opened = start + 2
  if (letter === CONTROL_SEQUENCE) return endOfSequence(text, opened)
  return STRINGS.has(letter) ? Math.max(opened, endOfString(text, opened)) : endOfEscape(text, start + 1)
}

function endOfWhole(text: string, opened: number, letter: number): number {
  if (letter !== CONTROL_SEQUENCE) return endOfString(text, opened)
  const end = endOfSequence(text, opened)
  const isWhole = end > opened + 1 && isBetween(text.charCodeAt(end - 1), 0x40, 0x7e)
  return isWhole ? end : -1
}

function endOfSequence(text: string, from: number): number {
  const furthest = from + MOST_PARAMETERS
  let end = from
  while (end < furthest && isBetween(text.charCodeAt(end), 0x20, 0x3f)) end += 1
  return isBetween(text.charCodeAt(end), 0x40, 0x7e) ? end + 1 : end
}

/** -1 for one without an end. */
function endOfString(text: string, from: number): number {
  const furthest = from + MOST_STRING
  let end = from
  while (end < furthest && isText(text.charCodeAt(end))) end += 1
  const code = text.charCodeAt(end)
  if (code === BELL || code === STRING_TERMINATOR) return end + 1
  return code === ESCAPE && text.charCodeAt(end + 1) === BACKSLASH ? end + 2 : -1
}

function endOfEscape(text: string, from: number): number {
  const furthest = from + MOST_PARAMETERS
  let end = from
  while (end < furthest && isBetween(text.charCodeAt(end), 0x20, 0x2f)) end += 1
  // A letter behind an escape and spaces is more often a word.
  if (!isBetween(text.charCodeAt(end), 0x30, 0x7e)) return from
  return end + 1
}

function isBetween(code: number, first: number, last: number): boolean {
  return code >= first && code <= last
}

/** Not a control, and not the end of the text. */
function isText(code: number): boolean {
  return code >= 0x20 && !isBetween(code, 0x7f, 0x9f)
}
