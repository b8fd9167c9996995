import type { EntryKind } from '#base/recorder.ts'
import { PUBLIC_TYPES, type PublicType } from './class_table.ts'
import { LEAF_VERSION } from './leaf.ts'
import { MOST_FIELDS, NAME_CHARACTERS } from './leaf_shape.ts'

export const KINDS: readonly EntryKind[] = ['intent', 'outcome', 'refusal', 'digest', 'change', 'note']
/** 12 and 32 bytes in base64url; of the last character of the latter two bits are zero (RFC 4648 section 3.5). */
export const PSEUDONYM_FORM = String.raw`[\w-]{16}`
export const COMMITMENT_FORM = String.raw`[\w-]{42}[AEIMQUYcgkosw048]`

/**
 * Whether a text is a leaf in its one form as nearly all are: printable ASCII, whole numbers, and in values at most lists
 * of texts. False says nothing. One expression over the text takes a fifth of the time of reading it as JSON, looking at
 * its members and printing it again.
 */
export function isUsualLeaf(text: string): boolean {
  return USUAL_LEAF.test(text) && areCommitmentsInOrder(text)
}

/** Without `"` and `\`, each of which has another before it. No text can match in two ways, so none takes long. */
const CHARACTERS = String.raw`[ !#-\[\]-~]*`
const TEXT = String.raw`"${CHARACTERS}(?:\\["\\]${CHARACTERS})*"`
/** Up to 15 digits, which `number` holds exactly. */
const WHOLE = '(?:0|-?[1-9][0-9]{0,14})'
const LIST = String.raw`\[(?:${TEXT}(?:,${TEXT})*)?\]`
const COMMITMENT = `"[a-z_]{1,${NAME_CHARACTERS}}":"${COMMITMENT_FORM}"`

const PUBLIC_FORMS: Readonly<Record<PublicType, string>> = {
  text: TEXT,
  number: WHOLE,
  'number or text': `${WHOLE}|${TEXT}`,
  list: LIST,
  value: `${WHOLE}|${TEXT}|${LIST}`,
}

const ALWAYS: ReadonlyMap<string, string> = new Map([
  ['v', String(LEAF_VERSION)],
  ['kind', `"(?:${KINDS.join('|')})"`],
  ['id', '"[0-9A-Za-z]{16}"'],
  ['at', '(?:0|[1-9][0-9]{0,14})'],
])
const SOMETIMES: ReadonlyMap<string, string> = new Map([
  ['commit', String.raw`\{${COMMITMENT}(?:,${COMMITMENT}){0,${MOST_FIELDS - 1}}\}`],
  ['caller', `"${PSEUDONYM_FORM}"`],
  ...[...PUBLIC_TYPES].map(([name, type]) => [name, `(?:${PUBLIC_FORMS[type]}|null)`] as const),
])

const USUAL_LEAF = new RegExp(String.raw`^\{${allMembers()}\}$`)

/** All members that a leaf can have, in canonical order; a comma comes with each, towards `at`, which every leaf has. */
function allMembers(): string {
  const names = [...ALWAYS.keys(), ...SOMETIMES.keys()].sort()
  const middle = names.indexOf('at')
  return names
    .map((name, place) => {
      const member = `"${name}":${ALWAYS.get(name) ?? SOMETIMES.get(name)}`
      const joined = place < middle ? `${member},` : place > middle ? `,${member}` : member
      return ALWAYS.has(name) ? joined : `(?:${joined})?`
    })
    .join('')
}

/** The member up to its first name. No text that matches has it elsewhere: in a value every quote is behind a `\`. */
const COMMITMENTS = '"commit":{"'
const COMMITMENT_CHARACTERS = 43
/** From the end of one name to the start of the next. */
const TO_NEXT = '":"'.length + COMMITMENT_CHARACTERS + '","'.length

/** The order of names is what the expression cannot say, and that none stands in the clear too, as only those of fields can. */
function areCommitmentsInOrder(text: string): boolean {
  const found = text.indexOf(COMMITMENTS)
  if (found < 0) return true
  let start = found + COMMITMENTS.length
  let before = ''
  do {
    const end = text.indexOf('"', start)
    const name = text.slice(start, end)
    if (name <= before || SOMETIMES.has(name)) return false
    before = name
    start = end + TO_NEXT
  } while (text[start - 2] === ',')
  return true
}
