import type { EntityRef } from '#base/decider.ts'
import { isSlot, type Policy, type Scope } from './syntax.ts'

/** What to put in the slots of a template. */
export interface SlotValues {
  readonly principal?: EntityRef
  readonly resource?: EntityRef
}

/** The policy that a template is for these entities. Throws TypeError for a slot that is left open. */
export function linkTemplate(template: Policy, values: SlotValues): Policy {
  return {
    ...template,
    principal: linkScope(template.principal, values),
    resource: linkScope(template.resource, values),
  }
}

function linkScope(scope: Scope, values: SlotValues): Scope {
  if (!('entity' in scope) || !isSlot(scope.entity)) return scope
  const entity = values[scope.entity.slot]
  if (entity === undefined) throw new TypeError(`the slot ?${scope.entity.slot} is left open`)
  return { ...scope, entity }
}
