import { ALPHANUMERIC, BASE64, CLASS, classAt, endOfRun } from '#base/random_text.ts'
import type { Detector, Finding } from '../detector.ts'

/**
 * Finds private keys in PEM (RFC 7468 and its older kin). A key reaches to the end marker of a private key, whatever other
 * markers stand between. One without an end counts from its first lines on: half a key is still a leak.
 */
export const pem: Detector = {
  id: 'pem',
  why: 'A private key in a prompt or an answer is in the hands of all who read either.',
  signs: { length: 32, run: Infinity, form: /-----BEGIN / },
  find(text) {
    let start = nextLabel(text, BEGIN, 0)
    if (start === undefined) return NOTHING
    const found: Finding[] = []
    let close: Label | undefined
    while (start !== undefined) {
      const body = start.end
      const next = nextLabel(text, BEGIN, body)
      // Looked for once per end, not once per beginning: many beginnings without an end stay linear.
      if (close === undefined || close.at < body) close = nextLabel(text, END, body) ?? NO_LABEL
      const isClosed = close.at < (next?.at ?? text.length)
      const bodyEnd = isClosed ? close.at : endOfLines(text, endOfHeaders(text, body))
      if (holdsKey(text, body, bodyEnd))
        found.push({ rule: 'credential.pem', start: start.at, end: isClosed ? close.end : bodyEnd })
      start = next
    }
    return found
  },
}

const NOTHING: readonly Finding[] = Object.freeze([])
const BEGIN = '-----BEGIN '
const END = '-----END '
const LABEL = /(?:[A-Z0-9]{1,20} ){0,3}PRIVATE KEY(?: BLOCK)?-----/y
/** An Ed25519 key, the shortest there is, has 64 characters of base 64; half of it is already too much. */
const LEAST_BODY = 32
const LEAST_DISTINCT = 10

/** The marker line of a private key. */
interface Label {
  readonly at: number
  readonly end: number
}

const NO_LABEL: Label = { at: Infinity, end: Infinity }

function nextLabel(text: string, marker: string, from: number): Label | undefined {
  for (let at = text.indexOf(marker, from); at >= 0; at = text.indexOf(marker, at + marker.length)) {
    LABEL.lastIndex = at + marker.length
    if (LABEL.test(text)) return { at, end: LABEL.lastIndex }
  }
  return undefined
}

function holdsKey(text: string, from: number, to: number): boolean {
  const seen = new Set<number>()
  let letters = 0
  let at = from
  while (at < to && (letters < LEAST_BODY || seen.size < LEAST_DISTINCT)) {
    const next = endOfLineEnds(text, at)
    if (next === at && (classAt(text, at) & BASE64) !== 0) {
      letters += 1
      seen.add(text.charCodeAt(at))
    }
    at = Math.max(next, at + 1)
  }
  return letters >= LEAST_BODY && seen.size >= LEAST_DISTINCT
}

/** Lines of base 64, with real line ends or with `\n` as JSON and environment files write them. */
function endOfLines(text: string, from: number): number {
  let end = from
  for (;;) {
    const run = endOfRun(text, end, BASE64 | CLASS.equals)
    const next = nextLine(text, run)
    if (next === run) return run
    end = next
  }
}

/** `Proc-Type: 4,ENCRYPTED`, `Version: …`: more of them, or longer ones, no program writes. */
const HEADERS = 8
const HEADER_LENGTH = 256
const HEADER_NAME = ALPHANUMERIC | CLASS.dash

/** RFC 1421 section 4.4 and RFC 9580 section 6.2.2: lines of `Name: value` may stand before the base 64. */
function endOfHeaders(text: string, from: number): number {
  let line = nextLine(text, from)
  for (let header = 0; header < HEADERS; header++) {
    let at = endOfRun(text, line, HEADER_NAME)
    if (at === line || text[at] !== ':') return line
    const furthest = Math.min(text.length, at + HEADER_LENGTH)
    while (at < furthest && endOfLineEnds(text, at) === at) at += 1
    if (at === furthest) return line
    line = nextLine(text, at)
  }
  return line
}

function nextLine(text: string, from: number): number {
  return endOfRun(text, endOfLineEnds(text, from), CLASS.space)
}

const LINE_FEED = 0x0a
const RETURN = 0x0d
const BACKSLASH = 0x5c
const LOWER_N = 0x6e
const LOWER_R = 0x72
/** JSON inside JSON doubles the backslashes; more than this nobody nests. */
const MOST_BACKSLASHES = 8

function endOfLineEnds(text: string, from: number): number {
  let end = from
  for (;;) {
    let next = end
    while (text.charCodeAt(next) === BACKSLASH && next - end < MOST_BACKSLASHES) next += 1
    const code = text.charCodeAt(next)
    const isEnd = next > end ? code === LOWER_N || code === LOWER_R : code === LINE_FEED || code === RETURN
    if (!isEnd) return end
    end = next + 1
  }
}
