import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'

/** The names of members from the claims inwards. A list, because names of claims hold dots and slashes. */
export type ClaimPath = readonly string[]

/**
 * Reads the short form of a path. `realm_access.roles` leads into an object; a name that holds anything but letters, digits,
 * `_`, `-` and dots between could be read in more than one way and has to be written as a list: undefined then.
 */
export function parseClaimPath(text: string): ClaimPath | undefined {
  return PLAIN_PATH.test(text) ? text.split('.') : undefined
}

/** The value at a path; undefined where there is none, also where it is null. */
export function claimAt(claims: JsonObject, path: ClaimPath): JsonValue | undefined {
  let value: JsonValue = claims
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined
    value = value[name] ?? null
  }
  return value ?? undefined
}

const PLAIN_PATH = /^[\w-]+(?:\.[\w-]+)*$/
