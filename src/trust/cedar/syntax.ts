import type { EntityRef } from '#base/decider.ts'
import type { Long } from './long.ts'

/** A place in the policy text, in UTF-16 code units; 0 in the JSON form, which has none. */
export type Place = number

/** A policy or, where a scope holds a slot, a template. */
export interface Policy {
  readonly effect: 'permit' | 'forbid'
  /** An annotation without a value is `undefined`. */
  readonly annotations: ReadonlyMap<string, string | undefined>
  readonly principal: Scope
  readonly action: ActionScope
  readonly resource: Scope
  readonly conditions: readonly Condition[]
  readonly at: Place
}

/** `at` is where the entity or the type stands. */
export type Scope =
  | { readonly kind: 'any' }
  | { readonly kind: 'equal'; readonly entity: EntityRef | Slot; readonly at: Place }
  | { readonly kind: 'in'; readonly entity: EntityRef | Slot; readonly at: Place }
  | { readonly kind: 'is'; readonly type: string; readonly at: Place }
  | { readonly kind: 'is in'; readonly type: string; readonly entity: EntityRef | Slot; readonly at: Place }

export type ActionScope =
  | { readonly kind: 'any' }
  | { readonly kind: 'equal'; readonly entity: EntityRef; readonly at: Place }
  | { readonly kind: 'in'; readonly entities: readonly EntityRef[]; readonly at: Place }

/** The hole of a template: `?principal` or `?resource`. */
export interface Slot {
  readonly slot: 'principal' | 'resource'
}

export interface Condition {
  readonly kind: 'when' | 'unless'
  readonly body: Expression
}

export type Variable = 'principal' | 'action' | 'resource' | 'context'
export type Comparison = '==' | '!=' | '<' | '<=' | '>' | '>=' | 'in'
export type Arithmetic = '+' | '-' | '*'

/** Methods of Cedar itself; those of extension types are `call`s. */
export type Method = 'contains' | 'containsAll' | 'containsAny' | 'isEmpty' | 'getTag' | 'hasTag'

/** Chains of one operator are one node, so that a long chain is not a deep tree. */
export type Expression = Node & { readonly at: Place }

type Node =
  | { readonly kind: 'literal'; readonly value: boolean | string | Long }
  | { readonly kind: 'entity'; readonly entity: EntityRef }
  | { readonly kind: 'variable'; readonly name: Variable }
  | { readonly kind: 'not'; readonly operand: Expression }
  | { readonly kind: 'negate'; readonly operand: Expression }
  | { readonly kind: 'and'; readonly operands: readonly Expression[] }
  | { readonly kind: 'or'; readonly operands: readonly Expression[] }
  | {
      readonly kind: 'compare'
      readonly operator: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly kind: 'arithmetic'; readonly first: Expression; readonly rest: readonly Operation[] }
  | { readonly kind: 'has'; readonly target: Expression; readonly path: readonly string[] }
  | { readonly kind: 'get'; readonly target: Expression; readonly attribute: string }
  | { readonly kind: 'like'; readonly target: Expression; readonly pattern: Pattern }
  | { readonly kind: 'is'; readonly target: Expression; readonly type: string; readonly within?: Expression }
  | { readonly kind: 'if'; readonly test: Expression; readonly yes: Expression; readonly no: Expression }
  | { readonly kind: 'set'; readonly elements: readonly Expression[] }
  | { readonly kind: 'record'; readonly fields: ReadonlyMap<string, Expression> }
  | {
      readonly kind: 'method'
      readonly method: Method
      readonly target: Expression
      readonly argument?: Expression
    }
  | { readonly kind: 'call'; readonly name: string; readonly parameters: readonly Expression[] }

export interface Operation {
  readonly operator: Arithmetic
  readonly operand: Expression
}

/** The texts between the wildcards: `["a", "b"]` is `a*b`, and a pattern without a wildcard is one text. */
export type Pattern = readonly string[]

export function isSlot(entity: EntityRef | Slot): entity is Slot {
  return 'slot' in entity
}

/** True for a template: a policy in whose scope something is left open. */
export function hasSlot({ principal, resource }: Policy): boolean {
  return [principal, resource].some((scope) => 'entity' in scope && isSlot(scope.entity))
}
