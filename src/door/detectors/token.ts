import { base62Checksum } from '#base/base62_checksum.ts'
import {
  ALPHANUMERIC,
  BASE64,
  BASE64URL,
  CLASS,
  classAt,
  endOfRun,
  RandomStretches,
} from '#base/random_text.ts'
import type { Detector, Finding, Signs } from '../detector.ts'

/** Every token is one run; but of our own keys only the checksum is looked at. */
const SIGNS: Signs = { length: 20, run: 20, form: /gate_(?:live|test)_/ }

/**
 * Finds credentials that say what they are by a published prefix. A form with a checksum must have it right; a form
 * without must look random, so that placeholders of manuals pass. Each search is for a rare literal, which makes clean
 * text cheap.
 */
export const token: Detector = {
  id: 'token',
  why: 'A key in a prompt or an answer is in the hands of all who read either.',
  signs: SIGNS,
  find(text) {
    if (text.length < SIGNS.length) return NOTHING
    const found: Finding[] = []
    for (const anchor of ANCHORS) findTokens(text, anchor, found)
    return found.length === 0
      ? NOTHING
      : found.sort((left, right) => left.start - right.start).filter(isApart)
  },
}

const NOTHING: readonly Finding[] = Object.freeze([])
/** Two prefixes can claim one text (`sk-…glpat-…`); the first to start keeps it. */
function isApart(finding: Finding, index: number, all: readonly Finding[]): boolean {
  const before = all[index - 1]
  return before === undefined || before.end <= finding.start
}

/** Gives the end of the token whose body starts at `body`, or -1. `start` is the place of the prefix. */
type Match = (run: Run, start: number, body: number) => number

/** What is known of a text is remembered, so that many prefixes inside one run cost its length once. */
class Run {
  readonly text: string
  readonly #stretches: RandomStretches
  readonly #ends = new Map<number, number>()

  constructor(text: string) {
    this.text = text
    this.#stretches = new RandomStretches(text)
  }

  /** Must be asked with ascending `from`. */
  end(from: number, classes: number): number {
    const known = this.#ends.get(classes) ?? -1
    if (from <= known) return known
    const end = endOfRun(this.text, from, classes)
    this.#ends.set(classes, end)
    return end
  }

  /** Must be asked with ascending `from`. */
  looksRandom(from: number, to: number): boolean {
    return this.#stretches.looksRandom(from, to)
  }
}

/** A prefix this long does not stand in random text by chance: five letters of base 64 do in one of a billion places. */
const SURE_PREFIX = 5

/**
 * At least `least` random characters. What follows the `most` that a token can have is glued to it and stays; but a short
 * prefix in the middle of such a run is chance.
 */
function random(classes: number, least: number, most: number = least): Match {
  return (run, start, body) => {
    const { text } = run
    const runEnd = run.end(body, classes)
    const end = Math.min(runEnd, body + most)
    if (end - body < least) return -1
    if (end < runEnd && body - start < SURE_PREFIX && (classAt(text, start - 1) & classes) !== 0) return -1
    return run.looksRandom(body, end) ? end : -1
  }
}

/** 30 random characters and their checksum: GitHub since April 2021, npm since September 2021. */
const checked: Match = (run, _start, body) => {
  const end = body + 36
  if (run.end(body, ALPHANUMERIC) < end) return -1
  return base62Checksum(run.text.slice(body, end - 6)) === run.text.slice(end - 6, end) ? end : -1
}

/** Newer GitHub tokens are longer than 36 characters and hold a signed part. */
const checkedOrLong: Match = (run, start, body) => {
  const end = checked(run, start, body)
  return end >= 0 ? end : signed(run, start, body)
}
const signed = random(BASE64URL | CLASS.dot, 60, 1_024)

const OWN_KEY_LENGTH = 'gate_live__'.length + 12 + 32 + '_'.length + 6

/** Our own keys: a wrong checksum is a key that never was. */
const ownKey: Match = ({ text }, start) => {
  const end = start + OWN_KEY_LENGTH
  if (text[end - 7] !== '_') return -1
  return base62Checksum(text.slice(start, end - 7)) === text.slice(end - 6, end) ? end : -1
}

