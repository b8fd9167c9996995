/** Code units of UTF-16 from first to last. */
export type Units = readonly (readonly [first: number, last: number])[]

/**
 * The beginnings of texts, in a small language of regular expressions. There is nothing in it that an automaton without
 * memory cannot follow; what needs one (a pair of marker lines, say) is for whoever drives the automaton.
 */
export type Pattern =
  | { readonly form: 'one'; readonly units: Units }
  | { readonly form: 'sequence' | 'either'; readonly parts: readonly Pattern[] }
  | { readonly form: 'repeat'; readonly part: Pattern; readonly least: number; readonly most: number }
  | { readonly form: 'mark'; readonly part: Pattern; readonly mark: number }
  | { readonly form: 'accept'; readonly part: Pattern; readonly mark: number }

/** One code unit out of some. */
export function one(...units: readonly Units[]): Pattern {
  const [only] = units
  return { form: 'one', units: units.length === 1 && only !== undefined ? only : units.flat() }
}

/** These units, written as characters that are members, with `-` between the ends of a range as in `a-z`; a last `-` is itself. */
export function unitsOf(members: string): Units {
  const units: [number, number][] = []
  for (let at = 0; at < members.length; at++) {
    const first = members.charCodeAt(at)
    const isRange = members[at + 1] === '-' && at + 2 < members.length
    units.push([first, isRange ? members.charCodeAt(at + 2) : first])
    if (isRange) at += 2
  }
  return units
}

/** All code units but these. */
export function unitsBeside(units: Units): Units {
  const beside: [number, number][] = []
  let from = 0
  for (const [first, last] of units.toSorted((left, right) => left[0] - right[0])) {
    if (first > from) beside.push([from, first - 1])
    from = Math.max(from, last + 1)
  }
  if (from <= LAST_UNIT) beside.push([from, LAST_UNIT])
  return beside
}

export const LAST_UNIT = 0xffff

/** These characters, one after the other. */
export function literal(text: string): Pattern {
  return sequence(...units(text).map((code) => one([[code, code]])))
}

/** The same in upper and lower case of ASCII. */
export function anyCase(text: string): Pattern {
  const cases = (letter: string): Pattern => one(unitsOf(letter.toLowerCase()), unitsOf(letter.toUpperCase()))
  return sequence(...Array.from(text, cases))
}

function units(text: string): readonly number[] {
  return Array.from({ length: text.length }, (_, at) => text.charCodeAt(at))
}

export function sequence(...parts: readonly Pattern[]): Pattern {
  return { form: 'sequence', parts }
}

export function either(...parts: readonly Pattern[]): Pattern {
  return { form: 'either', parts }
}

/** From `least` to `most` times. Each time that is bounded costs the automaton a copy of the part. */
export function repeat(part: Pattern, least = 0, most = Infinity): Pattern {
  return { form: 'repeat', part, least, most }
}

export function optional(part: Pattern): Pattern {
  return repeat(part, 0, 1)
}

/** What is live inside this part is so as `mark`, a set of bits; the outermost mark counts. */
export function marked(mark: number, part: Pattern): Pattern {
  return { form: 'mark', part, mark }
}

/** Gives the bits of `mark` at the last character of this part. */
export function accepted(mark: number, part: Pattern): Pattern {
  return { form: 'accept', part, mark }
}
