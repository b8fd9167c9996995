import { canonicalJson } from '#base/canonical_json.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { commitField } from './commitment.ts'
import { kindOf } from './leaf.ts'
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
