import { remainder } from '../../src/base/iban.ts'
import { isLuhn } from '../../src/base/luhn.ts'
import { credential } from '../../src/door/detectors/credential.ts'
import { hidden } from '../../src/door/detectors/hidden.ts'
import { pem } from '../../src/door/detectors/pem.ts'
import { personal } from '../../src/door/detectors/personal.ts'
import { token } from '../../src/door/detectors/token.ts'
import type { Detector } from '../../src/door/detector.ts'
import { fillerOf, jwt, PREFIXED, SURROUNDED, type Fill } from './planted_secrets.ts'

/** A kind of text that may not pass. Values are made at run time; none was ever given out. */
export interface ProtectedValue {
  readonly rule: string
  /** What tells it from other kinds under the same rule. */
  readonly kind: string
  readonly detector: Detector
  /**
   * A text with one such value, and around it what it needs to be found, mostly nothing. `random` gives numbers from 0 to
   * below 1, as `Math.random` does; the same numbers give the same text.
   */
  readonly make: (random: () => number) => string
  /** The part of a text of `make` that may not be seen again: what the detector is to find. */
  readonly secret: (text: string) => string
}

/** A value by its form, with what stands before and behind it. */
type Parts = readonly [before: string, secret: string, after: string]

/** At least one kind for each rule of each detector. Takes microseconds; so does each `make`. */
export function protectedValues(): readonly ProtectedValue[] {
  return [
    ...PREFIXED.map(([kind, rule, form]) => value(token, `credential.${rule}`, kind, () => ['', form, ''])),
    ...SURROUNDED.map(([kind, rule, ...parts]) => value(credential, `credential.${rule}`, kind, () => parts)),
    ...ENCODED.map(([kind, rule, parts]) => value(credential, `credential.${rule}`, kind, parts)),
    ...PEM.map(([kind, parts]) => value(pem, 'credential.pem', kind, () => parts)),
    ...HIDDEN.map(([kind, rule, parts]) => value(hidden, `hidden.${rule}`, kind, parts)),
    ...PERSONAL.map(([kind, rule, make]) =>
      value(personal, `personal.${rule}`, kind, (fill) => ['', make(fill), '']),
    ),
  ]
}

const ENCODED: readonly (readonly [kind: string, rule: string, parts: (fill: Fill) => Parts])[] = [
  ['basic credentials', 'basic', (fill) => ['Authorization: Basic ', base64(fill('bot:{base62:12}')), '']],
  ['JWT', 'jwt', (fill) => ['', jwt(fill, { alg: 'HS256', typ: 'JWT' }), '']],
]

const PEM_LINES = '{base64:64}\n{base64:64}\n{base64:22}==\n'
const PEM: readonly (readonly [kind: string, parts: Parts])[] = [
  ['PEM, PKCS 8', ['', `-----BEGIN PRIVATE KEY-----\n${PEM_LINES}-----END PRIVATE KEY-----`, '\n']],
  ['PEM, RSA', ['', `-----BEGIN RSA PRIVATE KEY-----\n${PEM_LINES}-----END RSA PRIVATE KEY-----`, '\n']],
  [
    'PEM, line ends escaped',
    [
      '',
      `-----BEGIN EC PRIVATE KEY-----\n${PEM_LINES}-----END EC PRIVATE KEY-----`.replaceAll('\n', '\\n'),
      '',
    ],
  ],
]

const ORDER = 'obey {base62:12}'
const TAGS = 0xe0000
const HIGH_SELECTORS = 0xe0100 - 16
const LOW_SELECTORS = 0xfe00

/** Texts written in characters that show nothing, each between two words. */
const HIDDEN: readonly (readonly [kind: string, rule: string, parts: (fill: Fill) => Parts])[] = [
  ['tags', 'tags', (fill) => ['Hello', shifted(fill(ORDER), TAGS), ' world']],
  ['tags behind a flag', 'tags', (fill) => ['\u{1f3f4}', shifted(fill(ORDER), TAGS), '.']],
  [
    'tags behind the flag of Scotland',
    'tags',
    (fill) => ['\u{1f3f4}', shifted(`gbsct\u007f${fill(ORDER)}`, TAGS), '.'],
  ],
  ['bits without width', 'zero_width', (fill) => ['Hello', bits(fill(ORDER), '\u200b', '\u200c'), ' world']],
  ['a joiner in a word', 'zero_width', () => ['pass', '\u200d', 'word']],
  ['an override', 'bidi', () => ['open photo', '\u202e', 'gpj.exe']],
  [
    'marks of direction as bits',
    'bidi',
    (fill) => ['Hello', bits(fill(ORDER), '\u200e', '\u200f'), ' world'],
  ],
  ['selectors', 'variation_selectors', (fill) => ['\u{1f600}', shifted(fill(ORDER), HIGH_SELECTORS), ' hi']],
  [
    'low selectors',
    'variation_selectors',
    (fill) => ['ok', shifted(nibbles(fill(ORDER)), LOW_SELECTORS), ' hi'],
  ],
  [
    'a link of a terminal',
    'ansi',
    (fill) => ['see ', fill('\u001b]8;;https://{base36:20}.example\u0007'), 'here'],
  ],
  ['a colour of a terminal', 'ansi', () => ['see ', '\u001b[38;5;0;48;5;0m', 'here']],
  [
    'operators as bits',
    'invisible_operators',
    (fill) => ['Hello', bits(fill(ORDER), '\u2062', '\u2064'), ' world'],
  ],
  ['controls', 'control', (fill) => ['Hello', bits(fill(ORDER), '\u0000', '\u0008'), ' world']],
  ['fillers', 'fillers', (fill) => ['Hello', bits(fill(ORDER), '\u3164', '\uffa0'), ' world']],
  ['private use', 'private_use', (fill) => ['Hello', shifted(fill(ORDER), 0xe000), ' world']],
  [
    'private use of the last plane',
    'private_use',
    (fill) => ['Hello', shifted(fill(ORDER), 0x100000), ' world'],
  ],
  ['a stack of marks', 'combining', (fill) => ['He', shifted(nibbles(fill(ORDER)), 0x310), 'llo']],
]

