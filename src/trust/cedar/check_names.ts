import type { EntityRef } from '#base/decider.ts'
import { visitExpression } from './expression_tree.ts'
import { RefMap } from './ref_map.ts'
import type { Schema } from './schema_types.ts'
import { isSlot, type ActionScope, type Expression, type Place, type Policy, type Scope } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

const ACTION_TYPE = /(^|::)Action$/

/**
 * Looks for names in policies that a schema does not have: types, actions, and attributes of the context, the principal
 * and the resource. It does not infer types: that is for a validator to do.
 */
export class NameChecker {
  readonly #types: ReadonlySet<string>
  readonly #actions = new RefMap<true>()
  readonly #attributes: ReadonlySet<string>
  readonly #context: ReadonlySet<string>

  constructor({ entities, actions }: Schema) {
    for (const { ref } of actions) this.#actions.set(ref, true)
    this.#types = new Set(entities.keys())
    this.#attributes = new Set(
      [...entities.values()].flatMap(({ attributes }) => [...attributes.fields.keys()]),
    )
    this.#context = new Set(actions.flatMap(({ context }) => [...context.fields.keys()]))
  }

  check(policy: Policy): SyntaxProblem[] {
    const problems: SyntaxProblem[] = []
    const report = (at: Place, message: string): void => void problems.push(new SyntaxProblem(at, message))
    this.#checkScope(policy.principal, report)
    this.#checkAction(policy.action, report)
    this.#checkScope(policy.resource, report)
    for (const { body } of policy.conditions)
      visitExpression(body, (expression) => this.#checkExpression(expression, report))
    return problems
  }

  #checkScope(scope: Scope, report: Report): void {
    if (scope.kind === 'any') return
    if ('type' in scope) this.#checkType(scope.type, scope.at, report)
    if ('entity' in scope && !isSlot(scope.entity)) this.#checkEntity(scope.entity, scope.at, report)
  }

  #checkAction(scope: ActionScope, report: Report): void {
    if (scope.kind === 'equal') this.#checkEntity(scope.entity, scope.at, report)
    if (scope.kind === 'in') for (const entity of scope.entities) this.#checkEntity(entity, scope.at, report)
  }

  #checkExpression(expression: Expression, report: Report): void {
    if (expression.kind === 'entity') this.#checkEntity(expression.entity, expression.at, report)
    if (expression.kind === 'is') this.#checkType(expression.type, expression.at, report)
    const name = expression.kind === 'get' ? expression.attribute : firstName(expression)
    if (name === undefined || !('target' in expression) || expression.target.kind !== 'variable') return
    const known = expression.target.name === 'context' ? this.#context : this.#attributes
    if (!known.has(name)) report(expression.at, `the schema has no attribute ${JSON.stringify(name)} here`)
  }

  #checkEntity(entity: EntityRef, at: Place, report: Report): void {
    if (!ACTION_TYPE.test(entity.type)) this.#checkType(entity.type, at, report)
    else if (!this.#actions.has(entity)) report(at, `the schema has no action ${JSON.stringify(entity.id)}`)
  }

  #checkType(type: string, at: Place, report: Report): void {
    if (!this.#types.has(type)) report(at, `the schema has no entity type ${type}`)
  }
}

type Report = (at: Place, message: string) => void

function firstName(expression: Expression): string | undefined {
  return expression.kind === 'has' ? expression.path[0] : undefined
}
