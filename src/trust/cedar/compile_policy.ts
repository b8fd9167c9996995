import type { EntityRef } from '#base/decider.ts'
import { compileAnd, compileTest } from './compile_expression.ts'
import { EvaluationError } from './evaluation_error.ts'
import type { Evaluation, Test } from './evaluation.ts'
import type { ScopeKey } from './scope_keys.ts'
import { isSlot, type ActionScope, type Policy, type Scope, type Slot } from './syntax.ts'

/** A policy that can be evaluated. Its keys say where it is a candidate; `test` says the rest. */
export interface CompiledPolicy {
  readonly id: string
  readonly effect: Policy['effect']
  readonly principal: ScopeKey
  /** It is a candidate where one of them is met; with none it never is. */
  readonly actions: readonly ScopeKey[]
  readonly resource: ScopeKey
  /** Undefined when the keys say it all. Throws EvaluationError. */
  readonly test: Test | undefined
}

/** Compiles a policy without slots. Throws TypeError for a template: it must be linked first. */
export function compilePolicy(id: string, policy: Policy): CompiledPolicy {
  const { effect, principal, action, resource, conditions } = policy
  const tests = [
    ...typeTests(principal, (evaluation) => evaluation.principal),
    ...typeTests(resource, (evaluation) => evaluation.resource),
    ...conditions.map(({ kind, body }) =>
      compileTest(kind === 'when' ? body : { kind: 'not', operand: body, at: body.at }),
    ),
  ]
  const [first] = tests
  return {
    id,
    effect,
    principal: toKey(principal),
    actions: toKeys(action),
    resource: toKey(resource),
    test: tests.length > 1 ? compileAnd(tests) : first,
  }
}

/** True when the policy is satisfied, false when not, undefined when it errs. */
export function runPolicy({ test }: CompiledPolicy, evaluation: Evaluation): boolean | undefined {
  if (test === undefined) return true
  try {
    return test(evaluation)
  } catch (error) {
    if (error instanceof EvaluationError) return undefined
    throw error
  }
}

function toKey(scope: Scope): ScopeKey {
  switch (scope.kind) {
    case 'any':
    case 'is':
      return scope
    case 'equal':
      return { kind: 'equal', entity: toEntity(scope.entity) }
    case 'in':
    case 'is in':
      return { kind: 'in', entity: toEntity(scope.entity) }
  }
}

function toKeys(scope: ActionScope): ScopeKey[] {
  if (scope.kind === 'in') return scope.entities.map((entity) => ({ kind: 'in', entity }))
  return [scope]
}

/** Of `is T in E` the key covers `in E` only. */
function typeTests(scope: Scope, entity: (evaluation: Evaluation) => EntityRef): Test[] {
  if (scope.kind !== 'is in') return []
  const { type } = scope
  return [(evaluation) => entity(evaluation).type === type]
}

function toEntity(entity: EntityRef | Slot): EntityRef {
  if (isSlot(entity)) throw new TypeError('a template must be linked before it is compiled')
  return entity
}
