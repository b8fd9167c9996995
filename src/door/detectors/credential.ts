import { ALPHANUMERIC, BASE64, BASE64URL, CLASS, classAt, endOfRun, looksRandom } from '#base/random_text.ts'
import { isPlaceholder, urlPasswords } from '#base/url_passwords.ts'
import type { Detector, Finding, Signs } from '../detector.ts'

/** A password in a URL and one of Basic credentials may be short; all else is a run. */
const SIGNS: Signs = { length: 12, run: 20, form: /:\/\/|[Bb]asic[ \t]/ }

/**
 * Finds credentials by the form around them: JSON Web Tokens, passwords in URLs, Authorization
 * headers, and secret keys of AWS beside their id or name.
 *
 * Not found: a password in prose or in an assignment of its own; nothing in its form tells it from a word.
 */
export const credential: Detector = {
  id: 'credential',
  why: 'A password in a prompt or an answer is in the hands of all who read either.',
  signs: SIGNS,
  find(text) {
    if (text.length < SIGNS.length) return NOTHING
    const found: Finding[] = []
    findJwt(text, found)
    findUrlPasswords(text, found)
    findAuthorization(text, found)
    findAwsSecrets(text, found)
    return found.length === 0 ? NOTHING : merged(found)
  },
}

const NOTHING: readonly Finding[] = Object.freeze([])

/** A header is short; a longer run is no token. */
const JWT_HEADER_LENGTH = 2_048
/** Starts tried inside one run of base 64, so that a run full of them stays linear. */
const JWT_TRIES = 4

/** Three parts of base 64 url (RFC 7515 section 7.1), the first of which is a JSON object with `alg`. */
function findJwt(text: string, found: Finding[]): void {
  // `eyJ` is the base 64 of `{"`; its `J` is the rare letter.
  let at = text.indexOf('J')
  while (at >= 0) {
    if (text[at - 1] !== 'y' || text[at - 2] !== 'e') {
      at = text.indexOf('J', at + 1)
      continue
    }
    const headerEnd = endOfRun(text, at, BASE64URL)
    const end = endOfJwt(text, headerEnd)
    const start = end < 0 ? -1 : startOfHeader(text, at - 2, headerEnd)
    if (start >= 0) found.push({ rule: 'credential.jwt', start, end })
    at = text.indexOf('J', start >= 0 ? end : headerEnd)
  }
}

function endOfJwt(text: string, headerEnd: number): number {
  const payloadEnd = text[headerEnd] === '.' ? endOfRun(text, headerEnd + 1, BASE64URL) : -1
  if (payloadEnd < headerEnd + 3 || text[payloadEnd] !== '.') return -1
  const end = endOfRun(text, payloadEnd + 1, BASE64URL)
  // 16 characters are 96 bits: no signature is shorter.
  return end - payloadEnd > 16 ? end : -1
}

function startOfHeader(text: string, first: number, headerEnd: number): number {
  let start = first
  for (let tried = 0; tried < JWT_TRIES && start >= 0 && start < headerEnd; tried++) {
    if (headerEnd - start <= JWT_HEADER_LENGTH && isJwtHeader(text.slice(start, headerEnd))) return start
    start = text.indexOf('eyJ', start + 1)
  }
  return -1
}

function isJwtHeader(part: string): boolean {
  const text = Buffer.from(part, 'base64url').toString()
  if (!text.includes('"alg"')) return false
  try {
    const header: unknown = JSON.parse(text)
    return typeof header === 'object' && header !== null && 'alg' in header
  } catch {
    return false
  }
}

/** Only the password is the finding. */
function findUrlPasswords(text: string, found: Finding[]): void {
  for (const [start, end] of urlPasswords(text)) found.push({ rule: 'credential.url', start, end })
}

const BASIC_LENGTHS = { least: 8, most: 1_024 } as const
const BEARER = BASE64URL | CLASS.plus | CLASS.slash | CLASS.dot | CLASS.equals | CLASS.tilde
const PRINTABLE = /^[\x20-\x7e]+$/

