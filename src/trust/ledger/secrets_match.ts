import { isJsonObject, type JsonObject } from '#base/json.ts'
import { saltFor, verifyDisclosure } from './commitment.ts'
import { kindOf } from './leaf.ts'
import type { SecretRecord } from './sidecar.ts'

/** Whether the secrets of an entry are what its leaf commits to: one for each commitment, and each the right one. */
export function secretsMatch(leaf: JsonObject, record: SecretRecord): boolean {
  // Shredded: value and salt are gone, the commitment stays.
  if (record === undefined) return true
  const committed = isJsonObject(leaf['commit']) ? Object.keys(leaf['commit']) : []
  return (
    committed.length === record.fields.length &&
    record.fields.every(([field, value]) =>
      verifyDisclosure(leaf, field, value, saltFor(record.seed, kindOf(leaf), field)),
    )
  )
}
