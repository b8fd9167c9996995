import { toBase64Url, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Disclosed } from './read.ts'
import { parseTlogProof, printTlogProof, type TlogProof } from './tlog_proof.ts'

/**
 * Receipts: one entry each, with what shows that it is in a log (docs/reference/receipts.md). What follows the lines of the
 * entry is a whole proof as in c2sp.org/tlog-proof, for tools that know nothing of Gatehouse.
 */

export interface EntryReceipt {
  /** The leaf as it was hashed. */
  readonly leaf: Uint8Array
  /** Values that the leaf commits to, by the names of their fields. */
  readonly disclosed: Readonly<Record<string, Disclosed>>
  readonly proof: TlogProof
}

const VERSION = 'gatehouse receipt v1'
const ENTRY = 'entry '
const OPEN = 'open '

export function printReceipt({ leaf, disclosed, proof }: EntryReceipt): string {
  const opened = Object.entries(disclosed).map(([name, { value, salt }]): [string, JsonValue] => [
    name,
    { value, salt: toBase64Url(salt) },
  ])
  const lines = [VERSION, ENTRY + Buffer.from(leaf).toString('utf8')]
  if (opened.length > 0) lines.push(OPEN + canonicalJson(Object.fromEntries(opened)))
  return `${lines.join('\n')}\n${printTlogProof(proof)}`
}

/**
 * Reads receipts that stand one after another, without looking at what they prove; undefined for anything that is not
 * exactly of the form.
 */
export function parseReceipts(text: string): readonly EntryReceipt[] | undefined {
  const [before, ...parts] = text.split(/(?<![^\n])gatehouse receipt v1\n/)
  const receipts = parts.map(parseReceipt)
  const areWhole = before === '' && receipts.length > 0 && receipts.every((each) => each !== undefined)
  return areWhole ? receipts : undefined
}

/**
 * The checkpoints in a text that somebody kept, each once: of receipts, of a proof, or the text itself where it is neither.
 * Nobody looks at their signatures here.
 */
export function checkpointsIn(text: string): readonly string[] {
  const proofs = parseReceipts(text)?.map(({ proof }) => proof) ?? [parseTlogProof(text)]
  return [...new Set(proofs.map((proof) => proof?.checkpoint ?? text))]
}

function parseReceipt(text: string): EntryReceipt | undefined {
  const [, entry, opened = '{}', rest = ''] = /^entry ([^\n]+)\n(?:open ([^\n]+)\n)?([^]+)$/.exec(text) ?? []
  const disclosed = parseOpened(opened)
  const proof = parseTlogProof(rest)
  if (entry === undefined || disclosed === undefined || proof === undefined) return undefined
  // Nothing vouches for extra data, and none is ours.
  if (proof.extra !== undefined) return undefined
  return { leaf: utf8(entry), disclosed, proof }
}

function parseOpened(text: string): EntryReceipt['disclosed'] | undefined {
  const opened = parseCanonicalObject(text)
  if (opened === undefined) return undefined
  const disclosed: [name: string, Disclosed][] = []
  for (const [name, each] of Object.entries(opened)) {
    if (!isJsonObject(each) || typeof each['salt'] !== 'string') return undefined
    const { value = null, salt: text, ...more } = each
    const salt = Buffer.from(text, 'base64url')
    if (toBase64Url(salt) !== text || Object.keys(more).length > 0) return undefined
    disclosed.push([name, { value, salt }])
  }
  // A name may be `__proto__`, which an assignment would not make a member.
  return Object.fromEntries(disclosed)
}

/** Only canonical: else one name could stand there with two values, and people and programs would read different ones. */
function parseCanonicalObject(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) && canonicalJson(value) === text ? value : undefined
  } catch (thrown) {
    // Deeper in one another than the stack is.
    if (thrown instanceof SyntaxError || thrown instanceof RangeError) return undefined
    throw thrown
  }
}
