import { isAuthorized, policySetTextToParts, validate } from '@cedar-policy/cedar-wasm/nodejs'
import { TypeChecker } from '#trust/cedar/check_types.ts'
import { compilePolicy } from '#trust/cedar/compile_policy.ts'
import { EntityPart, EntityStore } from '#trust/cedar/entities.ts'
import { parseExactJson, readJsonEntities, readRecord } from '#trust/cedar/json_values.ts'
import { parsePolicies } from '#trust/cedar/parse_policy.ts'
import { PolicyDecision } from '#trust/cedar/policy_decision.ts'
import { readSchema } from '#trust/cedar/read_schema.ts'
import type { CedarCase } from './cedar_cases.ts'
import type { TypedCase } from './cedar_typed_cases.ts'

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

/** What a policy is by its types; the last two are well typed, and can never match. */
export type Verdict = 'good' | 'bad' | 'impossible scope' | 'impossible conditions'

/** What the reference says of each policy of a case. Throws where it does not take the schema. */
export function oracleTypes({ schema, policies }: TypedCase): Verdict[] {
  const ids = policies.map((_text, index) => `policy${index}`)
  const answer = validate({
    schema,
    policies: { staticPolicies: Object.fromEntries(policies.map((text, index) => [ids[index], text])) },
    validationSettings: { mode: 'strict' },
  })
  if (answer.type === 'failure') throw new Error(answer.errors.map(({ message }) => message).join('; '))
  const { validationErrors: errors, validationWarnings: warnings } = answer
  return ids.map((id): Verdict => {
    if (errors.some(({ policyId }) => policyId === id)) return 'bad'
    const own = warnings.filter(({ policyId }) => policyId === id).map(({ error }) => error.message)
    if (own.some((message) => message.includes('unable to find an applicable action')))
      return 'impossible scope'
    return own.some((message) => message.includes('policy is impossible')) ? 'impossible conditions' : 'good'
  })
}

/** What our checker says of each policy of a case. */
export function ourTypes({ schema, policies }: TypedCase): Verdict[] {
  const checker = new TypeChecker(readSchema(schema))
  return policies.map((text): Verdict => {
    const { policies: parsed, problems } = parsePolicies(text)
    const [policy] = parsed
    if (policy === undefined) throw new Error(`${problems[0]?.message}: ${text}`)
    const types = checker.check(policy)
    if (types.problems.length > 0) return 'bad'
    return types.impossible === undefined ? 'good' : `impossible ${types.impossible}`
  })
}

function line(effect: string, policies: readonly string[], errors: readonly string[]): string {
  return `${effect} by [${policies.toSorted().join()}], errors [${errors.toSorted().join()}]`
}
