import {
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
  validate,
  type ValidationError,
} from '@cedar-policy/cedar-wasm/nodejs'
import type {
  Compiled,
  Decider,
  Decision,
  PolicyEngine,
  PolicyFile,
  PolicyProblem,
  Question,
} from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { readPolicies, type PolicyText } from './policy_text.ts'
import { problemAt } from './problem.ts'
import { SCHEMA } from './schema.ts'
import { toCedarEntity, toCedarRecord } from './wasm_value.ts'

const SCHEMA_NAME = 'gatehouse'

/**
 * Cedar's own engine, compiled to WebAssembly. Validation is strict, and what Cedar only warns of (a policy that can
 * never match, confusable letters) is a problem too: a forbid that never matches protects nothing. Templates are
 * refused for now.
 */
export const cedarWasmEngine: PolicyEngine = { name: 'cedar-wasm', compile }

function compile(files: readonly PolicyFile[], set: string): Compiled {
  const read = readPolicies(files)
  if (read.kind === 'bad') return read
  const problems = checkTypes(read.policies)
  if (problems.length > 0) return { kind: 'bad', problems }
  return {
    kind: 'good',
    decider: new WasmDecider(set, read.policies),
    policies: read.policies.map(({ id }) => id),
  }
}

function checkTypes(policies: readonly PolicyText[]): readonly PolicyProblem[] {
  const answer = validate({
    schema: SCHEMA,
    policies: { staticPolicies: textsById(policies) },
    validationSettings: { mode: 'strict' },
  })
  if (answer.type === 'failure') return answer.errors.map((error) => problemAt('', '', 0, error))
  const byId = new Map(policies.map((policy) => [policy.id, policy]))
  const toProblem = ({ policyId, error }: ValidationError): PolicyProblem => {
    const policy = byId.get(policyId)
    return policy === undefined
      ? problemAt('', '', 0, error)
      : problemAt(policy.file.name, policy.file.text, policy.start, error)
  }
  const typed = [...answer.validationErrors, ...answer.validationWarnings].map(toProblem)
  return [...typed, ...answer.otherWarnings.map((error) => problemAt('', '', 0, error))]
}

class WasmDecider implements Decider {
  readonly set: string
  readonly #policies: readonly PolicyText[]
  #slot = NO_SLOT

  constructor(set: string, policies: readonly PolicyText[]) {
    this.set = set
    this.#policies = policies
  }

  decide(question: Question): Decision {
    const answer = statefulIsAuthorized({
      principal: question.principal,
      action: question.action,
      resource: question.resource,
      context: toCedarRecord(question.context),
      entities: question.entities.map(toCedarEntity),
      preparsedPolicySetId: this.#parsed(),
      preparsedSchemaName: SCHEMA_NAME,
      // Without it a question of the wrong form could make a forbid err, and an erring policy is skipped.
      validateRequest: true,
    })
    if (answer.type === 'failure')
      throw new Fault('internal.bug', { error: answer.errors.map(({ message }) => message).join('; ') })
    const { decision, diagnostics } = answer.response
    return {
      effect: decision,
      policies: bounded(diagnostics.reason),
      errors: bounded(diagnostics.errors.map(({ policyId }) => policyId)),
      set: this.set,
    }
  }

  /** The name under which the engine holds these policies now. */
  #parsed(): string {
    if (this.#slot.owner !== this) this.#slot = claimSlot(this, textsById(this.#policies))
    return this.#slot.name
  }
}

/** An entry has room for so many ids; sorted, so that the same decision prints the same. */
function bounded(ids: readonly string[]): readonly string[] {
  return [...ids].sort().slice(0, LIMITS.decisionPolicies)
}

interface Slot {
  readonly name: string
  owner: WasmDecider | undefined
}

/**
 * The WebAssembly module keeps parsed sets by name for as long as the process lives and has no call to free one. So
 * names are a few and used in turn; a decider whose name was given to another parses again when it is next asked.
 * The set in force, a candidate and one that requests still use fit side by side.
 */
const SLOTS: readonly Slot[] = ['set-1', 'set-2', 'set-3', 'set-4'].map((name) => ({
  name,
  owner: undefined,
}))
const NO_SLOT: Slot = { name: '', owner: undefined }
let turn = 0
let isSchemaParsed = false

function claimSlot(owner: WasmDecider, policies: Readonly<Record<string, string>>): Slot {
  if (!isSchemaParsed) {
    mustSucceed(preparseSchema(SCHEMA_NAME, SCHEMA))
    isSchemaParsed = true
  }
  const slot = SLOTS[turn++ % SLOTS.length] ?? NO_SLOT
  // No owner while the name may hold either set.
  slot.owner = undefined
  mustSucceed(preparsePolicySet(slot.name, { staticPolicies: { ...policies } }))
  slot.owner = owner
  return slot
}

function mustSucceed(answer: ReturnType<typeof preparsePolicySet>): void {
  if (answer.type === 'failure')
    throw new Fault('internal.bug', { error: answer.errors.map(({ message }) => message).join('; ') })
}

function textsById(policies: readonly PolicyText[]): Record<string, string> {
  return Object.fromEntries(policies.map(({ id, text }) => [id, text]))
}
