import type { Compiled, Decider, Decision, PolicyEngine, PolicyFile, Question } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { TypeChecker } from './check_types.ts'
import { compilePolicy } from './compile_policy.ts'
import type { EntityStore } from './entities.ts'
import { LastingRecords } from './lasting_records.ts'
import { PolicyDecision, type PolicyAnswer } from './policy_decision.ts'
import { QuestionEntities } from './question_entities.ts'
import { QuestionForm } from './question_form.ts'
import { readPolicyFiles, type NamedPolicy } from './read_policies.ts'
import { readSchema } from './read_schema.ts'
import { SCHEMA } from './schema.ts'
import { actionsOf } from './schema_actions.ts'

/** Ids up to here are put in order by insertion. */
const INSERTED_MAX = 16

const schema = readSchema(SCHEMA)
const types = new TypeChecker(schema)
const records = new LastingRecords()
const form = new QuestionForm(schema, records)
const prepared = new QuestionEntities(schema, actionsOf(schema))

/**
 * Our own Cedar engine. It refuses texts that do not parse, ids that are taken, policies that are ill-typed by the schema
 * (a forbid that errs is skipped) and policies that can never match (such a forbid protects nothing). Templates are
 * refused for now.
 */
export const cedarEngine: PolicyEngine = { name: 'cedar', compile }

function compile(files: readonly PolicyFile[], set: string): Compiled {
  const { policies, problems } = readPolicyFiles(files, types)
  if (problems.length > 0) return { kind: 'bad', problems }
  return {
    kind: 'good',
    decider: new CedarDecider(set, policies),
    policies: policies.map(({ id }) => id),
  }
}

class CedarDecider implements Decider {
  readonly set: string
  readonly #decision: PolicyDecision

  constructor(set: string, policies: readonly NamedPolicy[]) {
    this.set = set
    this.#decision = new PolicyDecision(policies.map(({ id, policy }) => compilePolicy(id, policy)))
  }

  /** Throws Fault `internal.bug` for a question that is not of the schema, and TypeError for a fraction. */
  decide(question: Question): Decision {
    form.check(question)
    const { principal, action, resource, context } = question
    const request = { principal, action, resource, context: () => records.valueOf(context) }
    const entities = prepared.prepare(question.entities)
    return new CedarDecision(this.set, this.#decision.decide(request, entities), entities)
  }
}

class CedarDecision implements Decision {
  readonly effect: 'allow' | 'deny'
  readonly policies: readonly string[]
  readonly errors: readonly string[]
  readonly set: string
  readonly #entities: EntityStore

  constructor(set: string, { effect, policies, errors }: PolicyAnswer, entities: EntityStore) {
    this.effect = effect
    this.policies = bounded(policies)
    this.errors = bounded(errors)
    this.set = set
    this.#entities = entities
  }

  /** Worked out when it is asked for: not every decision is recorded. */
  get entities(): string {
    return this.#entities.version()
  }
}

/** An entry has room for so many ids; sorted, so that the same decision prints the same. */
function bounded(ids: string[]): readonly string[] {
  if (ids.length > INSERTED_MAX) return ids.sort().slice(0, LIMITS.decisionPolicies)
  // Most decisions have a few ids, and sort() costs more than the rest of the decision.
  for (let end = 1; end < ids.length; end++) {
    const id = ids[end] ?? ''
    let at = end
    for (let before = ids[at - 1] ?? ''; at > 0 && before > id; before = ids[at - 1] ?? '') ids[at--] = before
    ids[at] = id
  }
  return ids
}
