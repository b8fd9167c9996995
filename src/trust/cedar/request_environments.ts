import type { EntityRef } from '#base/decider.ts'
import { printType } from './describe_type.ts'
import { isSameRef } from './ref_map.ts'
import type { SchemaHierarchy } from './schema_hierarchy.ts'
import type { ActionShape, RecordType, Schema } from './schema_types.ts'
import { isSlot, type ActionScope, type Place, type Policy, type Scope, type Variable } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

/** What the variables of a policy are in one kind of request: the schema lists all kinds there are. */
export interface RequestEnvironment {
  readonly principal: string
  readonly action: EntityRef
  readonly resource: string
  readonly context: RecordType
}

interface Action {
  readonly ref: EntityRef
  readonly principals: readonly string[]
  readonly resources: readonly string[]
  readonly context: RecordType
  readonly key: string
  /** The same for two actions whose contexts have the same type. */
  readonly contextKey: string
}

/** The kinds of requests of a schema, and which of them a scope lets through. */
export class RequestEnvironments {
  readonly #hierarchy: SchemaHierarchy
  readonly #actions: readonly Action[]
  readonly #principals: readonly string[]

  constructor({ actions }: Schema, hierarchy: SchemaHierarchy) {
    this.#hierarchy = hierarchy
    this.#actions = actions.map(toAction).filter(({ resources }) => resources.length > 0)
    this.#principals = [...new Set(this.#actions.flatMap(({ principals }) => principals))]
  }

  /**
   * The environments in which a policy's scope may be met; of those that differ in nothing that `mentioned` names, one.
   * Throws SyntaxProblem where the scope itself is ill-typed.
   */
  of(policy: Policy, mentioned: ReadonlySet<Variable>): readonly RequestEnvironment[] {
    const found = new Map<string, RequestEnvironment>()
    const part = (name: Variable, text: string): string => (mentioned.has(name) ? text : '')
    for (const action of this.#actionsOf(policy)) {
      const actionKey = `${part('action', action.key)} ${part('context', action.contextKey)}`
      for (const environment of this.#environmentsOf(action, policy, mentioned)) {
        const { principal, resource } = environment
        const key = `${part('principal', principal)} ${part('resource', resource)} ${actionKey}`
        if (!found.has(key)) found.set(key, environment)
      }
      if (mentioned.size === 0 && found.size > 0) break
    }
    return [...found.values()]
  }

  #actionsOf({ principal, action }: Policy): readonly Action[] {
    const principals = this.#narrow(principal, this.#principals)
    const isReached = (one: Action): boolean => principals.some((type) => one.principals.includes(type))
    const reached = principal.kind === 'any' ? this.#actions : this.#actions.filter(isReached)
    // Cedar looks at an action only where the principal fits.
    return reached.length === 0 ? [] : this.#narrowActions(action, reached)
  }

  #environmentsOf(
    { ref, context, ...action }: Action,
    policy: Policy,
    mentioned: ReadonlySet<Variable>,
  ): RequestEnvironment[] {
    const principals = this.#narrow(policy.principal, action.principals)
    const resources = this.#narrow(policy.resource, action.resources)
    // Nobody can tell the others from the first.
    const someone = mentioned.has('principal') ? principals : principals.slice(0, 1)
    const something = mentioned.has('resource') ? resources : resources.slice(0, 1)
    return someone.flatMap((principal) =>
      something.map((resource) => ({ principal, action: ref, resource, context })),
    )
  }

  #narrow(scope: Scope, types: readonly string[]): readonly string[] {
    switch (scope.kind) {
      case 'any':
        return types
      case 'is':
        return types.filter((type) => type === scope.type)
      case 'equal': {
        const { entity } = scope
        return isSlot(entity) ? types : types.filter((type) => type === entity.type)
      }
      case 'in':
      case 'is in': {
        const { entity } = scope
        const candidates = scope.kind === 'in' ? types : types.filter((type) => type === scope.type)
        if (isSlot(entity)) return candidates
        return candidates.filter((type) => this.#hierarchy.isTypeIn(type, entity.type))
      }
    }
  }

  #narrowActions(scope: ActionScope, actions: readonly Action[]): readonly Action[] {
    switch (scope.kind) {
      case 'any':
        return actions
      case 'equal':
        return actions.filter(({ ref }) => isSameRef(ref, scope.entity))
      case 'in': {
        mustBeOfOneType(scope.entities, scope.at)
        return actions.filter(({ ref }) =>
          scope.entities.some((above) => this.#hierarchy.isActionIn(ref, above)),
        )
      }
    }
  }
}

/** The environment in words, for the end of a message. */
export function describeEnvironment({ principal, action, resource }: RequestEnvironment): string {
  return `(where ${principal} asks for ${JSON.stringify(action.id)} of ${resource})`
}

function toAction({ ref, principals, resources, context }: ActionShape, index: number): Action {
  return {
    ref,
    principals: [...principals],
    resources: [...resources],
    context,
    key: `${index}`,
    contextKey: printType(context),
  }
}

function mustBeOfOneType([first, ...rest]: readonly EntityRef[], at: Place): void {
  if (first === undefined) throw new SyntaxProblem(at, 'expected at least one action')
  const other = rest.find(({ type }) => type !== first.type)
  if (other !== undefined) throw new SyntaxProblem(at, `expected ${first.type} only, found ${other.type}`)
}
