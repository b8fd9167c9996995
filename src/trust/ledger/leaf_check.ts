import { utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { isEntryId } from '#base/ids.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { classOf, PUBLIC_TYPES, type PublicType } from './class_table.ts'
import { LEAF_VERSION } from './leaf.ts'
import { MOST_FIELDS, NAME_CHARACTERS } from './leaf_shape.ts'
import { COMMITMENT_FORM, isUsualLeaf, KINDS, PSEUDONYM_FORM } from './usual_leaf.ts'

/** A leaf as it reads, and what is wrong with its bytes; undefined where they are as `makeLeaf` writes them. */
export interface CheckedLeaf {
  readonly wrong: string | undefined
  /** What the bytes read as, where `isUsualLeaf` says that nothing is wrong. */
  readonly usual: string | undefined
  /** Undefined where the bytes are no JSON object. It is read when asked for: of a usual leaf that is seldom needed. */
  leaf(): JsonObject | undefined
}

/**
 * Checks that bytes are a leaf: canonical JSON (RFC 8785), in which nothing stands twice or can be read in two ways, with
 * the members that an entry has, each of its type, and no others. Whether it says what was signed is for the tree to say.
 */
export function checkLeaf(bytes: Uint8Array): CheckedLeaf {
  if (bytes.length > LIMITS.leafBytes)
    return { wrong: 'longer than an entry can be', usual: undefined, leaf: () => undefined }
  const text = textOf(bytes)
  if (isUsualLeaf(text)) return { wrong: undefined, usual: text, leaf: () => parse(text) }
  return checkAnyLeaf(text, bytes)
}

/** The same for every leaf, usual or not; `text` is what the bytes read as. */
export function checkAnyLeaf(text: string, bytes: Uint8Array): CheckedLeaf {
  const leaf = parse(text)
  const wrong =
    leaf === undefined
      ? 'not a JSON object'
      : (wrongForm(leaf, text, bytes) ?? wrongMember(leaf) ?? missingMember(leaf) ?? doubledMember(leaf))
  return { wrong, usual: undefined, leaf: () => leaf }
}

/** Without a view of its own where the bytes are one: a log has many leaves. */
function textOf(bytes: Uint8Array): string {
  const view = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return view.toString('utf8')
}

/** Parts in one another. A value is cut far above this (`cutValue`); what checks one calls itself for each. */
const MOST_DEPTH = 32
/** What bytes that are no UTF-8 are read as. */
const UNREADABLE = '\ufffd'
const SHOWN_CHARACTERS = 64

function parse(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** The engine prints what it parsed in the order in which it stood: nearly always that tells all. */
function wrongForm(leaf: JsonObject, text: string, bytes: Uint8Array): string | undefined {
  if (isInOrder(leaf, MOST_DEPTH) && !text.includes(UNREADABLE) && JSON.stringify(leaf) === text)
    return undefined
  if (isBeyond(leaf, MOST_DEPTH)) return 'nested deeper or with larger numbers than an entry can have'
  const canonical = utf8(canonicalJson(leaf))
  const at = bytes.findIndex((byte, place) => byte !== canonical[place])
  if (at < 0 && canonical.length === bytes.length) return undefined
  return `not canonical JSON (RFC 8785) from byte ${at < 0 ? bytes.length : at} on`
}

/** Whether all names stand as `<` has them (RFC 8785 section 3.2.3). False also where it is too deep to say. */
function isInOrder(value: JsonValue | undefined, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (depth === 0) return false
  if (isJsonArray(value)) return value.every((each) => isInOrder(each, depth - 1))
  let before: string | undefined
  for (const name in value) {
    if (before !== undefined && name <= before) return false
    const each = value[name]
    if (typeof each === 'object' && !isInOrder(each, depth - 1)) return false
    before = name
  }
  return true
}

/** What has no canonical form, or none that can be made at any depth of the stack. */
function isBeyond(value: JsonValue, depth: number): boolean {
  if (typeof value === 'number') return !Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return false
  return depth === 0 || Object.values(value).some((each: JsonValue) => isBeyond(each, depth - 1))
}

function wrongMember(leaf: JsonObject): string | undefined {
  for (const name in leaf) {
    const member = MEMBERS.get(name)
    if (member === undefined) return `unknown field "${shown(name)}"`
    if (!member.isRight(leaf[name] ?? null)) return `"${name}" is not ${member.is}`
  }
  return undefined
}

function missingMember(leaf: JsonObject): string | undefined {
  const missing = ALWAYS.find((name) => leaf[name] === undefined)
  return missing && `"${missing}" is missing`
}

/** What stands in the clear could be disclosed as something else too. */
function doubledMember(leaf: JsonObject): string | undefined {
  const { commit } = leaf
  const names = isJsonObject(commit) ? Object.keys(commit) : []
  const doubled = names.find((name) => classOf(name) !== 'sensitive' && Object.hasOwn(leaf, name))
  return doubled === undefined ? undefined : `"${shown(doubled)}" stands in the clear and in "commit"`
}

interface Member {
  readonly is: string
  isRight(value: JsonValue): boolean
}

const KNOWN_KINDS: ReadonlySet<JsonValue> = new Set(KINDS)
const PSEUDONYM = new RegExp(`^${PSEUDONYM_FORM}$`)
const COMMITMENT = new RegExp(`^${COMMITMENT_FORM}$`)

const PUBLIC_CHECKS: Readonly<Record<PublicType, (value: JsonValue) => boolean>> = {
  text: (value) => typeof value === 'string',
  number: (value) => typeof value === 'number',
  'number or text': (value) => typeof value === 'number' || typeof value === 'string',
  list: isJsonArray,
  value: () => true,
}

const ALWAYS = ['v', 'kind', 'id', 'at'] as const
const MEMBERS: ReadonlyMap<string, Member> = new Map<string, Member>([
  ['v', { is: String(LEAF_VERSION), isRight: (value) => value === LEAF_VERSION }],
  ['kind', { is: 'a kind of entry', isRight: (value) => KNOWN_KINDS.has(value) }],
  ['id', { is: 'the id of an entry', isRight: (value) => typeof value === 'string' && isEntryId(value) }],
  ['at', { is: 'a time', isRight: (value) => Number.isSafeInteger(value) && Number(value) >= 0 }],
  ['commit', { is: 'commitments', isRight: areCommitments }],
  ['caller', { is: 'a pseudonym', isRight: (value) => typeof value === 'string' && PSEUDONYM.test(value) }],
  ...[...PUBLIC_TYPES].map(([name, type]) => [name, publicMember(type)] as const),
])

/** What became public later is committed to in entries from before: any name may be. */
function areCommitments(value: JsonValue): boolean {
  if (!isJsonObject(value)) return false
  const names = Object.keys(value)
  return (
    names.length > 0 &&
    names.length <= MOST_FIELDS &&
    names.every((name) => name !== '' && name.length <= NAME_CHARACTERS && isCommitment(value[name]))
  )
}

function isCommitment(value: JsonValue | undefined): boolean {
  return typeof value === 'string' && COMMITMENT.test(value)
}

function publicMember(type: PublicType): Member {
  const isOfType = PUBLIC_CHECKS[type]
  return { is: `a ${type}`, isRight: (value) => isOfType(value) || value === null || isCut(value) }
}

/** `cutValue`, and `makeLeaf` where all together are too long. */
function isCut(value: JsonValue): boolean {
  if (!isJsonObject(value) || Object.keys(value).join() !== 'cut,length') return false
  const { length } = value
  return Number.isSafeInteger(length) && Number(length) >= 0
}

/** A name as somebody wrote it who may want to draw on the screen of whoever looks. */
function shown(name: string): string {
  return name.slice(0, SHOWN_CHARACTERS).replaceAll(/[^ -~]|"/g, '?')
}