/** Base 32 without the digits 0, 1, 8 and 9, and not a part of something longer. */
const awsKeyId: Match = ({ text }, _start, body) => {
  const end = endOfRun(text, body, ALPHANUMERIC)
  const isId = end - body === 16 && /^[A-Z2-7]{16}$/.test(text.slice(body, end))
  return isId && new Set(text.slice(body, end)).size >= 7 && !text.slice(body, end).includes('EXAMPLE')
    ? end
    : -1
}

const sendGrid: Match = (run, _start, body) => {
  const dot = endOfRun(run.text, body, BASE64URL)
  if (dot - body !== 22 || run.text[dot] !== '.') return -1
  const end = dot + 44
  return endOfRun(run.text, dot + 1, BASE64URL) >= end && run.looksRandom(dot + 1, end) ? end : -1
}

/** Numbers of workspace and bot stand before the secret, which is the first long part and goes on to the end. */
const slack: Match = (run, _start, body) => {
  let part = body
  for (let number = 0; number < SLACK_PARTS; number++) {
    const end = endOfRun(run.text, part, ALPHANUMERIC)
    if (end - part >= SLACK_SECRET.least && run.looksRandom(part, end))
      return Math.min(run.end(body, ALPHANUMERIC | CLASS.dash), part + SLACK_SECRET.most)
    if (run.text[end] !== '-') return -1
    part = end + 1
  }
  return -1
}
const SLACK_PARTS = 5
const SLACK_SECRET = { least: 20, most: 256 } as const

const LONG = random(BASE64URL, 20, 1_024)
const GITLAB = random(BASE64URL | CLASS.dot, 20, 320)

/** One row per published prefix. Where one prefix starts another, the longer one comes first. */
const TOKENS: readonly (readonly [rule: string, prefix: string, match: Match])[] = [
  ['credential.gatehouse', 'gate_live_', ownKey],
  ['credential.gatehouse', 'gate_test_', ownKey],
  ['credential.github', 'github_pat_', random(ALPHANUMERIC | CLASS.underscore, 82)],
  ['credential.github', 'ghp_', checked],
  ['credential.github', 'gho_', checked],
  ['credential.github', 'ghu_', checkedOrLong],
  ['credential.github', 'ghs_', checkedOrLong],
  ['credential.github', 'ghr_', checkedOrLong],
  ['credential.npm', 'npm_', checked],
  ['credential.stripe', 'sk_live_', random(ALPHANUMERIC, 24, 256)],
  ['credential.stripe', 'rk_live_', random(ALPHANUMERIC, 24, 256)],
  ['credential.huggingface', 'hf_', random(ALPHANUMERIC, 34, 40)],
  ['credential.groq', 'gsk_', random(ALPHANUMERIC, 40, 64)],
  ['credential.replicate', 'r8_', random(ALPHANUMERIC, 37, 40)],
  ['credential.digitalocean', 'dop_v1_', random(CLASS.digit | CLASS.lower, 64)],
  ['credential.shopify', 'shpat_', random(ALPHANUMERIC, 32)],
  ['credential.linear', 'lin_api_', random(ALPHANUMERIC, 32, 64)],
  ['credential.anthropic', 'sk-ant-', random(BASE64URL, 40, 256)],
  ['credential.openai', 'sk-', LONG],
  ['credential.xai', 'xai-', random(ALPHANUMERIC, 60, 100)],
  ['credential.perplexity', 'pplx-', random(ALPHANUMERIC, 40, 64)],
  ['credential.gitlab', 'glpat-', GITLAB],
  ['credential.gitlab', 'gldt-', GITLAB],
  ['credential.gitlab', 'glrt-', GITLAB],
  ['credential.gitlab', 'glptt-', GITLAB],
  ['credential.slack', 'xoxa-', slack],
  ['credential.slack', 'xoxb-', slack],
  ['credential.slack', 'xoxe-', slack],
  ['credential.slack', 'xoxo-', slack],
  ['credential.slack', 'xoxp-', slack],
  ['credential.slack', 'xoxr-', slack],
  ['credential.slack', 'xoxs-', slack],
  ['credential.slack', 'xapp-', slack],
  ['credential.slack', 'hooks.slack.com/services/', random(ALPHANUMERIC | CLASS.slash, 40, 80)],
  ['credential.google', 'GOCSPX-', random(BASE64URL, 28)],
  ['credential.google', 'AIza', random(BASE64URL, 35)],
  ['credential.postman', 'PMAK-', random(CLASS.digit | CLASS.lower | CLASS.dash, 59)],
  ['credential.pypi', 'pypi-AgE', random(BASE64URL, 50, 1_024)],
  ['credential.age', 'AGE-SECRET-KEY-1', random(CLASS.upper | CLASS.digit, 58)],
  ['credential.aws_key', 'AKIA', awsKeyId],
  ['credential.aws_key', 'ASIA', awsKeyId],
  ['credential.sendgrid', 'SG.', sendGrid],
  ['credential.azure', 'AccountKey=', random(BASE64, 86)],
  ['credential.azure', 'SharedAccessKey=', random(BASE64, 43)],
]

