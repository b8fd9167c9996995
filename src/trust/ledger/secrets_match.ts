import { canonicalJson } from '#base/canonical_json.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { commitField } from './commitment.ts'
import { kindOf, type Secrets } from './leaf.ts'
import type { CheckedLeaf } from './leaf_check.ts'
import type { SecretRecord } from './sidecar.ts'

/** Whether the secrets of an entry are what its leaf commits to: one for each commitment, and each the right one. */
export function secretsMatch(leaf: JsonObject, record: SecretRecord): boolean {
  // Shredded: value and salt are gone, the commitment stays.
  if (record === undefined) return true
  const commitments = isJsonObject(leaf['commit']) ? leaf['commit'] : {}
  const kind = kindOf(leaf)
  return (
    Object.keys(commitments).length === record.fields.length &&
    record.fields.every(
      ([name, value]) => commitments[name] === commitField(record.seed, kind, name, canonicalJson(value)),
    )
  )
}

/** The same of a leaf that was checked, and true where there is none; a usual one is not read for it. */
export function secretsMatchChecked(checked: CheckedLeaf, record: SecretRecord): boolean {
  const { usual } = checked
  if (record === undefined || (usual !== undefined && areCommittedIn(usual, record))) return true
  const read = checked.leaf()
  return read === undefined || secretsMatch(read, record)
}

const COMMITMENTS = '"commit":{'
const KIND = '"kind":"'

/**
 * Whether the member that commits to these secrets stands in the text of a usual leaf, where in a value every quote is
 * behind a `\`, so that nothing but a member looks like one. False also for the same secrets in another order.
 */
function areCommittedIn(text: string, { seed, fields }: Secrets): boolean {
  if (fields.length === 0) return !text.includes(COMMITMENTS)
  // The last one: a commitment, too, may be of that name.
  const at = text.lastIndexOf(KIND) + KIND.length
  const kind = text.slice(at, text.indexOf('"', at))
  let member = COMMITMENTS
  for (const [name, value] of fields) {
    if (member !== COMMITMENTS) member += ','
    member += `${JSON.stringify(name)}:"${commitField(seed, kind, name, canonicalJson(value))}"`
  }
  return text.includes(`${member}}`)
}
