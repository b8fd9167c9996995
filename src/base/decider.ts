/** A Cedar entity reference, as in `Model::"echo"`. */
export interface EntityRef {
  readonly type: string
  readonly id: string
}

/** A Cedar value as the decider takes it. */
export type PolicyValue =
  | boolean
  | number
  | string
  | EntityRef
  | readonly PolicyValue[]
  | { readonly [name: string]: PolicyValue }

/** An entity with its attributes and direct parents. */
export interface EntityFacts {
  readonly ref: EntityRef
  readonly attributes: Readonly<Record<string, PolicyValue>>
  readonly parents: readonly EntityRef[]
}

export interface Question {
  readonly principal: EntityRef
  readonly action: EntityRef
  readonly resource: EntityRef
  readonly context: Readonly<Record<string, PolicyValue>>
  /** In lists of what came together, as a caller with its groups. What never changes is frozen all through. */
  readonly entities: readonly (readonly EntityFacts[])[]
}

export interface Decision {
  readonly effect: 'allow' | 'deny'
  /** Ids of the determining policies (`@id` where given). */
  readonly policies: readonly string[]
  /** Ids of policies that were skipped because they erred. */
  readonly errors: readonly string[]
  /** Hash of the policy set that decided. */
  readonly set: string
  /** Version of the facts that it decided on: the same for the same facts, in whatever order they came. */
  readonly entities: string
}

/** Answers questions from one policy set: default deny, forbid wins, a policy that errs is skipped and reported. */
export interface Decider {
  readonly set: string
  decide(question: Question): Decision
}

/** Prints an entity reference the way Cedar writes it. */
export function printRef(ref: EntityRef): string {
  return `${ref.type}::${JSON.stringify(ref.id)}`
}

/** One policy file as text. */
export interface PolicyFile {
  /** File name without a folder, as in `default.cedar`. */
  readonly name: string
  readonly text: string
}

export interface PolicyProblem {
  readonly file: string
  /** 1-based; 0 when the engine gives no place. */
  readonly line: number
  readonly column: number
  readonly message: string
}

export type Compiled =
  | { readonly kind: 'good'; readonly decider: Decider; readonly policies: readonly string[] }
  | { readonly kind: 'bad'; readonly problems: readonly PolicyProblem[] }

/** Makes a decider from policy files, checked against the schema. Replacing the engine is replacing this one value. */
export interface PolicyEngine {
  readonly name: string
  compile(files: readonly PolicyFile[], set: string): Compiled
}
