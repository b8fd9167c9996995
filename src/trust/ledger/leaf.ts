import { toBase64Url, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { classOf } from './class_table.ts'
import { commit, saltFor } from './commitment.ts'
import { cutValue } from './cut.ts'

/** The version of the form of a leaf; a reader refuses others. */
const LEAF_VERSION = 1

/** Fields of one entry and characters of a field's name; the names are ours, so more is a mistake of ours. */
const MOST_FIELDS = 64
const NAME_CHARACTERS = 64

/** What only the encrypted sidecar holds of an entry. */
export interface Secrets {
  readonly seed: Uint8Array
  /** Sensitive fields in the order of their names. */
  readonly fields: readonly (readonly [name: string, value: JsonValue])[]
}

export interface MadeLeaf {
  readonly bytes: Uint8Array
  readonly secrets: Secrets
}

/**
 * Makes the leaf of an entry: the canonical JSON of its public fields, pseudonyms, and a commitment for each sensitive
 * field. Over-long values are cut with their length beside them, so that a leaf stays within `LIMITS.leafBytes`.
 *
 * Throws TypeError for a value that JSON cannot hold and `internal.bug` for an id or names that are not ours.
 */
export function makeLeaf(
  draft: EntryDraft,
  seed: Uint8Array,
  pseudonymOf: (value: string) => string,
): MadeLeaf {
  checkDraft(draft)
  const leaf: Record<string, JsonValue> = { v: LEAF_VERSION, kind: draft.kind, id: draft.id, at: draft.at }
  const commitments: Record<string, string> = {}
  const fields: [string, JsonValue][] = []
  for (const name of Object.keys(draft.fields).sort()) {
    const value = cutValue(draft.fields[name] ?? null)
    const fieldClass = classOf(name)
    if (fieldClass === 'public') leaf[name] = value
    else if (fieldClass === 'pseudonym') leaf[name] = pseudonymOf(plainText(draft.fields[name] ?? null))
    else {
      commitments[name] = toBase64Url(commit(saltFor(seed, draft.kind, name), name, value))
      fields.push([name, value])
    }
  }
  if (fields.length > 0) leaf['commit'] = commitments
  return { bytes: withinLimit(leaf, draft), secrets: { seed, fields } }
}

/** Reads the bytes of a leaf; throws `ledger.corrupt` for anything that `makeLeaf` would not make. */
export function parseLeaf(bytes: Uint8Array): JsonObject {
  const leaf = parseObject(bytes)
  if (leaf === undefined || leaf['v'] !== LEAF_VERSION)
    throw new Fault('ledger.corrupt', { what: 'not a leaf' })
  return leaf
}

/** The kind of an entry, as its salts were made with. */
export function kindOf(leaf: JsonObject): string {
  return typeof leaf['kind'] === 'string' ? leaf['kind'] : ''
}

/** The id of an entry. */
export function idOf(leaf: JsonObject): string {
  return typeof leaf['id'] === 'string' ? leaf['id'] : ''
}

function checkDraft(draft: EntryDraft): void {
  const names = Object.keys(draft.fields)
  const isOurs =
    isEntryId(draft.id) &&
    names.length <= MOST_FIELDS &&
    names.every((name) => name.length <= NAME_CHARACTERS)
  if (!isOurs)
    throw new Fault('internal.bug', { error: 'an entry has a wrong id, too many fields or long names' })
}

function parseObject(bytes: Uint8Array): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))
    return isJsonObject(value) ? value : undefined
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

function plainText(value: JsonValue): string {
  return typeof value === 'string' ? value : canonicalJson(value)
}

function withinLimit(leaf: Record<string, JsonValue>, draft: EntryDraft): Uint8Array {
  const bytes = utf8(canonicalJson(leaf))
  if (bytes.length <= LIMITS.leafBytes) return bytes
  // Many long values: the longest public ones give way until the rest fits.
  const byLength = Object.keys(draft.fields)
    .filter((name) => classOf(name) === 'public')
    .map((name) => ({ name, length: canonicalJson(leaf[name] ?? null).length }))
    .sort((left, right) => right.length - left.length)
  for (const { name, length } of byLength) {
    leaf[name] = { cut: '', length }
    const shorter = utf8(canonicalJson(leaf))
    if (shorter.length <= LIMITS.leafBytes) return shorter
  }
  throw new Fault('internal.bug', { error: 'an entry has more fields than a leaf can hold' })
}
