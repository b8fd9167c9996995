import { Capabilities } from './capabilities.ts'
import { NameChecker } from './check_names.ts'
import { visitExpression } from './expression_tree.ts'
import { inferenceIn, inferTruth } from './infer_type.ts'
import type { Inference } from './inference.ts'
import { describeEnvironment, RequestEnvironments, type RequestEnvironment } from './request_environments.ts'
import { SchemaHierarchy } from './schema_hierarchy.ts'
import type { Schema } from './schema_types.ts'
import type { Expression, Policy, Variable } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'

/** What a policy is by its types. */
export interface PolicyTypes {
  /** Why it is refused: the first problem of each environment, each told once. */
  readonly problems: readonly SyntaxProblem[]
  /**
   * That a well-typed policy can never match: no action takes what its scope says, or its conditions are always false.
   * Cedar only warns of it.
   */
  readonly impossible: 'scope' | 'conditions' | undefined
}

/**
 * Checks policies against a schema as Cedar's validator does in strict mode, in each environment (type of the principal,
 * action, type of the resource) that the scope lets through. A policy that passes errs in no request of the schema,
 * but for integers beyond 64 bits and entities that are absent.
 */
export class TypeChecker {
  readonly #schema: Schema
  readonly #names: NameChecker
  readonly #hierarchy: SchemaHierarchy
  readonly #environments: RequestEnvironments

  constructor(schema: Schema) {
    this.#schema = schema
    this.#names = new NameChecker(schema)
    this.#hierarchy = new SchemaHierarchy(schema)
    this.#environments = new RequestEnvironments(schema, this.#hierarchy)
  }

  /** Works on templates, too: a slot stands for any entity. */
  check(policy: Policy): PolicyTypes {
    const problems = this.#names.check(policy)
    if (problems.length > 0) return { problems, impossible: undefined }
    try {
      return this.#checkIn(this.#environments.of(policy, mentionedIn(policy)), policy)
    } catch (error) {
      return { problems: [asProblem(error)], impossible: undefined }
    }
  }

  #checkIn(environments: readonly RequestEnvironment[], { conditions }: Policy): PolicyTypes {
    if (environments.length === 0) return { problems: [], impossible: 'scope' }
    const tests = conditions.map(({ kind, body }): Expression => {
      return kind === 'when' ? body : { kind: 'not', operand: body, at: body.at }
    })
    const problems = new Map<string, SyntaxProblem>()
    let isPossible = false
    for (const environment of environments) {
      try {
        if (canHold(tests, inferenceIn(environment, this.#schema, this.#hierarchy))) isPossible = true
      } catch (error) {
        const { at, message } = asProblem(error)
        const key = `${at} ${message}`
        if (problems.has(key)) continue
        problems.set(key, new SyntaxProblem(at, `${message} ${describeEnvironment(environment)}`))
      }
    }
    if (problems.size > 0 || isPossible) return { problems: [...problems.values()], impossible: undefined }
    return { problems: [], impossible: 'conditions' }
  }
}

/** False when the tests can never all be met. Throws SyntaxProblem. */
function canHold(tests: readonly Expression[], inference: Inference): boolean {
  const known = new Capabilities()
  for (const test of tests) {
    const { type, shows } = inferTruth(test, known, inference)
    if (type.only === false) return false
    known.add(shows)
  }
  return true
}

function mentionedIn({ conditions }: Policy): Set<Variable> {
  const mentioned = new Set<Variable>()
  for (const { body } of conditions)
    visitExpression(body, (expression) => {
      if (expression.kind === 'variable') mentioned.add(expression.name)
    })
  return mentioned
}

function asProblem(error: unknown): SyntaxProblem {
  if (error instanceof SyntaxProblem) return error
  throw error
}
