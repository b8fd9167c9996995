import { isWithin, type Range } from './ranges.ts'

/** Traits of the scripts that need characters which show nothing, as bits. */
export const TRAIT = {
  /** Letters take their form from the joiners between them: Arabic and its kin, the scripts of India and around. */
  joining: 1,
  /** Written without spaces, so that a zero-width space says where a line may break. */
  spaceless: 2,
  mongolian: 4,
  hebrew: 8,
  ideograph: 16,
  /** Stands on the letter before it (Unicode: Mark). */
  mark: 32,
  /** Such a mark that belongs to no script. */
  generalMark: 64,
} as const

/** The traits of a code point; 0 outside Unicode. Marks are known in the first plane only. */
export function traitsOf(point: number): number {
  if (isWithin(IDEOGRAPHS, point)) return TRAIT.ideograph
  if (point < 0x10000) return TRAITS[point] ?? 0
  return isWithin(ASTRAL_JOINING, point) ? TRAIT.joining : 0
}

/** The marks that belong to no script. */
export const GENERAL_MARKS: readonly Range[] = [
  [0x300, 0x36f],
  [0x1ab0, 0x1aff],
  [0x1dc0, 0x1dff],
  [0x20d0, 0x20f0],
  [0xfe20, 0xfe2f],
]

const IDEOGRAPHS: readonly Range[] = [
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xf900, 0xfaff],
  [0x20000, 0x3ffff],
]

const RANGES: readonly (readonly [trait: number, ranges: readonly Range[]])[] = [
  [
    TRAIT.joining,
    [
      // Arabic, Syriac, NKo, Mandaic, and Devanagari to Sinhala.
      [0x600, 0x77f],
      [0x7c0, 0x7ff],
      [0x840, 0xdff],
      // Tibetan and Myanmar.
      [0xf00, 0x109f],
      // Tagalog to Mongolian, Limbu to Tai Lue, Tai Tham, Balinese to Lepcha, Vedic signs.
      [0x1700, 0x18af],
      [0x1900, 0x19ff],
      [0x1a00, 0x1aaf],
      [0x1b00, 0x1c4f],
      [0x1cd0, 0x1cff],
      // Syloti Nagri to Myanmar extended, Meetei Mayek, and the presentation forms of Arabic.
      [0xa800, 0xaadf],
      [0xaae0, 0xaaff],
      [0xabc0, 0xabff],
      [0xfb50, 0xfdff],
      [0xfe70, 0xfefc],
    ],
  ],
  [
    TRAIT.spaceless,
    [
      // Thai, Lao, Tibetan, Myanmar, Khmer, Tai Le to Khmer signs, Tai Tham, Balinese, Javanese, Cham to Tai Viet.
      [0xe00, 0x109f],
      [0x1780, 0x17ff],
      [0x1950, 0x19ff],
      [0x1a20, 0x1aaf],
      [0x1b00, 0x1b7f],
      [0xa980, 0xaadf],
    ],
  ],
  [TRAIT.mongolian, [[0x1800, 0x18af]]],
  [
    TRAIT.hebrew,
    [
      [0x591, 0x5f4],
      [0xfb1d, 0xfb4f],
    ],
  ],
  [TRAIT.generalMark, GENERAL_MARKS],
]

/** Adlam, Hanifi Rohingya, Sogdian and their kin, and Brahmi with all that came of it. */
const ASTRAL_JOINING: readonly Range[] = [
  [0x10ac0, 0x10aff],
  [0x10b80, 0x10baf],
  [0x10d00, 0x10d3f],
  [0x10f30, 0x10fdf],
  [0x11000, 0x11fff],
  [0x1e900, 0x1e95f],
]

/** Where there are marks in the first plane; to ask the engine about each of its characters would take long. */
const MARKED: readonly Range[] = [
  [0x300, 0x1fff],
  [0x20d0, 0x20ff],
  [0x2c00, 0x30ff],
  [0xa600, 0xabff],
  [0xfb00, 0xfe2f],
]

/** All marks of the first plane. */
export const MARKS: readonly Range[] = MARKED.flatMap(marksWithin)

function marksWithin([first, last]: Range): readonly Range[] {
  const points = Array.from({ length: last - first + 1 }, (_, at) => first + at)
  const runs = String.fromCharCode(...points).matchAll(/\p{M}+/gu)
  return Array.from(runs, ({ index, 0: run }) => [first + index, first + index + run.length - 1])
}

const TRAITS = new Uint8Array(0x10000)
for (const [trait, ranges] of [...RANGES, [TRAIT.mark, MARKS] as const]) {
  for (const [first, last] of ranges) {
    for (let point = first; point <= last; point++) TRAITS[point] = (TRAITS[point] ?? 0) | trait
  }
}