/** Bearer (RFC 6750 section 2.1) and Basic (RFC 7617) credentials as they stand in a header. */
function findAuthorization(text: string, found: Finding[]): void {
  for (const word of ['Bearer', 'bearer', 'BEARER']) {
    for (const start of placesAfter(text, word)) {
      const end = endOfRun(text, start, BEARER)
      if (end - start < SIGNS.run || !looksRandom(text, start, end)) continue
      found.push({ rule: 'credential.bearer', start, end })
    }
  }
  for (const word of ['Basic', 'basic']) {
    for (const start of placesAfter(text, word)) {
      const end = endOfRun(text, start, BASE64 | CLASS.equals)
      const length = end - start
      if (length < BASIC_LENGTHS.least || length > BASIC_LENGTHS.most) continue
      const decoded = Buffer.from(text.slice(start, end), 'base64').toString('latin1')
      const password = decoded.slice(decoded.indexOf(':') + 1)
      if (password === decoded || !PRINTABLE.test(password) || isPlaceholder(password)) continue
      found.push({ rule: 'credential.basic', start, end })
    }
  }
}

/** Where something begins after a word with spaces or tabs behind it. */
function placesAfter(text: string, word: string): readonly number[] {
  let at = text.indexOf(word)
  if (at < 0) return NOWHERE
  const places: number[] = []
  for (; at >= 0; at = text.indexOf(word, at + word.length)) {
    const start = endOfRun(text, at + word.length, CLASS.space)
    if (start > at + word.length) places.push(start)
  }
  return places
}
const NOWHERE: readonly number[] = Object.freeze([])

/** Words that stand near a secret, searched for from a rare letter on. */
const AWS_WORDS = [
  { before: 'ecret', word: 'AccessKey', isId: false },
  { before: 'ecret', word: '_access_key', isId: false },
  { before: 'ECRET', word: '_ACCESS_KEY', isId: false },
  { before: 'A', word: 'KIA', isId: true },
  { before: 'A', word: 'SIA', isId: true },
]
const AWS_ID_LENGTH = 20
const AWS_ID = /^[A-Z2-7]{20}$/
const AWS_SECRET_LENGTH = 40
/** How far from the id or label the secret may stand. */
const AWS_NEAR = 200

/** 40 characters of base 64 have no form of their own, so the id of the key or the name of the field must be near. */
function findAwsSecrets(text: string, found: Finding[]): void {
  for (const { before, word, isId } of AWS_WORDS) {
    let seen = 0
    for (let place = text.indexOf(word); place >= 0; place = text.indexOf(word, place + word.length)) {
      const at = place - before.length
      if (!text.startsWith(before, at) || (isId && !isAwsId(text, at))) continue
      const from = Math.max(seen, isId ? at - AWS_NEAR : at)
      seen = findAwsRuns(text, from, at + AWS_ID_LENGTH + AWS_NEAR, found)
    }
  }
}

function isAwsId(text: string, at: number): boolean {
  if ((classAt(text, at - 1) & ALPHANUMERIC) !== 0) return false
  return AWS_ID.test(text.slice(at, at + AWS_ID_LENGTH))
}

/** Gives where it stopped; nobody needs to look before that again. */
function findAwsRuns(text: string, from: number, to: number, found: Finding[]): number {
  const furthestStart = from - AWS_SECRET_LENGTH
  let start = from
  while (start > furthestStart && (classAt(text, start - 1) & BASE64) !== 0) start -= 1
  while (start < to && start < text.length) {
    const end = endOfRun(text, start, BASE64)
    const isSecret = end - start === AWS_SECRET_LENGTH && /[A-Z]/.test(text.slice(start, end))
    if (isSecret && looksRandom(text, start, end)) found.push({ rule: 'credential.aws_secret', start, end })
    start = end + 1
  }
  return start
}

/** Sorts, and joins what overlaps under the name of the longer one. */
function merged(found: readonly Finding[]): readonly Finding[] {
  const apart: Finding[] = []
  for (const finding of found.toSorted((left, right) => left.start - right.start)) {
    const last = apart.at(-1)
    if (last === undefined || finding.start >= last.end) {
      apart.push(finding)
      continue
    }
    const { rule } = last.end - last.start >= finding.end - finding.start ? last : finding
    apart[apart.length - 1] = { rule, start: last.start, end: Math.max(last.end, finding.end) }
  }
  return apart
}
