import { ALPHANUMERIC, classAt } from './random_text.ts'

type Stretch = readonly [start: number, end: number]

/**
 * Finds the passwords of `scheme://user:password@host` (RFC 3986 section 3.2.1), in order; those that overlap are given as
 * one. Takes time in proportion to the text, however many URLs begin in it.
 */
export function urlPasswords(text: string): readonly Stretch[] {
  let at = text.indexOf('://')
  if (at < 0) return NOWHERE
  const found: [start: number, end: number][] = []
  const places = new UrlPlaces(text)
  for (; at >= 0; at = text.indexOf('://', at + 3)) {
    if ((classAt(text, at - 1) & ALPHANUMERIC) === 0) continue
    const url = places.of(at + 3)
    const end = passwordEnd(text, url)
    if (end < 0) continue
    const last = found.at(-1)
    if (last === undefined || url.colon >= last[1]) found.push([url.colon + 1, end])
    else last[1] = Math.max(last[1], end)
  }
  return found
}

const NOWHERE: readonly Stretch[] = Object.freeze([])

const LEAST_PASSWORD = 3
const LEAST_DISTINCT = 3
const PASSWORD_WORDS =
  /^(?:pass|passwd|password|passw0rd|pw|pwd|secret|token|key|user|username|changeme|example)$/i
const PASSWORD_VARIABLE = /^(?:[$<{[%*]|x{3}|\.{3})/i

/** True for what stands in manuals where the password belongs. */
export function isPlaceholder(password: string): boolean {
  if (password.length < LEAST_PASSWORD || PASSWORD_WORDS.test(password)) return true
  return PASSWORD_VARIABLE.test(password) || isMonotonous(password)
}

function isMonotonous(password: string): boolean {
  const seen = new Set<string>()
  for (const letter of password) if (seen.add(letter).size === LEAST_DISTINCT) return false
  return true
}

/** Places in the text around one URL; the length of the text or more where there is none, below `start` for the signs. */
interface Url {
  /** Behind `://`. */
  readonly start: number
  readonly colon: number
  readonly firstSign: number
  /** Where user, password, and host end by the RFC, and the last `@` before it. */
  readonly authorityEnd: number
  readonly authoritySign: number
  /** Where the URL ends, and the last `@` before it. */
  readonly end: number
  readonly sign: number
}

/** Where the password of a URL ends; it begins behind the colon. Below zero when there is none. */
function passwordEnd(text: string, url: Url): number {
  if (url.colon >= url.authorityEnd) return -1
  if (hasPassword(text, url)) return url.authoritySign
  return hasLoosePassword(text, url) ? url.sign : -1
}

function hasPassword(text: string, { start, colon, authorityEnd, authoritySign }: Url): boolean {
  if (authoritySign <= colon || authoritySign === authorityEnd - 1) return false
  const password = text.slice(colon + 1, authoritySign)
  return !isPlaceholder(password) && password !== text.slice(start, colon)
}

const PORT_OR_EMPTY = /^\d*(?:[/?#]|$)/
const HOST_BEGINS = /[a-z\d[]/i

/**
 * People leave `/`, `#`, `?` and `@` in a password as they are, against the RFC. It is told from the path after a port
 * by what follows the colon, and from `/@scope` by what precedes the sign.
 */
function hasLoosePassword(text: string, { colon, firstSign, authorityEnd, end, sign }: Url): boolean {
  if (firstSign < colon || sign < authorityEnd) return false
  if (text[sign - 1] === '/' || sign + 1 >= end || !HOST_BEGINS.test(text.charAt(sign + 1))) return false
  const password = text.slice(colon + 1, sign)
  return !PORT_OR_EMPTY.test(password) && !isPlaceholder(password)
}

/** What is looked at behind `://`, in characters. */
const URL_LENGTH = 512

/**
 * Gives the places of one URL after the other, in the order of the text. Each of them only moves forward, so that no part of
 * the text is read again for the next URL.
 */
class UrlPlaces {
  readonly #text: string
  readonly #colons: NextPlace
  readonly #signs: NextPlace
  readonly #authorityEnds: NextPlace
  readonly #ends: NextPlace
  readonly #authoritySigns: LastSign
  readonly #lastSigns: LastSign

  constructor(text: string) {
    this.#text = text
    this.#colons = new NextPlace(text, /:/g)
    this.#signs = new NextPlace(text, /@/g)
    this.#authorityEnds = new NextPlace(text, /[/?#\s"'<>\\`]/g)
    this.#ends = new NextPlace(text, /[\s"'<>\\`]/g)
    this.#authoritySigns = new LastSign(text)
    this.#lastSigns = new LastSign(text)
  }

  of(start: number): Url {
    const furthest = Math.min(this.#text.length, start + URL_LENGTH)
    const authorityEnd = Math.min(furthest, this.#authorityEnds.from(start))
    const end = Math.min(furthest, this.#ends.from(start))
    return {
      start,
      colon: this.#colons.from(start),
      firstSign: this.#signs.from(start),
      authorityEnd,
      authoritySign: this.#authoritySigns.within(start, authorityEnd),
      end,
      sign: this.#lastSigns.within(start, end),
    }
  }
}

/** Where a form of one character stands next; to be asked in the order of the text. */
class NextPlace {
  readonly #text: string
  readonly #form: RegExp
  #place = -1

  constructor(text: string, form: RegExp) {
    this.#text = text
    this.#form = form
  }

  from(start: number): number {
    if (this.#place >= start) return this.#place
    this.#form.lastIndex = start
    this.#place = this.#form.test(this.#text) ? this.#form.lastIndex - 1 : Infinity
    return this.#place
  }
}

/** The last `@` of a stretch, or a place before it; to be asked for stretches of which neither begins or ends before the last one does. */
class LastSign {
  readonly #text: string
  #place = -1
  #searchedTo = 0

  constructor(text: string) {
    this.#text = text
  }

  within(start: number, end: number): number {
    const from = Math.max(start, this.#searchedTo)
    for (let at = end - 1; at >= from; at--) {
      if (this.#text.charCodeAt(at) !== SIGN) continue
      this.#place = at
      break
    }
    this.#searchedTo = end
    return this.#place
  }
}

const SIGN = 0x40
