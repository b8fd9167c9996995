import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import type { Attribute } from './attribute.ts'
import { toBoolean } from './boolean.ts'
import { findAttribute, type ResourceType } from './resource_type.ts'
import { scimFault } from './scim_fault.ts'

/**
 * Reads a whole resource as a client sends it: members get the names of the schema, booleans may be texts. What no schema
 * lists and what only this door may set is left out (RFC 7644 section 3.3), and so is what is null or an empty list.
 *
 * Throws `input.invalid` with `invalidValue`.
 */
export function readResource(type: ResourceType, sent: JsonObject): JsonObject {
  checkSchemas(type, sent)
  return readMembers(type.attributes, sent)
}

/** Undefined for what is as good as nothing. Throws `input.invalid` with `invalidValue`. */
export function readValue(attribute: Attribute, sent: JsonValue): JsonValue | undefined {
  if (sent === null) return undefined
  if (attribute.multiValued) return readList(attribute, sent)
  return readOne(attribute, sent)
}

/** The values of a multi-valued attribute, of which there may be one without a list around it. */
export function readList(attribute: Attribute, sent: JsonValue): readonly JsonObject[] | undefined {
  const list = isJsonArray(sent) ? sent : [sent]
  const values: JsonObject[] = []
  for (const each of list) {
    const value = each === null ? undefined : readOne(attribute, each)
    if (isJsonObject(value)) values.push(value)
  }
  if (values.filter(isPrimary).length > 1)
    throw scimFault('invalidValue', `At most one of "${attribute.name}" can be primary.`)
  return values.length === 0 ? undefined : values
}

export function isPrimary(value: JsonValue): boolean {
  return isJsonObject(value) && value['primary'] === true
}

function readOne(attribute: Attribute, sent: JsonValue): JsonValue | undefined {
  switch (attribute.type) {
    case 'boolean':
      return readBoolean(attribute, sent)
    case 'complex':
      return readComplex(attribute, sent)
    default:
      return readText(attribute, sent)
  }
}

function readBoolean({ name }: Attribute, sent: JsonValue): boolean {
  const value = toBoolean(sent)
  if (value === undefined) throw scimFault('invalidValue', `"${name}" is true or false.`)
  return value
}

/** Control characters other than ends of lines would be taken for something else where the text is shown. */
const CONTROL = /[^\P{Cc}\n\r\t]/u

function readText({ name }: Attribute, sent: JsonValue): string {
  if (typeof sent !== 'string') throw scimFault('invalidValue', `"${name}" is a text.`)
  if (sent.length > LIMITS.scimValueCharacters)
    throw scimFault('invalidValue', `"${name}" may have ${LIMITS.scimValueCharacters} characters.`)
  if (CONTROL.test(sent)) throw scimFault('invalidValue', `"${name}" may not hold control characters.`)
  return sent
}

function readComplex(attribute: Attribute, sent: JsonValue): JsonObject | undefined {
  const value = readMembers(attribute.subAttributes, toParts(attribute, sent))
  return Object.keys(value).length === 0 ? undefined : value
}

/** A text alone is meant as the `value`: the manager comes so from one provider, members from others. */
export function toParts({ name, subAttributes }: Attribute, sent: JsonValue): JsonObject {
  const isValue = typeof sent === 'string' && findAttribute(subAttributes, 'value') !== undefined
  const parts = isValue ? { value: sent } : sent
  if (!isJsonObject(parts)) throw scimFault('invalidValue', `"${name}" has parts.`)
  return parts
}

function readMembers(attributes: readonly Attribute[], sent: JsonObject): JsonObject {
  const read: Record<string, JsonValue> = {}
  for (const [name, member] of Object.entries(sent)) {
    const attribute = findAttribute(attributes, name)
    if (attribute === undefined || attribute.mutability === 'readOnly') continue
    if (Object.hasOwn(read, attribute.name)) throw twice(attribute.name)
    const value = readValue(attribute, member)
    if (value !== undefined) read[attribute.name] = value
  }
  return read
}

/** Names differ between clients in case only; schemas that are not known are of no importance. */
function checkSchemas({ schema }: ResourceType, sent: JsonObject): void {
  const schemas = memberOf(sent, 'schemas')
  const wanted = schema.id.toLowerCase()
  const isNamed =
    schemas !== undefined &&
    isJsonArray(schemas) &&
    schemas.some((id) => typeof id === 'string' && id.toLowerCase() === wanted)
  if (!isNamed) throw scimFault('invalidSyntax', `"schemas" must name "${schema.id}".`)
}

/** A member by its name in any case. Throws `input.invalid` where two have it: somebody else could read the other one. */
export function memberOf(object: JsonObject, name: string): JsonValue | undefined {
  const key = name.toLowerCase()
  const [found, second] = Object.keys(object).filter((each) => each.toLowerCase() === key)
  if (second !== undefined) throw twice(name)
  return found === undefined ? undefined : object[found]
}

function twice(name: string): Error {
  return scimFault('invalidSyntax', `"${name}" is there twice, in different letter cases.`)
}
