import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Attribute } from './attribute.ts'
import { toAttributePath } from './attribute_path.ts'
import { resolve, type ResourceType } from './resource_type.ts'
import { scimFault } from './scim_fault.ts'

/** Which attributes an answer is to hold (RFC 7644 section 3.9), as they were named. */
export interface Selection {
  readonly attributes: readonly string[] | undefined
  readonly excluded: readonly string[] | undefined
}

/** Throws `input.invalid` with `invalidValue` where both are given: which one counts is not said anywhere. */
export function checkSelection({ attributes, excluded }: Selection): void {
  if (attributes !== undefined && excluded !== undefined)
    throw scimFault('invalidValue', 'Give either "attributes" or "excludedAttributes".')
}

/** What of a resource is to be answered. Names that are not known choose nothing. */
export function select(type: ResourceType, resource: JsonObject, selection: Selection): JsonObject {
  const { attributes, excluded } = selection
  if (attributes !== undefined) return keep(resource, [...ALWAYS, ...pathsOf(type, attributes)])
  if (excluded === undefined) return resource
  const paths = pathsOf(type, excluded).filter(([first]) => first !== undefined && !ALWAYS_NAMES.has(first))
  return drop(resource, paths)
}

/** False when no part of the attribute can be in the answer. */
export function isSelected(type: ResourceType, name: string, { attributes, excluded }: Selection): boolean {
  if (attributes !== undefined) return pathsOf(type, attributes).some(([first]) => first === name)
  return !pathsOf(type, excluded ?? []).some(([first, second]) => first === name && second === undefined)
}

type Path = readonly string[]

const ALWAYS: readonly Path[] = [['schemas'], ['id']]
const ALWAYS_NAMES: ReadonlySet<string> = new Set(ALWAYS.flat())

function pathsOf(type: ResourceType, names: readonly string[]): readonly Path[] {
  return names.flatMap((name) => {
    const path = toAttributePath(name.trim())
    const steps: readonly Attribute[] | undefined = path && resolve(type, path)
    return steps === undefined ? [] : [steps.map((step) => step.name)]
  })
}

function keep(object: JsonObject, paths: readonly Path[]): JsonObject {
  const kept: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(object)) {
    const inner = paths.filter(([first]) => first === name).map(([, ...rest]) => rest)
    if (inner.length === 0) continue
    const isWhole = inner.some((rest) => rest.length === 0)
    kept[name] = isWhole ? value : inside(value, (part) => keep(part, inner))
  }
  return kept
}

function drop(object: JsonObject, paths: readonly Path[]): JsonObject {
  const kept: Record<string, JsonValue> = {}
  for (const [name, value] of Object.entries(object)) {
    const inner = paths.filter(([first]) => first === name).map(([, ...rest]) => rest)
    const isWhole = inner.some((rest) => rest.length === 0)
    if (!isWhole) kept[name] = inner.length === 0 ? value : inside(value, (part) => drop(part, inner))
  }
  return kept
}

function inside(value: JsonValue, change: (part: JsonObject) => JsonObject): JsonValue {
  if (isJsonArray(value)) return value.map((each) => inside(each, change))
  return isJsonObject(value) ? change(value) : value
}
