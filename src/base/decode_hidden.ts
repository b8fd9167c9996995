/** What is kept of a hidden text: enough to see what it says. */
export const DECODED_CHARACTERS = 1_024

/**
 * What the characters that show nothing in a text say, for people to read: tags as the letters they stand for, selectors as
 * bytes of UTF-8, two kinds of characters without width as the bits of bytes, and the text inside control sequences of
 * terminals. Each reading stands on a line of its own; bytes that are no text are given as hexadecimal digits. At most 1,024
 * characters; empty when nothing is hidden in a way that is known. What stands in its place lawfully, such as the flag of
 * Scotland, says something too: give it findings.
 */
export function decodeHidden(text: string): string {
  const readings = [tagsOf(text), selectorsOf(text), bitsOf(text), stringsOf(text)]
  const said = readings.filter((reading) => reading !== '').join('\n')
  return said.slice(0, DECODED_CHARACTERS).toWellFormed()
}

/** Bytes or letters read of one text; bits take eight places each. */
const MOST_PLACES = 8 * DECODED_CHARACTERS

function tagsOf(text: string): string {
  return matches(text, /[\u{e0020}-\u{e007e}]+/gu)
    .map((run) => String.fromCodePoint(...Array.from(run, (tag) => (tag.codePointAt(0) ?? 0) - 0xe0000)))
    .join(' ')
}

/** The sixteen of the first plane are the bytes 0 to 15, the others go on from there. Those that only choose a style say nothing. */
function selectorsOf(text: string): string {
  const selectors = matches(text, /[\ufe00-\ufe0d\u{e0100}-\u{e01ef}]|[\ufe0e\ufe0f]{2,}/gu).join('')
  return shown(
    Array.from(selectors, (selector) => {
      const point = selector.codePointAt(0) ?? 0
      return point > 0xffff ? point - 0xe0100 + 16 : point - 0xfe00
    }),
  )
}

const NO_WIDTH = /[\u200b-\u200d\u2060-\u2064\ufeff]/g
const BITS = 8

/** Two kinds are zero and one, either way round; what reads as text either way is right. */
function bitsOf(text: string): string {
  const characters = matches(text, NO_WIDTH).join('').slice(0, MOST_PLACES)
  const [zero, one, ...others] = new Set(characters)
  if (zero === undefined || one === undefined || others.length > 0 || characters.length < BITS) return ''
  const readings = [one, zero].map((set) => {
    const bytes: number[] = []
    for (let at = 0; at + BITS <= characters.length; at += BITS)
      bytes.push(
        Array.from(characters.slice(at, at + BITS)).reduce((sum, bit) => 2 * sum + Number(bit === set), 0),
      )
    return bytes
  })
  return readings.map((bytes) => readable(bytes)).find((reading) => reading !== undefined) ?? ''
}

/** Of OSC and its kin: the link that stands behind a word, what goes to the clipboard. */
function stringsOf(text: string): string {
  return matches(text, /(?<=\p{Cc}[PX\]^_]|[\u0090\u0098\u009d-\u009f])\P{Cc}{1,512}/gu).join(' ')
}

function shown(bytes: readonly number[]): string {
  if (bytes.length === 0) return ''
  return readable(bytes) ?? Buffer.from(bytes).toString('hex')
}

function readable(bytes: readonly number[]): string | undefined {
  const text = Buffer.from(bytes).toString()
  return /^[^\p{C}\ufffd]+$/u.test(text) ? text : undefined
}

/** Stops early: nobody reads on. */
function matches(text: string, form: RegExp): readonly string[] {
  const found: string[] = []
  let places = 0
  for (const [match] of text.matchAll(form)) {
    found.push(match.slice(0, 2 * DECODED_CHARACTERS))
    places += match.length
    if (places > 2 * MOST_PLACES) break
  }
  return found
}
