import { BASE64URL, classAt } from '#base/random_text.ts'

/** As many as hexadecimal has not: what is encoded has more different characters. */
const LEAST_DISTINCT = 10

/** True for a run that can hold nothing encoded: a line of dashes, a count of zeros. */
export function isDull(run: string): boolean {
  return new Set(run).size < LEAST_DISTINCT
}

/** Lines of PEM have 64 characters; OpenPGP has 64 or 76. */
const KEY_LINE = /[A-Za-z0-9+/]{60,}/g

/** Where a line begins that may be one of a private key, or -1. */
export function keyLineIn(text: string): number {
  for (const { 0: line, index } of text.matchAll(KEY_LINE))
    if (/[A-Z]/.test(line) && /[a-z]/.test(line) && /\d/.test(line)) return index
  return -1
}

/** How many characters a text ends with that may be a web token which has not ended; 0 for none. Of several the longest. */
export function restOfToken(text: string): number {
  let start = text.length
  while (start > 0 && TOKEN.test(text.charAt(start - 1))) start -= 1
  const token = text.indexOf('eyJ', start)
  return token < 0 ? 0 : text.length - token
}

const TOKEN = /[\w.-]/

/** How many characters a text ends with that are one word, in the widest sense: an address, a run, an escape. */
export function restOfWord(text: string): number {
  let start = text.length
  while (start > 0 && !ENDS_WORD.has(text.charAt(start - 1))) start -= 1
  return text.length - start
}

const ENDS_WORD: ReadonlySet<string> = new Set(' \t\n\r"\'`(),;<>')

/** True for a text that ends in what shows nothing; a rule for that may also stand for what a run of base 64 says. */
export function endsHidden(text: string, end: number, rule: string): boolean {
  return rule.startsWith('hidden.') && (classAt(text, end - 1) & BASE64URL) === 0
}

/** True when a pair of surrogates stands on both sides of a place. */
export function isInPair(text: string, place: number): boolean {
  return (text.codePointAt(place - 1) ?? 0) > 0xffff
}
