import type { EntityFacts, PolicyValue } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { EntityNode, EntityPart, EntityStore } from './entities.ts'
import { EMPTY_RECORD, toRecordValue } from './policy_value.ts'
import { hasType, type EntityShape, type Schema } from './schema_types.ts'
import type { RecordValue } from './values.ts'

/** Facts that stood side by side in a question. */
interface Run {
  readonly facts: readonly EntityFacts[]
  /** What was prepared of them; undefined until they came a second time. */
  readonly part: EntityPart | undefined
}

/**
 * Prepares the entities of questions, and keeps what was prepared of facts that can never change (frozen all through)
 * for as long as somebody holds these. Facts that can change are read again at each question.
 *
 * The list of a question is new each time, its facts are not: a caller brings the same ones in the same order. So runs of
 * facts are kept under their first one, and a run that a later list follows only in part is cut to that part. To see
 * that facts are frozen costs as much as to read them, so it is looked at when they come the second time.
 */
export class QuestionEntities {
  readonly #schema: Schema
  readonly #actions: EntityPart
  readonly #runs = new WeakMap<EntityFacts, Run>()

  constructor(schema: Schema, actions: EntityPart) {
    this.#schema = schema
    this.#actions = actions
  }

  /** Throws Fault `internal.bug` for facts that are not of the schema. */
  prepare(list: readonly EntityFacts[]): EntityStore {
    const parts: EntityPart[] = []
    let at = 0
    for (let first = list[at]; first !== undefined; first = list[at]) {
      const { part, count } = this.#partAt(list, at, first)
      parts.push(part)
      at += count
    }
    return new EntityStore(parts, this.#actions)
  }

  #partAt(list: readonly EntityFacts[], at: number, first: EntityFacts): { part: EntityPart; count: number } {
    const run = this.#runs.get(first)
    const shared = run === undefined ? this.#newRunLength(list, at) : sharedLength(run.facts, list, at)
    if (run?.part !== undefined && shared === run.facts.length) return { part: run.part, count: shared }
    const seen = list.slice(at, at + shared)
    // What can change ends a run of what cannot, and the other way about.
    const lasting = run !== undefined && isLasting(first)
    const end = run === undefined ? -1 : seen.findIndex((facts) => isLasting(facts) !== lasting)
    const facts = end < 0 ? seen : seen.slice(0, end)
    const part = new EntityPart(toNodes(facts, this.#schema.entities))
    this.#runs.set(first, { facts, part: lasting ? part : undefined })
    return { part, count: facts.length }
  }

  /** Facts from here on that begin no other run. */
  #newRunLength(list: readonly EntityFacts[], at: number): number {
    let end = at + 1
    for (let next = list[end]; next !== undefined && !this.#runs.has(next); next = list[end]) end += 1
    return end - at
  }
}

function sharedLength(facts: readonly EntityFacts[], list: readonly EntityFacts[], at: number): number {
  let count = 0
  while (count < facts.length && facts[count] === list[at + count]) count += 1
  return count
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
