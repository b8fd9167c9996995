import { addressAround } from '#base/email_address.ts'
import { endOfIban } from '#base/iban.ts'
import { endOfCard } from '#base/payment_card.ts'
import { ALPHANUMERIC, CLASS, classAt, endOfRun } from '#base/random_text.ts'
import type { Detector, Finding, Signs } from '../detector.ts'

/** A sign with a letter or digit before it; an IBAN's beginning with ten digits or letters more; thirteen digits. */
const SIGNS: Signs = {
  length: 6,
  run: Infinity,
  form: /[^\s@]@[^\s@]|\d(?:[ \u00a0\u202f\u2010\u2011-]?\d){12}|[A-Za-z]{2}\d\d[ \u00a0]?[A-Za-z\d]{4}/,
}

/**
 * Finds what tells one person from all others and says so by its form: addresses of e-mail, numbers of payment cards and of
 * bank accounts (IBAN), the last two by their check digits.
 */
export const personal: Detector = {
  id: 'personal',
  why: 'Whoever reads a prompt or an answer learns whom it is about, and what they pay with.',
  signs: SIGNS,
  find(text) {
    if (text.length < SIGNS.length) return NOTHING
    const found: Finding[] = []
    findAddresses(text, found)
    findNumbers(text, found)
    return found.length < 2 ? found : apart(found)
  },
}

const NOTHING: readonly Finding[] = Object.freeze([])

function findAddresses(text: string, found: Finding[]): void {
  for (let sign = text.indexOf('@'); sign >= 0; sign = text.indexOf('@', sign + 1)) {
    const [start, end] = addressAround(text, sign) ?? []
    if (start !== undefined && end !== undefined) found.push({ rule: 'personal.email', start, end })
  }
}

/** Behind the country of an IBAN stand two digits, and more at the beginning of a card. */
const DIGITS = /\d\d/g

function findNumbers(text: string, found: Finding[]): void {
  DIGITS.lastIndex = 0
  while (DIGITS.test(text)) {
    const start = DIGITS.lastIndex - 2
    const end = endOfRun(text, start, CLASS.digit)
    const finding = ibanAt(text, start - COUNTRY) ?? cardAt(text, start, end)
    if (finding !== undefined) found.push(finding)
    DIGITS.lastIndex = finding?.end ?? end
  }
}

const COUNTRY = 2
/** No card has a shorter first group. */
const FIRST_GROUP = 4
const LETTER = CLASS.upper | CLASS.lower

function ibanAt(text: string, start: number): Finding | undefined {
  if ((classAt(text, start) & LETTER) === 0 || (classAt(text, start - 1) & WORD) !== 0) return undefined
  const end = endOfIban(text, start)
  return end < 0 ? undefined : { rule: 'personal.iban', start, end }
}

const WORD = ALPHANUMERIC | CLASS.underscore

function cardAt(text: string, start: number, digitsEnd: number): Finding | undefined {
  const end = digitsEnd - start < FIRST_GROUP ? -1 : endOfCard(text, start)
  return end < 0 ? undefined : { rule: 'personal.card', start, end }
}

/** Sorts, and joins what overlaps under the name of the first. */
function apart(found: Finding[]): readonly Finding[] {
  const joined: Finding[] = []
  for (const finding of found.sort((left, right) => left.start - right.start || right.end - left.end)) {
    const last = joined.at(-1)
    if (last === undefined || finding.start >= last.end) joined.push(finding)
    else if (finding.end > last.end) joined[joined.length - 1] = { ...last, end: finding.end }
  }
  return joined
}
