import type { EntityFacts } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { EntityPart, EntityStore } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { isLastingValue } from './lasting_records.ts'
import { EMPTY_RECORD, toRecordValue } from './policy_value.ts'
import { hasType, type EntityShape, type Schema } from './schema_types.ts'
import type { RecordValue } from './values.ts'

/**
 * Prepares the entities of questions, and keeps what was prepared of facts and of lists that can never change (frozen all
 * through) for as long as somebody holds them. What can change is read again at each question.
 */
export class QuestionEntities {
  readonly #schema: Schema
  readonly #actions: EntityPart
  /** By frozen list. To see that all in it is frozen costs as much as to read it, so that is left for the second time. */
  readonly #parts = new WeakMap<readonly EntityFacts[], EntityPart | 'once'>()
  /** By frozen facts, in the same way: a caller that was never seen before is in groups that were. */
  readonly #accounts = new WeakMap<EntityFacts, EntityAccount | 'once'>()

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
    const part = new EntityPart(list.map((facts) => this.#account(facts)))
    if (known === 'once' ? list.every(isLasting) : Object.isFrozen(list))
      this.#parts.set(list, known === 'once' ? part : 'once')
    return part
  }

  #account(facts: EntityFacts): EntityAccount {
    const known = this.#accounts.get(facts)
    if (known !== undefined && known !== 'once') return known
    const account = toAccount(facts, this.#schema.entities)
    if (known === 'once' ? isLasting(facts) : Object.isFrozen(facts))
      this.#accounts.set(facts, known === 'once' ? account : 'once')
    return account
  }
}

function toAccount(
  { ref, parents, attributes: given }: EntityFacts,
  shapes: ReadonlyMap<string, EntityShape>,
): EntityAccount {
  const shape = shapes.get(ref.type)
  const attributes = toRecordValue(given)
  if (shape === undefined || !areAttributes(attributes, shape)) refuseFacts(ref.type)
  // The type that was found good last: parents of one type come in rows.
  let good: string | undefined
  for (const { type } of parents) {
    if (type === good) continue
    if (!shape.parents.has(type)) refuseFacts(ref.type)
    good = type
  }
  return new EntityAccount(ref, parents, attributes, EMPTY_RECORD)
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
    isLastingValue(facts.attributes)
  )
}
