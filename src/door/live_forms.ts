import {
  accepted,
  anyCase,
  either,
  LAST_UNIT,
  literal,
  marked,
  one,
  optional,
  repeat,
  sequence,
  unitsBeside,
  unitsOf,
  type Pattern,
  type Units,
} from './pattern.ts'

/** What a text may become part of, as bits. It is held back for as long as there are any. */
export const LIVE = {
  /** A run of the characters that tokens and base 64 are made of: held to `LIMITS.heldRun`. */
  run: 1,
  /** Something whose detector itself looks no farther than `LIMITS.heldSpan`. */
  span: 2,
  /** Something that is never longer than `LIMITS.heldShort`, though the next may begin before it ends. */
  short: 4,
  /** Part of something secret, and nothing else looks like it: held to `LIMITS.heldStrict`. */
  strict: 8,
  /** The same, but often longer: held to `LIMITS.heldRun`. */
  long: 16,
  /** Not live themselves: the marker lines of a private key. */
  keyBegins: 32,
  keyEnds: 64,
  /** Not live itself: a word or an id that tells what a run farther right is. */
  tells: 512,
  /** The beginning of an escape, or half a pair of surrogates. */
  kept: 128,
  /** Not live itself: nothing reaches over the place before the last few characters, see `LiveText`. */
  fresh: 256,
} as const

/** Beginnings of what a detector finds, and why they are told this way. */
export interface LiveForm {
  /** The ids of the detectors that need it. */
  readonly detectors: readonly string[]
  readonly why: string
  readonly pattern: Pattern
}

const DIGITS = unitsOf('0-9')
const LETTERS_AND_DIGITS = unitsOf('A-Za-z0-9')
const BASE64URL = unitsOf('A-Za-z0-9_-')
/** All that tokens, keys and base 64 are made of. */
export const RUN_UNITS: Units = unitsOf('A-Za-z0-9+/=_.~-')
export const HIGH_SURROGATES: Units = [[0xd800, 0xdbff]]
export const LOW_SURROGATES: Units = [[0xdc00, 0xdfff]]
const SPACE: Units = [
  [0x20, 0x20],
  [0x09, 0x09],
]
const WHITE: Units = [
  [0x09, 0x0d],
  [0x20, 0x20],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
]
/** What the part of an address before its sign is made of, see `base/email_address.ts`. */
const LOCAL: Units = [...unitsOf("A-Za-z0-9_.%+'~!$*-"), ...unitsIn(/[\p{L}\p{M}\p{N}]+/gu, 0x80)]
const DOMAIN: Units = [...LOCAL, ...unitsOf('-.')]
/** Pairs of surrogates that may be letters or digits: all planes but that of emoji, of which only numbers count. */
const LETTER_PAIR = either(
  sequence(one([[0xd800, 0xd83b]], [[0xd840, 0xd888]]), one(LOW_SURROGATES)),
  sequence(one([[0xd83c, 0xd83c]]), one([[0xdd00, 0xdd0c]])),
  sequence(one([[0xd83e, 0xd83e]]), one([[0xdff0, 0xdff9]])),
)
/** Between the groups of a number, see `base/payment_card.ts`. */
const ACCOUNT_SPACE = unitsOf(' \u00a0')
const SEPARATORS = unitsOf(' \u00a0\u202f\u2010\u2011-')
const AUTHORITY_END: Units = [...unitsOf('/?#')]
const URL_END: Units = [...WHITE, ...unitsOf('"\'<>\\`')]
/** A user name is written in ASCII, or the text that follows an address in a script without spaces would be one. */
const USER = unitsBeside([...URL_END, ...AUTHORITY_END, ...unitsOf(':'), [0x80, LAST_UNIT]])
const PASSWORD = unitsBeside(URL_END)
const PASSWORD_FIRST = unitsBeside([...URL_END, ...AUTHORITY_END, ...DIGITS])
const PRIVATE_USE: Units = [[0xe000, 0xf8ff]]
/** The high surrogates of tags and selectors, private use, and signs that group notes and strokes. */
const HIDDEN_HIGH: Units = [
  [0xd82f, 0xd82f],
  [0xd834, 0xd834],
  [0xdb40, 0xdb43],
  [0xdb80, 0xdbff],
]
const ESCAPE: Units = [[0x1b, 0x1b]]
const HIGH_CONTROLS: Units = [[0x80, 0x9f]]
const CONTROLS: Units = [[0x00, 0x1f], [0x7f, 0x7f], ...HIGH_CONTROLS]
/** Parameters and intermediate characters of a command. */
const PARAMETERS: Units = [[0x20, 0x3f]]
const ANY = one([[0, LAST_UNIT]])
/** As in `invisible.ts`; those of other planes are pairs of surrogates. */
export const INVISIBLE: Units = unitsIn(/[[\p{Cf}\p{Cc}\p{Default_Ignorable_Code_Point}]--[\t\n\r]]+/gv)
const MARKS: Units = unitsIn(/\p{M}+/gu, 0x80)

/** The units that a form for runs of characters takes: a text of all of them shows its runs. */
function unitsIn(form: RegExp, from = 0): Units {
  return [[from, 0xd7ff] as const, [0xe000, LAST_UNIT] as const].flatMap(([first, last]) => {
    const all = Buffer.from(Uint16Array.from({ length: last - first + 1 }, (_, at) => first + at).buffer)
    return Array.from(
      all.toString('utf16le').matchAll(form),
      ({ index, 0: run }) => [first + index, first + index + run.length - 1] as const,
    )
  })
}

