import { beginsAnsi, LAST_ANSI } from './ansi.ts'
import type { Range } from './ranges.ts'
import { GENERAL_MARKS, MARKS } from './scripts.ts'

/** What a UTF-16 code unit may be the beginning of, where it stands without need. */
export const HIDING = {
  plain: 0,
  control: 1,
  ansi: 2,
  zeroWidth: 3,
  directionMark: 4,
  direction: 5,
  selector: 6,
  operator: 7,
  filler: 8,
  privateUse: 9,
  /** High surrogate of the planes of tags and selectors, of private use, and of a few signs that group notes. */
  astral: 10,
  mark: 11,
  generalMark: 12,
} as const

/** One of `HIDING`; `plain` behind the end of a text. */
export function hidingAt(text: string, at: number): number {
  return KINDS[text.charCodeAt(at)] ?? HIDING.plain
}

/** Vietnamese and phonetic writing put up to three on a letter. */
export const MOST_GENERAL_MARKS = 4

/** The form feed is white space. */
const RANGES: readonly (readonly [kind: number, ranges: readonly Range[]])[] = [
  [
    HIDING.control,
    [
      [0x00, 0x08],
      [0x0b, 0x0b],
      [0x0e, 0x1f],
      [0x7f, 0x9f],
      [0xfff0, 0xfffb],
    ],
  ],
  [
    HIDING.zeroWidth,
    [
      [0xad, 0xad],
      [0x34f, 0x34f],
      [0x180e, 0x180e],
      [0x200b, 0x200d],
      [0x2060, 0x2060],
      [0xfeff, 0xfeff],
    ],
  ],
  [
    HIDING.directionMark,
    [
      [0x61c, 0x61c],
      [0x200e, 0x200f],
    ],
  ],
  [
    HIDING.direction,
    [
      [0x202a, 0x202e],
      [0x2066, 0x2069],
    ],
  ],
  [
    HIDING.selector,
    [
      [0x180b, 0x180d],
      [0x180f, 0x180f],
      [0xfe00, 0xfe0f],
    ],
  ],
  [
    HIDING.operator,
    [
      [0x2061, 0x2065],
      [0x206a, 0x206f],
    ],
  ],
  [
    HIDING.filler,
    [
      [0x115f, 0x1160],
      [0x17b4, 0x17b5],
      [0x3164, 0x3164],
      [0xffa0, 0xffa0],
    ],
  ],
  [HIDING.privateUse, [[0xe000, 0xf8ff]]],
  [
    HIDING.astral,
    [
      [0xd82f, 0xd82f],
      [0xd834, 0xd834],
      [0xdb40, 0xdb43],
      [0xdb80, 0xdbff],
    ],
  ],
]

const KINDS = new Uint8Array(0x10000)
// Of a character that is in two ranges, the last counts.
for (const [kind, ranges] of [
  [HIDING.mark, MARKS] as const,
  [HIDING.generalMark, GENERAL_MARKS] as const,
  ...RANGES,
]) {
  for (const [first, last] of ranges) KINDS.fill(kind, first, last + 1)
}
for (let code = 0; code <= LAST_ANSI; code++) if (beginsAnsi(code)) KINDS[code] = HIDING.ansi

/**
 * Stands in every text with something hidden in it: a character of these kinds, or more marks in a row than a letter mostly
 * has. The engine looks for it in half the time that a loop takes.
 */
export const HIDING_FORM = new RegExp(
  `[${classOf(RANGES.flatMap(([, ranges]) => ranges))}]|[${classOf(MARKS)}]{${MOST_GENERAL_MARKS + 1}}`,
)

/** What stands between the brackets of a character class. */
function classOf(ranges: readonly Range[]): string {
  return ranges.map(([first, last]) => `${escaped(first)}-${escaped(last)}`).join('')
}

function escaped(code: number): string {
  return `\\u${code.toString(16).padStart(4, '0')}`
}
