import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { Fault } from '#base/fault.ts'
import { isEntryId } from '#base/ids.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { isOfPublicType } from './class_table.ts'
import { commitField } from './commitment.ts'
import { cutValue } from './cut.ts'
import { shapeOf, type LeafMember, type LeafShape } from './leaf_shape.ts'

/** The version of the form of a leaf; a reader refuses others. */
export const LEAF_VERSION = 1

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
 * Throws TypeError for a value that JSON cannot hold, and `internal.bug` for an id, names, a time or public values that are
 * not ours: one such entry, and whoever checks the log refuses all of it, for ever.
 */
export function makeLeaf(
  draft: EntryDraft,
  seed: Uint8Array,
  pseudonymOf: (value: string) => string,
): MadeLeaf {
  if (!isEntryId(draft.id)) throw notOurs('id')
  if (!Number.isSafeInteger(draft.at) || draft.at < 0) throw notOurs('time')
  const shape = shapeOf(Object.keys(draft.fields))
  const secrets = { seed, fields: shape.sensitive.map(({ name }) => [name, cutField(draft, name)] as const) }
  const content = { draft, commitments: commitmentsOf(draft, shape, secrets), pseudonymOf }
  let text = ''
  for (const member of shape.members) text += member.opening + memberText(member, content)
  const bytes = utf8(`${text}}`)
  return { bytes: bytes.length <= LIMITS.leafBytes ? bytes : shortened(shape, content), secrets }
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

function cutField(draft: EntryDraft, name: string): JsonValue {
  return cutValue(draft.fields[name] ?? null)
}

function publicField(draft: EntryDraft, name: string): JsonValue {
  if (!isOfPublicType(name, draft.fields[name] ?? null)) throw notOurs(`value of "${name}"`)
  return cutField(draft, name)
}

function notOurs(what: string): Fault {
  return new Fault('internal.bug', { error: `an entry has a wrong ${what}` })
}

/** What the members of a leaf are written from. */
interface LeafContent {
  readonly draft: EntryDraft
  /** Canonical JSON. */
  readonly commitments: string
  readonly pseudonymOf: (value: string) => string
}

function commitmentsOf({ kind }: EntryDraft, { sensitive }: LeafShape, { seed, fields }: Secrets): string {
  let text = ''
  for (const [at, [name, value]] of fields.entries())
    text += `${sensitive[at]?.opening}"${commitField(seed, kind, name, canonicalJson(value))}"`
  return `${text}}`
}

/** The canonical JSON of a member. What the cases without `JSON.stringify` give has no character that it escapes. */
function memberText({ name, holds }: LeafMember, { draft, commitments, pseudonymOf }: LeafContent): string {
  switch (holds) {
    case 'version':
      return String(LEAF_VERSION)
    case 'kind':
      return `"${draft.kind}"`
    case 'id':
      return `"${draft.id}"`
    case 'at':
      return canonicalJson(draft.at)
    case 'commitments':
      return commitments
    case 'pseudonym':
      return JSON.stringify(pseudonymOf(plainText(draft.fields[name] ?? null)))
    default:
      return canonicalJson(publicField(draft, name))
  }
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

/** Many long values: the longest public ones give way until the rest fits. */
function shortened({ members }: LeafShape, content: LeafContent): Uint8Array {
  const texts = members.map((member) => memberText(member, content))
  const byLength = [...members.entries()]
    .filter(([, { holds }]) => holds === 'public')
    .map(([at]) => ({ at, length: (texts[at] ?? '').length }))
    .sort((left, right) => right.length - left.length)
  for (const { at, length } of byLength) {
    texts[at] = canonicalJson({ cut: '', length })
    const bytes = utf8(`${members.map(({ opening }, each) => opening + texts[each]).join('')}}`)
    if (bytes.length <= LIMITS.leafBytes) return bytes
  }
  throw new Fault('internal.bug', { error: 'an entry has more fields than a leaf can hold' })
}