const run = (pattern: Pattern): Pattern => marked(LIVE.run, pattern)
const strict = (pattern: Pattern): Pattern => marked(LIVE.strict, pattern)
const span = (pattern: Pattern): Pattern => marked(LIVE.span, pattern)
const short = (pattern: Pattern): Pattern => marked(LIVE.short, pattern)

/** The shortest run that something to the left of it tells. */
export const LEAST_TOLD = 20

/**
 * Everything that some detector could find begins like one of these, and is live up to its last character but one. What
 * stands farther left and tells what a run is (`Bearer`, the id beside an AWS secret) is seen when the run is looked at, and
 * need not be held. Escapes and invisible characters are undone before these are asked.
 */
export const LIVE_FORMS: readonly LiveForm[] = [
  {
    detectors: ['credential', 'token', 'pem'],
    why: 'Every token, key and run of base 64 is one such run; what follows tells how long it is.',
    pattern: run(repeat(one(RUN_UNITS), 1)),
  },
  {
    detectors: ['credential'],
    why: 'The password of Basic credentials may be so short that only the word before it tells.',
    pattern: sequence(run(one(unitsOf('Bb'))), run(literal('asic')), strict(repeat(one(SPACE), 1))),
  },
  {
    detectors: ['credential'],
    why: 'What stands in a URL is a password only when the sign before the host has come.',
    pattern: sequence(
      run(sequence(one(LETTERS_AND_DIGITS), literal('://'))),
      strict(
        sequence(
          repeat(one(USER)),
          literal(':'),
          repeat(one(DIGITS)),
          optional(sequence(one(PASSWORD_FIRST), repeat(one(PASSWORD)))),
        ),
      ),
    ),
  },
  {
    detectors: ['credential'],
    why: 'Whether a web token is one shows at its second dot, and the claims before it are secret too.',
    // Its first letters alone stand in every run of base 64, which would be strict by chance.
    pattern: sequence(
      run(literal('ey')),
      marked(
        LIVE.long,
        sequence(
          literal('J'),
          repeat(one(BASE64URL)),
          optional(sequence(literal('.'), repeat(one(BASE64URL)))),
          optional(sequence(literal('.'), repeat(one(BASE64URL)))),
        ),
      ),
    ),
  },
  {
    detectors: ['pem'],
    why: 'The line before a private key; from there on all is held until the line behind it, see `LiveText`.',
    pattern: accepted(LIVE.keyBegins, keyMarker('-----BEGIN ')),
  },
  {
    detectors: ['pem'],
    why: 'The line behind a private key.',
    pattern: accepted(LIVE.keyEnds, keyMarker('-----END ')),
  },
  {
    detectors: ['credential'],
    why: 'What tells a token of a header, or the secret that belongs to an id of AWS; the run itself is live anyway.',
    pattern: accepted(
      LIVE.tells,
      either(
        anyCase('bearer'),
        either(literal('AKIA'), literal('ASIA')),
        either(literal('ecretAccessKey'), anyCase('ecret_access_key')),
      ),
    ),
  },
  {
    detectors: ['personal'],
    why: 'Any word may be the name before the sign of an address; one of more than 64 characters is none.',
    pattern: sequence(
      short(repeat(either(one(LOCAL), LETTER_PAIR), 1)),
      short(literal('@')),
      strict(repeat(either(one(DOMAIN), LETTER_PAIR))),
    ),
  },
  {
    detectors: ['personal'],
    why: 'The number of a card, in groups; more groups may follow, and the check digit is the last.',
    pattern: short(
      sequence(repeat(one(DIGITS), 1), repeat(sequence(one(SEPARATORS), repeat(one(DIGITS), 1)))),
    ),
  },
  {
    detectors: ['personal'],
    why: 'The number of an account, in groups of four.',
    pattern: short(
      sequence(
        repeat(one(unitsOf('A-Za-z')), 2, 2),
        repeat(one(DIGITS), 2, 2),
        repeat(sequence(one(ACCOUNT_SPACE), repeat(one(LETTERS_AND_DIGITS), 4, 4))),
        optional(sequence(one(ACCOUNT_SPACE), repeat(one(LETTERS_AND_DIGITS), 0, 4))),
      ),
    ),
  },
  {
    detectors: ['hidden'],
    why: 'What may stand alone may not stand in a row, and what follows tells whether it is in its place.',
    pattern: span(
      repeat(either(one(INVISIBLE, MARKS, PRIVATE_USE), sequence(one(HIDDEN_HIGH), one(LOW_SURROGATES))), 1),
    ),
  },
  {
    detectors: ['hidden'],
    why: 'Commands to a terminal: a letter ends them, or a control; two side by side are one finding.',
    pattern: span(
      either(
        sequence(one(ESCAPE, HIGH_CONTROLS), optional(literal('[')), repeat(one(PARAMETERS)), ANY, ANY),
        sequence(
          either(sequence(one(ESCAPE), one(unitsOf('PX]^_'))), one(HIGH_CONTROLS)),
          repeat(one(unitsBeside(CONTROLS))),
          optional(one(ESCAPE)),
          ANY,
          ANY,
        ),
      ),
    ),
  },
  {
    detectors: ['hidden'],
    why: 'A pair of surrogates is one character, for everybody who reads on.',
    pattern: span(sequence(one(HIGH_SURROGATES), one(LOW_SURROGATES))),
  },
]

function keyMarker(dashes: string): Pattern {
  const word = repeat(one(unitsOf('A-Z0-9')), 1)
  return sequence(
    run(literal(dashes.slice(0, 5))),
    strict(literal(dashes.slice(5))),
    strict(repeat(sequence(word, literal(' ')))),
    strict(literal('PRIVATE KEY')),
    optional(strict(literal(' BLOCK'))),
    strict(literal('-----')),
  )
}