interface TokenRow {
  readonly rule: string
  readonly prefix: string
  readonly match: Match
  /** Where in the prefix the literal stands. */
  readonly offset: number
  /** A short prefix also ends words of every day (`task-`), so no letter or digit may stand before it. */
  readonly needsBoundary: boolean
}

/** A literal to search for, with the rows behind it by the code of the character before the literal. */
interface Anchor {
  readonly literal: string
  readonly rows: readonly (readonly TokenRow[] | undefined)[]
}

const RARE = /[A-Z.]/
const SHORT_PREFIX = 4
const ASCII = 128
const ANCHORS = anchorsOf(TOKENS)

/**
 * `_` and `-` are rare in prose and one search for each serves all prefixes that hold them. Other prefixes are searched
 * for from a rare character on, but not the first: several begin with `A`, and a text of that letter alone would stop each
 * search.
 */
function anchorsOf(tokens: typeof TOKENS): readonly Anchor[] {
  const anchors = new Map<string, TokenRow[][]>()
  for (const [rule, prefix, match] of tokens) {
    const at = prefix.search(/[-_]/)
    const offset = at < 0 ? 1 + prefix.slice(1).search(RARE) : at
    const literal = at < 0 ? prefix.slice(offset) : prefix.charAt(at)
    const needsBoundary = prefix.length <= SHORT_PREFIX && match !== checked && match !== checkedOrLong
    const rows = anchors.get(literal) ?? Array.from({ length: ASCII }, () => [])
    rows[prefix.charCodeAt(offset - 1)]?.push({ rule, prefix, match, offset, needsBoundary })
    anchors.set(literal, rows)
  }
  return [...anchors].map(([literal, rows]) => ({
    literal,
    rows: rows.map((row) => (row.length > 0 ? row : undefined)),
  }))
}
function findTokens(text: string, { literal, rows }: Anchor, found: Finding[]): void {
  let run: Run | undefined
  let at = text.indexOf(literal, 1)
  while (at >= 0) {
    const candidates = rows[text.charCodeAt(at - 1)]
    const finding = candidates === undefined ? undefined : firstToken((run ??= new Run(text)), at, candidates)
    if (finding !== undefined) found.push(finding)
    at = text.indexOf(literal, finding?.end ?? at + 1)
  }
}

function firstToken(run: Run, at: number, rows: readonly TokenRow[]): Finding | undefined {
  for (const { rule, prefix, match, offset, needsBoundary } of rows) {
    const start = at - offset
    if (!run.text.startsWith(prefix, start)) continue
    if (needsBoundary && (classAt(run.text, start - 1) & ALPHANUMERIC) !== 0) continue
    const end = match(run, start, start + prefix.length)
    if (end >= 0) return { rule, start, end }
  }
  return undefined
}
