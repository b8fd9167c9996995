import type { EntityFacts, PolicyValue } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { EntityNode, EntityPart, EntityStore } from './entities.ts'
import { EMPTY_RECORD, toRecordValue } from './policy_value.ts'
import { hasType, type EntityShape, type Schema } from './schema_types.ts'
import type { RecordValue } from './values.ts'

/**
 * Prepares the entities of questions, and keeps what was prepared of a list that can never change (frozen all through) for
 * as long as somebody holds the list. A list that can change is read again at each question.
 */
export class QuestionEntities {
  readonly #schema: Schema
  readonly #actions: EntityPart
  /** By frozen list. To see that all in it is frozen costs as much as to read it, so that is left for the second time. */
  readonly #parts = new WeakMap<readonly EntityFacts[], EntityPart | 'once'>()

  constructor(schema: Schema, actions: EntityPart) {
    this.#schema = schema
    this.#actions = actions
  }

  /** Throws Fault `internal.bug` for facts that are not of the schema. */
  prepare(lists: readonly (readonly EntityFacts[])[]): EntityStore {
    return new EntityStore(
      lists.map((list) => this.#part(list)),
      this.#actions,
    )
  }

  #part(list: readonly EntityFacts[]): EntityPart {
    const known = this.#parts.get(list)
    if (known !== undefined && known !== 'once') return known
    const part = new EntityPart(toNodes(list, this.#schema.entities))
    if (known === 'once' ? list.every(isLasting) : Object.isFrozen(list))
      this.#parts.set(list, known === 'once' ? part : 'once')
    return part
  }
}

function toNodes(facts: readonly EntityFacts[], shapes: ReadonlyMap<string, EntityShape>): EntityNode[] {
  const nodes: EntityNode[] = []
  let type: string | undefined
  let shape: EntityShape | undefined
  // The type of parent that was found good last: facts of one type come in rows, and so do their parents.
  let parent: string | undefined
  for (const { ref, parents, attributes: given } of facts) {
    if (ref.type !== type) {
      type = ref.type
      shape = shapes.get(type)
      parent = undefined
    }
    const attributes = toRecordValue(given)
    if (shape === undefined || !areAttributes(attributes, shape)) refuseFacts(type)
    for (const { type: above } of parents) {
      if (above === parent) continue
      if (!shape.parents.has(above)) refuseFacts(type)
      parent = above
    }
    nodes.push(new EntityNode(ref, parents, attributes, EMPTY_RECORD))
  }
  return nodes
}

function refuseFacts(type: string): never {
  throw new Fault('internal.bug', { error: `what a question says of a ${type} is not of the schema` })
}

function areAttributes(attributes: RecordValue, shape: EntityShape): boolean {
  // Most entities have none, and a caller brings dozens of these.
  if (attributes === EMPTY_RECORD) return shape.attributes.required === 0
  return hasType(attributes, shape.attributes)
}

/** True when nothing of it can be changed any more. */
function isLasting(facts: EntityFacts): boolean {
  return (
    Object.isFrozen(facts) &&
    Object.isFrozen(facts.ref) &&
    Object.isFrozen(facts.parents) &&
    facts.parents.every((parent) => Object.isFrozen(parent)) &&
    isDeepFrozen(facts.attributes)
  )
}

function isDeepFrozen(value: PolicyValue): boolean {
  if (typeof value !== 'object') return true
  return Object.isFrozen(value) && Object.values(value).every(isDeepFrozen)
}
