import { ALPHANUMERIC, BASE64, BASE64URL, CLASS, classAt, endOfRun, looksRandom } from '#base/random_text.ts'
import type { Detector, Finding } from '../detector.ts'

/**
 * Finds credentials by the form around them: private keys in PEM, JSON Web Tokens, passwords in URLs, Authorization
 * headers, and secret keys of AWS beside their id or name.
 *
 * Not found: a password in prose or in an assignment of its own; nothing in its form tells it from a word.
 */
export const credential: Detector = {
  id: 'credential',
  why: 'A private key or password in a prompt or an answer is in the hands of all who read either.',
  find(text) {
    if (text.length < SHORTEST) return NOTHING
    const found: Finding[] = []
    findPem(text, found)
    findJwt(text, found)
    findUrlPasswords(text, found)
    findAuthorization(text, found)
    findAwsSecrets(text, found)
    return found.length === 0 ? NOTHING : merged(found)
  },
}

const NOTHING: readonly Finding[] = Object.freeze([])
/** No form below is shorter; most strings of a request are. */
const SHORTEST = 12

const PEM_BEGIN = '-----BEGIN '
const PEM_END = '-----END '
const PEM_LABEL = /^-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----/
const PEM_LABEL_LENGTH = 80
/** An Ed25519 key, the shortest there is, has 64 characters of base 64; half of it is already too much. */
const PEM_LEAST_BODY = 32
const PEM_SAMPLE = 4_096

/** RFC 7468 and its older kin. A block without an end counts from its first lines on: half a key is still a leak. */
function findPem(text: string, found: Finding[]): void {
  let start = text.indexOf(PEM_BEGIN)
  let nextEnd = -1
  while (start >= 0) {
    const label = PEM_LABEL.exec(text.slice(start, start + PEM_LABEL_LENGTH))?.[0]
    const body = start + (label ?? PEM_BEGIN).length
    const nextBegin = text.indexOf(PEM_BEGIN, body)
    if (label !== undefined) {
      // Looked for once per end, not once per beginning: many beginnings without an end stay linear.
      if (nextEnd < body && nextEnd !== text.length) nextEnd = indexOrLength(text, PEM_END, body)
      const isClosed = nextEnd < text.length && (nextBegin < 0 || nextEnd < nextBegin)
      const bodyEnd = isClosed ? nextEnd : endOfPemLines(text, body)
      const end = isClosed ? endOfPemEnd(text, nextEnd) : bodyEnd
      if (holdsKey(text.slice(body, Math.min(bodyEnd, body + PEM_SAMPLE))))
        found.push({ rule: 'credential.pem', start, end })
    }
    start = nextBegin
  }
}

function indexOrLength(text: string, part: string, from: number): number {
  const at = text.indexOf(part, from)
  return at < 0 ? text.length : at
}

function holdsKey(body: string): boolean {
  const letters = body.replace(/\\{1,8}[nrt]|[^A-Za-z0-9+/]/g, '')
  return letters.length >= PEM_LEAST_BODY && new Set(letters).size >= 10
}

/** Lines of base 64, with real line ends or with `\n` as JSON and environment files write them. */
function endOfPemLines(text: string, from: number): number {
  let end = from
  for (;;) {
    const run = endOfRun(text, end, BASE64 | CLASS.equals)
    let next = endOfLineEnds(text, run)
    if (next === run) return run
    while (text[next] === ' ' || text[next] === '\t') next += 1
    end = next
  }
}

/** JSON inside JSON doubles the backslashes; more than this nobody nests. */
const MOST_BACKSLASHES = 8

function endOfLineEnds(text: string, from: number): number {
  let end = from
  for (;;) {
    let next = end
    while (text[next] === '\\' && next - end < MOST_BACKSLASHES) next += 1
    const letter = text[next]
    const isEnd = next > end ? letter === 'n' || letter === 'r' : letter === '\n' || letter === '\r'
    if (!isEnd) return end
    end = next + 1
  }
}

function endOfPemEnd(text: string, at: number): number {
  const dashes = text.indexOf('-----', at + PEM_END.length)
  const isNear = dashes >= 0 && dashes - at < PEM_LABEL_LENGTH
  return isNear ? dashes + 5 : at + PEM_END.length
}

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

