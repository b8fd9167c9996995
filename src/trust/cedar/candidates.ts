import type { CompiledPolicy } from './compile_policy.ts'
import type { Evaluation } from './evaluation.ts'
import { PolicyCell } from './policy_cell.ts'
import { ScopeKeys } from './scope_keys.ts'

/** By resource key, the policies under it. */
type Row = Map<number, PolicyCell>

/** Sets of action keys that are kept joined. A policy set that names more actions than these joins some again. */
const JOINED_MAX = 256

/**
 * The index of a policy set. A policy stands under one principal key, one resource key and its action keys, and is a
 * candidate only where the question meets all three.
 */
export class Candidates {
  readonly #principals = new ScopeKeys(0)
  readonly #actions = new ScopeKeys(1)
  readonly #resources = new ScopeKeys(2)
  /** By action key. */
  readonly #policies: IndexedPolicy[][] = []
  /** The rows of all action keys that an action meets, joined, by these keys. */
  readonly #joined = new Map<string, Row>()
  /** The same by the list of keys itself, which an action keeps. */
  readonly #known = new WeakMap<readonly number[], Row>()
  /** By principal key: the number of the question that last met it. */
  readonly #met: Float64Array
  #question = 0

  constructor(policies: Iterable<CompiledPolicy>) {
    for (const policy of policies) this.#add(policy)
    this.#met = new Float64Array(this.#principals.count)
  }

  /** The lists of candidates, none of them twice, in no order. */
  find(evaluation: Evaluation): (readonly CompiledPolicy[])[] {
    const { entities, request } = evaluation
    const actions = this.#actions.keysFor(request.action, evaluation.actionNode, entities)
    const resources = this.#resources.keysFor(request.resource, evaluation.resourceNode, entities)
    const principals = this.#principals.keysFor(request.principal, evaluation.principalNode, entities)
    const row = this.#known.get(actions) ?? this.#join(actions)
    const question = ++this.#question
    for (const key of principals) this.#met[key] = question
    const found: (readonly CompiledPolicy[])[] = []
    for (const resource of resources) row.get(resource)?.find(principals, { met: this.#met, question }, found)
    return found
  }

  #add(policy: CompiledPolicy): void {
    const indexed: IndexedPolicy = {
      policy,
      principal: this.#principals.keyOf(policy.principal),
      resource: this.#resources.keyOf(policy.resource),
    }
    // A set: a list of actions may name one twice.
    for (const action of new Set(policy.actions.map((key) => this.#actions.keyOf(key))))
      (this.#policies[action] ??= []).push(indexed)
  }

  /** Puts all policies of these action keys together, so that a question looks in one row. */
  #join(actions: readonly number[]): Row {
    const name = actions.join()
    let row = this.#joined.get(name)
    if (row === undefined) {
      row = toRow(new Set(actions.flatMap((action) => this.#policies[action] ?? [])), this.#principals.count)
      if (this.#joined.size >= JOINED_MAX) this.#joined.clear()
      this.#joined.set(name, row)
    }
    this.#known.set(actions, row)
    return row
  }
}

interface IndexedPolicy {
  readonly policy: CompiledPolicy
  readonly principal: number
  readonly resource: number
}

function toRow(policies: Iterable<IndexedPolicy>, principals: number): Row {
  const row: Row = new Map()
  for (const { policy, principal, resource } of policies) {
    const cell = row.get(resource) ?? new PolicyCell()
    row.set(resource, cell)
    cell.add(principal, policy)
  }
  for (const cell of row.values()) cell.seal(principals)
  return row
}
