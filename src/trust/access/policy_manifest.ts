import { canonicalJson } from '#base/canonical_json.ts'
import { sha256Hex } from '#base/crypto.ts'
import type { PolicyFile } from '#base/decider.ts'

/** A policy file by its hash: hex SHA-256 of its UTF-8 text. */
export type PolicyHash = { readonly name: string; readonly hash: string }

/** The files of a set by their hashes, in the order of their names. */
export function manifestOf(files: readonly PolicyFile[]): readonly PolicyHash[] {
  return files
    .map(({ name, text }) => ({ name, hash: sha256Hex(text) }))
    .sort((left, right) => (left.name < right.name ? -1 : 1))
}

/**
 * The hash of a set: hex SHA-256 of the canonical JSON of its files and of the schema that gives them meaning. The
 * same text under another schema is another set.
 */
export function setHash(files: readonly PolicyFile[], schemaHash: string): string {
  const hashes = Object.fromEntries(manifestOf(files).map(({ name, hash }) => [name, hash]))
  return sha256Hex(canonicalJson({ v: 1, schema: schemaHash, files: hashes }))
}
