import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'

/**
 * The arguments of a tool as Anthropic has them, from OpenAI's text; undefined where the text is no JSON object, or one
 * of which a reader could lose something: a member that stands twice, an integer too great. No text at all is no arguments.
 */
export function readArguments(text: string): JsonObject | undefined {
  if (text.trim() === '') return {}
  try {
    const value = parseStrictJson(utf8(text), LIMITS)
    return isJsonObject(value) ? value : undefined
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined
    throw thrown
  }
}
