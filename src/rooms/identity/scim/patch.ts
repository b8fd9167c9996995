import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Attribute } from './attribute.ts'
import { toAttributePath } from './attribute_path.ts'
import type { Filter } from './filter.ts'
import type { Operation } from './patch_request.ts'
import { readList, readValue, toParts } from './read_value.ts'
import { findAttribute, resolve, type ResourceType } from './resource_type.ts'
import { scimFault } from './scim_fault.ts'
import { ValueList, type Values } from './value_list.ts'

/** What operations are applied to. */
export interface Patched {
  readonly type: ResourceType
  /** As `readResource` gives it. */
  readonly resource: JsonObject
  /** Multi-valued attributes that are kept elsewhere, by name: what happens to them does not show in the result. */
  readonly lists?: ReadonlyMap<string, Values>
}

/**
 * Applies the operations of a PATCH, one after the other (RFC 7644 section 3.5.2), and gives the resource that comes of it;
 * the one before stays as it is, so that all of them are applied or none.
 *
 * Throws `input.invalid` with `invalidPath` for an attribute that is not known, `mutability` for one that cannot be
 * written or taken away, `noTarget` where nothing matches what is to be replaced, and `invalidValue`.
 */
export function applyPatch(patched: Patched, operations: readonly Operation[]): JsonObject {
  const draft = new Draft(patched)
  for (const operation of operations) draft.apply(operation)
  return draft.toResource()
}

class Draft {
  readonly #type: ResourceType
  readonly #lists: ReadonlyMap<string, Values>
  readonly #own = new Map<string, ValueList>()
  #resource: JsonObject

  constructor({ type, resource, lists = new Map() }: Patched) {
    this.#type = type
    this.#resource = resource
    this.#lists = lists
  }

  toResource(): JsonObject {
    const resource: Record<string, JsonValue> = { ...this.#resource }
    for (const [name, list] of this.#own) {
      const values = list.toValue()
      if (values.length === 0) delete resource[name]
      else resource[name] = values
    }
    return resource
  }

  apply({ kind, target, value = null }: Operation): void {
    if (target === undefined) {
      this.#applyMembers(kind, value)
      return
    }
    const steps = resolve(this.#type, target.path)
    if (steps === undefined)
      throw scimFault('invalidPath', 'The path names an attribute that is not kept: see /Schemas.')
    const fixed = steps.find(({ mutability }) => mutability !== 'readWrite')
    if (fixed !== undefined) throw scimFault('mutability', `"${fixed.name}" cannot be changed.`)
    this.#change(steps, { kind, value, filter: target.filter })
  }

  /** Each member is an operation of its own; its name may be a path. What is not kept is left out, as in a whole resource. */
  #applyMembers(kind: Operation['kind'], members: JsonValue): void {
    if (!isJsonObject(members)) return
    for (const [name, value] of Object.entries(members)) {
      const path = toAttributePath(name)
      const steps = path === undefined ? undefined : resolve(this.#type, path)
      if (steps?.every(({ mutability }) => mutability === 'readWrite') === true)
        this.#change(steps, { kind, value, filter: undefined })
    }
  }

  #change(steps: readonly Attribute[], change: Change): void {
    const [first, sub] = steps
    if (first === undefined) return
    if (first.multiValued) this.#changeList(first, sub, change)
    else if (change.filter === undefined) this.#resource = changed(this.#resource, steps, change)
    else
      throw scimFault('invalidPath', `"${first.name}" has one value only: there is nothing to choose from.`)
  }

  #changeList(attribute: Attribute, sub: Attribute | undefined, change: Change): void {
    const list = this.#listOf(attribute)
    if (sub === undefined && change.filter === undefined) changeAll(list, attribute, change)
    else if (sub === undefined) changeMatching(list, attribute, change)
    else changeParts(list, { attribute, sub }, change)
  }

  #listOf(attribute: Attribute): Values {
    const { name } = attribute
    const known = this.#lists.get(name) ?? this.#own.get(name)
    if (known !== undefined) return known
    const before = this.#resource[name] ?? []
    const list = new ValueList(attribute, isJsonArray(before) ? before : [before])
    this.#own.set(name, list)
    return list
  }
}

interface Change {
  readonly kind: Operation['kind']
  /** Null where none was sent. */
  readonly value: JsonValue
  readonly filter: Filter | undefined
}

