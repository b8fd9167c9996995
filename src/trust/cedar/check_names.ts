import { printRef, type EntityRef } from '#base/decider.ts'
import { visitExpression } from './expression_tree.ts'
import { RefMap } from './ref_map.ts'
import type { EntityShape, Schema } from './schema_types.ts'
import { isSlot, type Place, type Policy, type Scope } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

const ACTION_TYPE = /(^|::)Action$/

/**
 * Looks for entity types, entities and actions in policies that a schema does not have, wherever they stand: also where
 * an expression can never be reached.
 */
export class NameChecker {
  readonly #entities: ReadonlyMap<string, EntityShape>
  readonly #actions = new RefMap<true>()

  constructor({ entities, actions }: Schema) {
    this.#entities = entities
    for (const { ref } of actions) this.#actions.set(ref, true)
  }

  check({ principal, action, resource, conditions }: Policy): SyntaxProblem[] {
    const problems: SyntaxProblem[] = []
    const report = (at: Place, message: string): void => void problems.push(new SyntaxProblem(at, message))
    this.#checkScope(principal, report)
    if (action.kind === 'equal') this.#checkEntity(action.entity, action.at, report)
    if (action.kind === 'in')
      for (const entity of action.entities) this.#checkEntity(entity, action.at, report)
    this.#checkScope(resource, report)
    for (const { body } of conditions)
      visitExpression(body, (expression) => {
        if (expression.kind === 'entity') this.#checkEntity(expression.entity, expression.at, report)
        if (expression.kind === 'is') this.#checkType(expression.type, expression.at, report)
      })
    return problems
  }

  #checkScope(scope: Scope, report: Report): void {
    if (scope.kind === 'any') return
    if ('type' in scope) this.#checkType(scope.type, scope.at, report)
    if ('entity' in scope && !isSlot(scope.entity)) this.#checkEntity(scope.entity, scope.at, report)
  }

  #checkEntity(entity: EntityRef, at: Place, report: Report): void {
    if (ACTION_TYPE.test(entity.type)) {
      if (!this.#actions.has(entity)) report(at, `the schema has no action ${printRef(entity)}`)
      return
    }
    this.#checkType(entity.type, at, report)
    const ids = this.#entities.get(entity.type)?.ids
    if (ids?.has(entity.id) === false)
      report(at, `the schema has no ${printRef(entity)}; expected one of ${list(ids)}`)
  }

  #checkType(type: string, at: Place, report: Report): void {
    // Cedar takes the name of any action type here; that none is of it shows in the types.
    if (!this.#entities.has(type) && !ACTION_TYPE.test(type))
      report(at, `the schema has no entity type ${type}`)
  }
}

type Report = (at: Place, message: string) => void

/** As many as a line has room for. */
const SHOWN_MAX = 8

function list(ids: ReadonlySet<string>): string {
  const shown = [...ids].slice(0, SHOWN_MAX).map((id) => JSON.stringify(id))
  return ids.size > SHOWN_MAX ? `${shown.join(', ')}, …` : shown.join(', ')
}