function shifted(text: string, by: number): string {
  return Array.from(text, (character) => String.fromCodePoint((character.codePointAt(0) ?? 0) + by)).join('')
}

function nibbles(text: string): string {
  return Array.from(Buffer.from(text).toString('hex'), (digit) =>
    String.fromCharCode(Number.parseInt(digit, 16)),
  ).join('')
}

function bits(text: string, zero: string, one: string): string {
  const digits = Array.from(Buffer.from(text), (byte) => byte.toString(2).padStart(8, '0')).join('')
  return digits.replaceAll('0', zero).replaceAll('1', one)
}

/** The check digits are put in: `#` is the last digit of a card, `##` behind the country those of an IBAN. */
const PERSONAL: readonly (readonly [kind: string, rule: string, make: (fill: Fill) => string])[] = [
  ['address', 'email', (fill) => fill('{base36:10}.{base36:6}@mail.example.org')],
  ['address with a tag', 'email', (fill) => fill('j{base36:7}+{base36:6}@example.co.uk')],
  ['address in other letters', 'email', (fill) => fill('josé{digit:5}@bücher.example')],
  ['Visa', 'card', (fill) => card(fill('4{digit:14}#'), [16])],
  ['Visa in fours', 'card', (fill) => card(fill('4{digit:14}#'), [4, 4, 4, 4])],
  ['Mastercard with hyphens', 'card', (fill) => card(fill('53{digit:13}#'), [4, 4, 4, 4], '-')],
  ['Mastercard, new range', 'card', (fill) => card(fill('2300{digit:11}#'), [4, 4, 4, 4])],
  ['American Express', 'card', (fill) => card(fill('37{digit:12}#'), [4, 6, 5])],
  ['Diners Club', 'card', (fill) => card(fill('36{digit:11}#'), [4, 6, 4])],
  ['UnionPay of 19 digits', 'card', (fill) => card(fill('62{digit:16}#'), [19])],
  ['Germany', 'iban', (fill) => iban(fill('DE##{digit:18}'), false)],
  ['Germany in fours', 'iban', (fill) => iban(fill('DE##{digit:18}'), true)],
  ['United Kingdom in fours', 'iban', (fill) => iban(fill('GB##{upper:4}{digit:14}'), true)],
  ['France in lower case', 'iban', (fill) => iban(fill('FR##{digit:23}'), false).toLowerCase()],
  ['Norway in fours', 'iban', (fill) => iban(fill('NO##{digit:11}'), true)],
  ['Malta', 'iban', (fill) => iban(fill('MT##{upper:4}{digit:23}'), false)],
]

/** Puts the one last digit in that is right, and makes groups of these sizes. */
function card(form: string, sizes: readonly number[], separator = ' '): string {
  const digits =
    Array.from('0123456789', (last) => form.replace('#', last)).find((number) => isLuhn(number)) ?? ''
  let at = 0
  return sizes.map((size) => digits.slice(at, (at += size))).join(separator)
}

function iban(form: string, isGrouped: boolean): string {
  const check = String(98 - remainder(form.replace('##', '00'))).padStart(2, '0')
  const whole = form.replace('##', check)
  return isGrouped ? whole.replaceAll(/.{4}(?=.)/g, '$& ') : whole
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}

/** One of thousands of random texts looks like a word or a sequence, which the detectors let pass. */
const TRIES = 4

function value(detector: Detector, rule: string, kind: string, parts: (fill: Fill) => Parts): ProtectedValue {
  const filled = (fill: Fill): Parts => {
    const [before, secret, after] = parts(fill)
    return [fill(before), fill(secret), fill(after)]
  }
  const [before, , after] = filled(fillerOf(0))
  return {
    rule,
    kind,
    detector,
    make(random) {
      let text = ''
      for (let tried = 0; tried < TRIES; tried++) {
        text = filled(fillerOf(Math.floor(random() * 0x1_0000_0000))).join('')
        if (detector.find(text).some((finding) => finding.rule === rule)) break
      }
      return text
    },
    secret: (text) => text.slice(before.length, text.length - after.length),
  }
}
