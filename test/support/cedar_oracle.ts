import { isAuthorized, policySetTextToParts } from '@cedar-policy/cedar-wasm/nodejs'
import { compilePolicy } from '#trust/cedar/compile_policy.ts'
import { EntityPart, EntityStore } from '#trust/cedar/entities.ts'
import { parseExactJson, readJsonEntities, readRecord } from '#trust/cedar/json_values.ts'
import { parsePolicies } from '#trust/cedar/parse_policy.ts'
import { PolicyDecision } from '#trust/cedar/policy_decision.ts'
import type { CedarCase } from './cedar_cases.ts'

const NO_ACTIONS = new EntityPart([])

/** What the reference (cedar-wasm) answers, as one line; undefined when it does not take the case. */
export function askOracle(one: CedarCase): string | undefined {
  const answer = isAuthorized({
    principal: { ...one.principal },
    action: { ...one.action },
    resource: { ...one.resource },
    // The types of the package want mutable JSON; it is not changed.
    context: JSON.parse(JSON.stringify(one.context)),
    policies: { staticPolicies: one.policies.join('\n') },
    entities: JSON.parse(JSON.stringify(one.entities)),
  })
  if (answer.type === 'failure') return undefined
  const { decision, diagnostics } = answer.response
  return line(
    decision,
    diagnostics.reason,
    diagnostics.errors.map(({ policyId }) => policyId),
  )
}

/** What our engine answers, as one line; undefined when the policies do not parse. */
export function askOurs(one: CedarCase): string | undefined {
  const { policies, problems } = parsePolicies(one.policies.join('\n'))
  if (problems.length > 0) return undefined
  const decision = new PolicyDecision(
    policies.map((policy, index) => compilePolicy(`policy${index}`, policy)),
  )
  const nodes = readJsonEntities(parseExactJson(JSON.stringify(one.entities)))
  const context = readRecord(parseExactJson(JSON.stringify(one.context)))
  const answer = decision.decide(
    { principal: one.principal, action: one.action, resource: one.resource, context: () => context },
    new EntityStore([new EntityPart(nodes)], NO_ACTIONS),
  )
  return line(answer.effect, answer.policies, answer.errors)
}

/** True when the reference takes the text as policies and templates. */
export function oracleParses(text: string): boolean {
  return policySetTextToParts(text).type === 'success'
}

function line(effect: string, policies: readonly string[], errors: readonly string[]): string {
  return `${effect} by [${policies.toSorted().join()}], errors [${errors.toSorted().join()}]`
}
