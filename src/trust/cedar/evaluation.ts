import type { EntityRef } from '#base/decider.ts'
import type { EntityNode, EntityStore } from './entities.ts'
import { EntityValue, type RecordValue, type Value } from './values.ts'

/** What is asked, as policies see it. */
export interface Request {
  readonly principal: EntityRef
  readonly action: EntityRef
  readonly resource: EntityRef
  /** Read once, and only when a policy looks at the context. */
  readonly context: () => RecordValue
}

/** One question while policies are evaluated. */
export class Evaluation {
  readonly entities: EntityStore
  readonly principalNode: EntityNode | undefined
  readonly actionNode: EntityNode | undefined
  readonly resourceNode: EntityNode | undefined
  readonly request: Request
  #context: RecordValue | undefined
  #principal: EntityValue | undefined
  #action: EntityValue | undefined
  #resource: EntityValue | undefined

  constructor(request: Request, entities: EntityStore) {
    this.request = request
    this.entities = entities
    this.principalNode = entities.find(request.principal)
    this.actionNode = entities.findAction(request.action)
    this.resourceNode = entities.find(request.resource)
  }

  get principal(): EntityValue {
    this.#principal ??= this.principalNode?.value ?? toValue(this.request.principal)
    return this.#principal
  }

  get action(): EntityValue {
    this.#action ??= this.actionNode?.value ?? toValue(this.request.action)
    return this.#action
  }

  get resource(): EntityValue {
    this.#resource ??= this.resourceNode?.value ?? toValue(this.request.resource)
    return this.#resource
  }

  get context(): RecordValue {
    this.#context ??= this.request.context()
    return this.#context
  }

  find(entity: EntityValue): EntityNode | undefined {
    if (entity === this.#principal) return this.principalNode
    if (entity === this.#resource) return this.resourceNode
    return this.entities.find(entity)
  }
}

/** What is left of an expression once compiled. Throws EvaluationError and nothing else. */
export type Compiled = (evaluation: Evaluation) => Value

/** The same of an expression that must be a truth. */
export type Test = (evaluation: Evaluation) => boolean

function toValue({ type, id }: EntityRef): EntityValue {
  return new EntityValue(type, id)
}