const USER_INFO_LENGTH = 512
const AFTER_USER_INFO = /[/?#\s"'<>\\`]/
const LEAST_PASSWORD = 3
const PASSWORD_WORDS =
  /^(?:pass|passwd|password|passw0rd|pw|pwd|secret|token|key|user|username|changeme|example)$/i
const PASSWORD_VARIABLE = /^(?:[$<{[%*]|x{3}|\.{3})/i

/** `scheme://user:password@host` (RFC 3986 section 3.2.1). Only the password is the finding. */
function findUrlPasswords(text: string, found: Finding[]): void {
  for (let at = text.indexOf('://'); at >= 0; at = text.indexOf('://', at + 3)) {
    if ((classAt(text, at - 1) & ALPHANUMERIC) === 0) continue
    const authority = text.slice(at + 3, at + 3 + USER_INFO_LENGTH).split(AFTER_USER_INFO, 1)[0] ?? ''
    const colon = authority.indexOf(':')
    const sign = authority.lastIndexOf('@')
    if (colon < 0 || sign <= colon || sign === authority.length - 1) continue
    const password = authority.slice(colon + 1, sign)
    if (isPlaceholder(password) || password === authority.slice(0, colon)) continue
    const start = at + 3 + colon + 1
    found.push({ rule: 'credential.url', start, end: start + password.length })
  }
}

function isPlaceholder(password: string): boolean {
  if (password.length < LEAST_PASSWORD || new Set(password).size < LEAST_PASSWORD) return true
  return PASSWORD_WORDS.test(password) || PASSWORD_VARIABLE.test(password)
}

const BEARER_LENGTHS = { least: 20, most: 8_192 } as const
const BASIC_LENGTHS = { least: 8, most: 1_024 } as const
const BEARER = BASE64URL | CLASS.plus | CLASS.slash | CLASS.dot | CLASS.equals | CLASS.tilde
const PRINTABLE = /^[\x20-\x7e]+$/

/** Bearer (RFC 6750 section 2.1) and Basic (RFC 7617) credentials as they stand in a header. */
function findAuthorization(text: string, found: Finding[]): void {
  for (const word of ['Bearer ', 'bearer ', 'BEARER ']) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      const start = at + word.length
      const end = endOfRun(text, start, BEARER)
      const length = end - start
      if (length < BEARER_LENGTHS.least || length > BEARER_LENGTHS.most || !looksRandom(text, start, end))
        continue
      found.push({ rule: 'credential.bearer', start, end })
    }
  }
  for (const word of ['Basic ', 'basic ']) {
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      const start = at + word.length
      const end = endOfRun(text, start, BASE64 | CLASS.equals)
      const length = end - start
      if (length < BASIC_LENGTHS.least || length > BASIC_LENGTHS.most) continue
      const [, password] =
        /^[^:]*:(.*)$/.exec(Buffer.from(text.slice(start, end), 'base64').toString('latin1')) ?? []
      if (password === undefined || !PRINTABLE.test(password) || isPlaceholder(password)) continue
      found.push({ rule: 'credential.basic', start, end })
    }
  }
}

const AWS_LABELS = ['ecretAccessKey', 'ecret_access_key', 'ECRET_ACCESS_KEY']
const AWS_IDS = ['AKIA', 'ASIA']
const AWS_ID_LENGTH = 20
const AWS_SECRET_LENGTH = 40
/** How far from the id or label the secret may stand. */
const AWS_NEAR = 200

/** 40 characters of base 64 have no form of their own, so the id of the key or the name of the field must be near. */
function findAwsSecrets(text: string, found: Finding[]): void {
  for (const word of [...AWS_LABELS, ...AWS_IDS]) {
    let seen = 0
    for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + word.length)) {
      const isId = AWS_IDS.includes(word)
      if (isId && !/^[A-Z2-7]{20}$/.test(text.slice(at, at + AWS_ID_LENGTH))) continue
      const from = Math.max(seen, isId ? at - AWS_NEAR : at)
      seen = findAwsRuns(text, from, at + AWS_ID_LENGTH + AWS_NEAR, found)
    }
  }
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
