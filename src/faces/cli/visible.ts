import type { JsonValue } from '#base/json.ts'

/**
 * What a terminal obeys, does not draw, or draws in another order (UAX #9): controls, those of C1 too, which some take for
 * commands as they take ESC, marks of format, and letters and spaces that are drawn as a gap. Names come from callers, and
 * people decide by what they read.
 */
const HIDDEN = String.raw`(?! )[\p{Cc}\p{Cf}\p{Cs}\p{Z}\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0]`
/** Line breaks, and what `painter` writes: from anybody else it could only colour. */
const DRAWN = String.raw`\n|\t|\u001b\[(?:0|1|2|31|32|33)m`
const IN_TEXT = new RegExp(`(?!${DRAWN})${HIDDEN}`, 'gu')
const IN_JSON = new RegExp(HIDDEN, 'gu')

/** A text for people, in which all that they would not see stands as `\u{9b}`. */
export function visibleText(text: string): string {
  return text.replaceAll(IN_TEXT, (hidden) => `\\u{${hidden.codePointAt(0)?.toString(16)}}`)
}

/**
 * A value that stands in a line of ours, in which it cannot begin a line of its own: not by a line break, and not by so many
 * spaces that what follows them stands where the next line would.
 */
export function visibleValue(text: string): string {
  return visibleText(text).replaceAll(BREAKING, (unit) => `\\u{${unit.charCodeAt(0).toString(16)}}`)
}

const BREAKING = /[\n\t]| (?= )/g

/** JSON that says the same to programs, and hides nothing from people. */
export function visibleJson(value: JsonValue): string {
  return JSON.stringify(value).replaceAll(IN_JSON, (hidden) =>
    Array.from({ length: hidden.length }, (_, at) => escaped(hidden.charCodeAt(at))).join(''),
  )
}

function escaped(unit: number): string {
  return `\\u${unit.toString(16).padStart(4, '0')}`
}
