import type { JsonObject } from '#base/json.ts'
import type { PolicyCheck, PolicyKeeper, PolicyStatus } from '#trust/access/policy_set.ts'
import type { Route } from '#door/route.ts'
import { acted, adminRoute, parseNothing } from './admin_route.ts'
import type { PolicyAnswer, PolicyApplyAnswer, PolicyCheckAnswer } from './answers.ts'
import type { Changes } from './changes.ts'

/** What the routes of policies work with. */
export interface PolicyRouteParts {
  readonly policies: Pick<PolicyKeeper, 'check' | 'prepare' | 'swap' | 'status'>
  readonly changes: Changes
}

/** `GET /admin/policy`: the set in force and what is wrong with the working files, if anything is. */
export function showPolicyRoute({ policies }: PolicyRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'policy_show',
    method: 'GET',
    path: '/admin/policy',
    action: 'policy:show',
    parse: parseNothing,
    act: async () => acted(200, policyAnswer(policies.status())),
  })
}

/** `POST /admin/policy/check`: looks at the working files and changes nothing. */
export function checkPolicyRoute({ policies }: PolicyRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'policy_check',
    method: 'POST',
    path: '/admin/policy/check',
    action: 'policy:check',
    parse: parseNothing,
    act: async () => acted(200, checkAnswer(await policies.check())),
  })
}

/**
 * `POST /admin/policy/apply`: puts the working files in force as one set. The change is on record before it takes
 * force; with any problem nothing changes, in force or on record.
 */
export function applyPolicyRoute({ policies, changes }: PolicyRouteParts): Route<JsonObject> {
  return adminRoute({
    name: 'policy_apply',
    method: 'POST',
    path: '/admin/policy/apply',
    action: 'policy:change',
    parse: parseNothing,
    act: async (_input, { id }) => acted(200, await applyPolicies(policies, changes, id)),
  })
}

/** Prepares, records, swaps; also for a start whose files differ from what was in force. */
export async function applyPolicies(
  policies: PolicyRouteParts['policies'],
  changes: Changes,
  id: string,
): Promise<PolicyApplyAnswer> {
  const candidate = await policies.prepare()
  const before = candidate.before ?? null
  const files = candidate.files.length
  await changes.record(id, 'policy:change', { before, after: candidate.set, files })
  await policies.swap(candidate)
  return { before, after: candidate.set, files }
}

/** The state of the policies in one word: a set that does not parse never means "no policy". */
export function policyState({ set, healthy }: Pick<PolicyStatus, 'set' | 'healthy'>): PolicyAnswer['state'] {
  if (set === undefined) return 'none'
  return healthy ? 'good' : 'degraded'
}

export function checkAnswer({ set, policies, problems }: PolicyCheck): PolicyCheckAnswer {
  return { valid: set !== undefined, set: set ?? null, policies: [...policies], problems: [...problems] }
}

function policyAnswer(status: PolicyStatus): PolicyAnswer {
  const { set, files, problems } = status
  return {
    state: policyState(status),
    set: set ?? null,
    files: files.map(({ name, hash }) => ({ name, hash })),
    problems: [...problems],
  }
}
