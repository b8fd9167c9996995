import type { CompiledPolicy } from './compile_policy.ts'
import type { Evaluation } from './evaluation.ts'
import { ScopeKeys } from './scope_keys.ts'

/** A policy in the index. */
interface Place {
  readonly policy: CompiledPolicy
  /** The question that last met it, of a policy that stands under several action keys. */
  lastMet: number
}

/** Policies of one action key and one resource key, by principal key. */
type Cell = Map<number, Place[]>

/**
 * The index of a policy set. A policy stands under one principal key, one resource key and its action keys, and is a
 * candidate only where the question meets all three.
 */
export class Candidates {
  readonly #principals = new ScopeKeys(0)
  readonly #actions = new ScopeKeys(1)
  readonly #resources = new ScopeKeys(2)
  /** By action key, then by resource key. */
  readonly #rows: (Map<number, Cell> | undefined)[] = []
  /** By principal key: the number of the question that last met it. */
  readonly #met: Float64Array
  #question = 0

  constructor(policies: Iterable<CompiledPolicy>) {
    for (const policy of policies) this.#add(policy)
    this.#met = new Float64Array(this.#principals.count)
  }

  /** Calls back for each candidate, once, in no order. */
  visit(evaluation: Evaluation, run: (policy: CompiledPolicy) => void): void {
    const { entities, request } = evaluation
    const actions = this.#actions.keysFor(request.action, evaluation.actionNode, entities)
    const resources = this.#resources.keysFor(request.resource, evaluation.resourceNode, entities)
    const principals = this.#principals.keysFor(request.principal, evaluation.principalNode, entities)
    this.#question += 1
    for (const key of principals) this.#met[key] = this.#question
    for (const action of actions) {
      const row = this.#rows[action]
      if (row === undefined) continue
      for (const resource of resources) {
        const cell = row.get(resource)
        if (cell !== undefined) this.#visitCell(cell, principals, run)
      }
    }
  }

  /** Looks at the shorter list: the principal keys of the cell, or those that the principal meets. */
  #visitCell(cell: Cell, principals: readonly number[], run: (policy: CompiledPolicy) => void): void {
    if (cell.size <= principals.length) {
      for (const [key, places] of cell) if (this.#met[key] === this.#question) this.#visitPlaces(places, run)
      return
    }
    for (const key of principals) {
      const places = cell.get(key)
      if (places !== undefined) this.#visitPlaces(places, run)
    }
  }

  #visitPlaces(places: readonly Place[], run: (policy: CompiledPolicy) => void): void {
    for (const place of places) {
      if (place.lastMet === this.#question) continue
      place.lastMet = this.#question
      run(place.policy)
    }
  }

  #add(policy: CompiledPolicy): void {
    const place: Place = { policy, lastMet: 0 }
    const principal = this.#principals.keyOf(policy.principal)
    const resource = this.#resources.keyOf(policy.resource)
    const actions = new Set(policy.actions.map((action) => this.#actions.keyOf(action)))
    for (const action of actions) {
      const row = (this.#rows[action] ??= new Map<number, Cell>())
      const cell = row.get(resource) ?? new Map<number, Place[]>()
      row.set(resource, cell)
      const places = cell.get(principal)
      if (places === undefined) cell.set(principal, [place])
      else places.push(place)
    }
  }
}
