import type { Decider, PolicyEngine } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { Policies } from '#trust/access/authorize.ts'
import type { SharedState } from './messages.ts'

/** The policy set in force as a worker has it: what the writer pushed last, compiled here. */
export class PushedPolicies implements Policies {
  readonly #engine: PolicyEngine
  #decider: Decider | undefined

  constructor(engine: PolicyEngine) {
    this.#engine = engine
  }

  current(): Decider {
    if (this.#decider === undefined) throw new Fault('policy.unavailable')
    return this.#decider
  }

  /** Throws `policy.invalid`, which cannot be: the writer has compiled the same set. Then nothing is in force. */
  take(policies: SharedState['policies']): void {
    if (policies?.set === this.#decider?.set) return
    this.#decider = undefined
    if (policies === undefined) return
    const compiled = this.#engine.compile(policies.files, policies.set)
    if (compiled.kind === 'bad') throw new Fault('policy.invalid', { count: compiled.problems.length })
    this.#decider = compiled.decider
  }
}