/** The list as a whole. A `value` with a remove, as Entra sends it for members, says which ones. */
function changeAll(list: Values, attribute: Attribute, { kind, value }: Change): void {
  const isEach = kind === 'remove' && value !== null
  if (kind === 'replace' || (kind === 'remove' && !isEach)) list.clear()
  const values = readList(attribute, value) ?? []
  if (isEach) list.remove(values)
  else if (kind !== 'remove') list.add(values)
}

function changeMatching(list: Values, attribute: Attribute, { kind, value, filter }: Change): void {
  if (filter === undefined) return
  if (kind === 'remove') {
    list.removeMatching(filter)
    return
  }
  const sent = isJsonArray(value) && value.length === 1 ? (value[0] ?? null) : value
  const count = list.replaceMatching(filter, (each) => merged(attribute, each, { kind, value: sent }))
  if (count > 0) return
  list.add([merged(attribute, valueFor(attribute, { kind, filter }), { kind, value: sent })])
}

/** One part of the values that match, or of all. */
function changeParts(
  list: Values,
  { attribute, sub }: { readonly attribute: Attribute; readonly sub: Attribute },
  { kind, value, filter }: Change,
): void {
  const isEmptied = kind === 'remove' || value === null
  const change = (each: JsonObject): JsonObject => changed(each, [sub], { kind, value })
  const count = list.replaceMatching(filter, (each) => {
    const after = change(each)
    return isEmptied && !holdsAnything(after) ? undefined : after
  })
  if (count === 0 && !isEmptied) list.add([change(valueFor(attribute, { kind, filter }))])
}

/** A value that is only of a type, or only the primary one, is none. */
function holdsAnything(value: JsonObject): boolean {
  return Object.keys(value).some((name) => name !== 'type' && name !== 'primary' && name !== 'display')
}

/**
 * A new value that the filter would match: `emails[type eq "work"].value` is how providers add the address for work. Only
 * an add makes one; to replace what is not there is refused (RFC 7644 section 3.5.2.3).
 */
function valueFor(
  attribute: Attribute,
  { kind, filter }: { readonly kind: Operation['kind']; readonly filter: Filter | undefined },
): JsonObject {
  const parts = filter?.kind === 'and' ? filter.parts : filter === undefined ? [] : [filter]
  const value: Record<string, JsonValue> = {}
  for (const part of parts) {
    const sub = part.kind === 'compare' ? findAttribute(attribute.subAttributes, part.path.name) : undefined
    const isFact = part.kind === 'compare' && part.comparison === 'eq' && part.value !== null
    if (!isFact || sub === undefined || kind !== 'add')
      throw scimFault('noTarget', `No value of "${attribute.name}" matches the path.`)
    value[sub.name] = readValue(sub, part.value) ?? null
  }
  if (kind !== 'add') throw scimFault('noTarget', `"${attribute.name}" has no values.`)
  return value
}

/** The same object with one member changed, however deep it is. */
function changed(
  object: JsonObject,
  steps: readonly Attribute[],
  change: Pick<Change, 'kind' | 'value'>,
): JsonObject {
  const [step, ...rest] = steps
  if (step === undefined) return object
  const { [step.name]: before, ...others } = object
  const inner = before !== undefined && isJsonObject(before) ? before : {}
  const after = rest.length > 0 ? changed(inner, rest, change) : changedMember(step, before, change)
  if (after !== undefined && !isEmpty(after)) return { ...others, [step.name]: after }
  if (step.required || step.name === 'active')
    throw scimFault('mutability', `"${step.name}" cannot be taken away.`)
  return others
}

function changedMember(
  attribute: Attribute,
  before: JsonValue | undefined,
  { kind, value }: Pick<Change, 'kind' | 'value'>,
): JsonValue | undefined {
  if (kind === 'remove' || value === null) return kind === 'add' ? before : undefined
  if (attribute.type !== 'complex') return readValue(attribute, value)
  return merged(attribute, before !== undefined && isJsonObject(before) ? before : {}, { kind, value })
}

/** RFC 7644 section 3.5.2.3: parts that are not named stay as they are. */
function merged(
  attribute: Attribute,
  before: JsonObject,
  { kind, value }: Pick<Change, 'kind' | 'value'>,
): JsonObject {
  let after = before
  for (const [name, part] of Object.entries(toParts(attribute, value))) {
    const sub = findAttribute(attribute.subAttributes, name)
    if (sub?.mutability === 'readWrite') after = changed(after, [sub], { kind, value: part })
  }
  return after
}

function isEmpty(value: JsonValue): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0
}
