import type { InspectionAction } from './detector.ts'

/** What inspection looks for, as the rules begin: `credential.pem` is of the group `credential`. */
export type RuleGroup = 'credential' | 'hidden' | 'personal'

/** What happens to a finding of a rule. */
export type RuleActions = (rule: string) => InspectionAction

export function actionsOf(groups: Readonly<Record<RuleGroup, InspectionAction>>): RuleActions {
  return (rule) => groups[groupOf(rule)]
}

/** The rule of our own key at an upstream: it is nobody's to see, and no part of an answer. */
export const UPSTREAM_KEY = 'upstream.key'

/** One action for everything. */
export function always(action: InspectionAction): RuleActions {
  return () => action
}

/** The action of policy that lets somebody see what a rule finds. */
export function revealingAction(rule: string): string {
  return REVEALED_BY[groupOf(rule)]
}

const REVEALED_BY: Readonly<Record<RuleGroup, string>> = {
  credential: 'content:raw',
  hidden: 'content:raw',
  personal: 'pii:reveal',
}

/** What could not be looked at (`inspection.too_long`) may hold the worst. */
function groupOf(rule: string): RuleGroup {
  if (rule.startsWith('hidden.')) return 'hidden'
  return rule.startsWith('personal.') ? 'personal' : 'credential'
}
