import type { JsonValue } from '#base/json.ts'

/** True or false, also as the texts that some providers send, in any case. Undefined for everything else. */
export function toBoolean(value: JsonValue): boolean | undefined {
  if (typeof value === 'boolean') return value
  const word = typeof value === 'string' ? value.toLowerCase() : ''
  if (word === 'true') return true
  return word === 'false' ? false : undefined
}
