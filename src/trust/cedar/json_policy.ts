import type { EntityRef } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { visitExpression } from './expression_tree.ts'
import { readJsonExpression } from './json_expression.ts'
import {
  isList,
  JsonFormProblem,
  readList,
  readObject,
  readRef,
  refuse,
  type ExactJson,
} from './json_values.ts'
import type { ActionScope, Condition, Policy, Scope, Slot } from './syntax.ts'
import { SyntaxProblem } from './syntax_problem.ts'
import { isTypeName } from './entity_type_name.ts'

const MEMBERS = new Set(['effect', 'principal', 'action', 'resource', 'conditions', 'annotations'])
const ACTION_TYPE = /(^|::)Action$/

/** Reads one policy or template in Cedar's JSON form. Throws JsonFormProblem. */
export function readJsonPolicy(json: ExactJson): Policy {
  const policy = readObject(json)
  for (const name of Object.keys(policy)) if (!MEMBERS.has(name)) refuse(`a policy has no member ${name}`)
  const { effect } = policy
  if (effect !== 'permit' && effect !== 'forbid') refuse('expected the effect "permit" or "forbid"')
  return {
    effect,
    annotations: readAnnotations(policy['annotations'] ?? {}),
    principal: readScope(policy['principal'], 'principal'),
    action: readActionScope(policy['action']),
    resource: readScope(policy['resource'], 'resource'),
    conditions: readList(policy['conditions']).map(readCondition),
    at: 0,
  }
}

function readAnnotations(json: ExactJson): Map<string, string | undefined> {
  const annotations = Object.entries(readObject(json)).map(([name, value]) => {
    if (value !== null && typeof value !== 'string') refuse('an annotation is a text')
    return [name, value ?? undefined] as const
  })
  return new Map(annotations)
}

function readScope(json: ExactJson | undefined, variable: Slot['slot']): Scope {
  const scope = readObject(json)
  switch (scope['op']) {
    case 'All':
    case 'all':
      return { kind: 'any' }
    case '==':
      return { kind: 'equal', entity: readEntityOrSlot(scope, variable), at: 0 }
    case 'in':
      return { kind: 'in', entity: readEntityOrSlot(scope, variable), at: 0 }
    case 'is': {
      const type = readTypeName(scope['entity_type'])
      const within = scope['in']
      if (within === undefined) return { kind: 'is', type, at: 0 }
      return { kind: 'is in', type, entity: readEntityOrSlot(readObject(within), variable), at: 0 }
    }
    default:
      return refuse('expected the operator "All", "==", "in" or "is"')
  }
}

function readEntityOrSlot(
  scope: Readonly<Record<string, ExactJson>>,
  variable: Slot['slot'],
): EntityRef | Slot {
  const { slot, entity } = scope
  if (slot === undefined) return readRef(entity)
  if (slot !== `?${variable}`) refuse(`expected the slot ?${variable}`)
  return { slot: variable }
}

function readActionScope(json: ExactJson | undefined): ActionScope {
  const scope = readObject(json)
  switch (scope['op']) {
    case 'All':
    case 'all':
      return { kind: 'any' }
    case '==':
      return { kind: 'equal', entity: readAction(scope['entity']), at: 0 }
    case 'in': {
      const { entity, entities } = scope
      return {
        kind: 'in',
        entities: isList(entities) ? entities.map(readAction) : [readAction(entity)],
        at: 0,
      }
    }
    default:
      return refuse('expected the operator "All", "==" or "in"')
  }
}

function readAction(json: ExactJson | undefined): EntityRef {
  const ref = readRef(json)
  return ACTION_TYPE.test(ref.type) ? ref : refuse('expected an entity of the type Action')
}

function readCondition(json: ExactJson): Condition {
  const { kind, body } = readObject(json)
  if (kind !== 'when' && kind !== 'unless') refuse('expected the kind "when" or "unless"')
  const expression = readJsonExpression(body, LIMITS.expressionDepth)
  try {
    visitExpression(expression, () => undefined)
  } catch (error) {
    throw error instanceof SyntaxProblem ? new JsonFormProblem(error.message) : error
  }
  return { kind, body: expression }
}

function readTypeName(json: ExactJson | undefined): string {
  return typeof json === 'string' && isTypeName(json) ? json : refuse('expected the name of an entity type')
}
