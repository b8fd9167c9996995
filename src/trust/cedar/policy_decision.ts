import { Candidates } from './candidates.ts'
import { runPolicy, type CompiledPolicy } from './compile_policy.ts'
import type { EntityStore } from './entities.ts'
import { Evaluation, type Request } from './evaluation.ts'

export interface PolicyAnswer {
  readonly effect: 'allow' | 'deny'
  /** Ids of the determining policies, in no order. */
  readonly policies: string[]
  /** Ids of the policies that were skipped because they erred, in no order. */
  readonly errors: string[]
}

/** Policies that decide together: default deny, forbid wins, a policy that errs is skipped. Nothing is kept of answers. */
export class PolicyDecision {
  readonly #candidates: Candidates

  constructor(policies: Iterable<CompiledPolicy>) {
    this.#candidates = new Candidates(policies)
  }

  decide(request: Request, entities: EntityStore): PolicyAnswer {
    const evaluation = new Evaluation(request, entities)
    const permits: string[] = []
    const forbids: string[] = []
    const errors: string[] = []
    for (const list of this.#candidates.find(evaluation)) {
      for (const policy of list) {
        const isSatisfied = runPolicy(policy, evaluation)
        if (isSatisfied === undefined) errors.push(policy.id)
        else if (isSatisfied) (policy.effect === 'permit' ? permits : forbids).push(policy.id)
      }
    }
    if (forbids.length > 0) return { effect: 'deny', policies: forbids, errors }
    return { effect: permits.length > 0 ? 'allow' : 'deny', policies: permits, errors }
  }
}
