import type { EntityFacts, EntityRef, PolicyValue, Question } from '#base/decider.ts'
import { KEY_ALONE } from '#trust/access/caller_facts.ts'
import type { Caller } from '#trust/access/caller.ts'
import { contextOf } from '#trust/access/question_context.ts'

/** A policy set of one size, and callers and models to ask about. */
export interface CedarWorld {
  readonly policies: string
  readonly callers: readonly Caller[]
  readonly models: readonly Model[]
}

export interface Model {
  readonly ref: EntityRef
  readonly entities: readonly EntityFacts[]
}

const GROUPS_OF_CALLER = 50
const CALLERS = 200
/** Policies for each space: an organization that has more policies has more spaces, groups and models. */
const POLICIES_OF_SPACE = 50
const TENANT = frozenRef('Tenant', 'main')
const TENANT_FACTS = frozenFacts(TENANT, [])
/** Groups and spaces, each with one account for all callers in it. */
const DIRECTORY = new Map<string, EntityFacts>()

/**
 * Callers are in a space and 50 groups, groups and spaces in a tenant, models in spaces. Of ten policies, four
 * let a group use a model, three let a group use the models of a space, one names a user, one a role, and one forbids.
 */
export function makeWorld(size: number): CedarWorld {
  const spaces = Math.max(2, Math.round(size / POLICIES_OF_SPACE))
  const groups = Math.max(60, size / 5)
  const models = Math.max(10, Math.round(size / 10))
  const lines = Array.from({ length: size }, (_, index) => {
    const [group, model, space] = [(index * 7_919) % groups, (index * 613) % models, (index * 31) % spaces]
    return `@id("p${index}") ${policy(index, { group, model, space })}`
  })
  return {
    policies: lines.join('\n'),
    callers: Array.from({ length: CALLERS }, (_, user) => makeCaller(user, groups, spaces)),
    models: Array.from({ length: models }, (_, model) => makeModel(model, spaces)),
  }
}

function policy(
  index: number,
  { group, model, space }: { group: number; model: number; space: number },
): string {
  const user = `principal in Group::"g${group}"`
  const infer = 'action == Action::"model:infer"'
  const kind = index % 10
  if (kind < 4) return `permit (${user}, ${infer}, resource == Model::"m${model}");`
  if (kind < 7)
    return `permit (${user}, action in Action::"model:use", resource in Space::"s${space}") when { context.via_key };`
  if (kind === 7)
    return `permit (principal == User::"u${index % CALLERS}", ${infer}, resource is Model in Space::"s${space}");`
  if (kind === 8)
    return `permit (principal is User in Role::"r${group}", ${infer}, resource in Space::"s${space}");`
  return `forbid (${user}, ${infer}, resource in Space::"s${space}") unless { resource has region && resource.region == "eu" };`
}

/**
 * A caller as authentication makes one: all of it frozen. Its own facts and their list are new; what is said of a group, a
 * space and the tenant is the one account of the directory, or with `isAlone` new as well.
 */
export function makeCaller(user: number, groups: number, spaces: number, isAlone = false): Caller {
  const known = isAlone ? new Map<string, EntityFacts>() : DIRECTORY
  const space = shared(known, 'Space', `s${user % spaces}`)
  const first = (user * 37) % groups
  const own = Array.from({ length: GROUPS_OF_CALLER }, (_, index) =>
    shared(known, 'Group', `g${(first + index) % groups}`),
  )
  const ref = frozenRef('User', `u${user}`)
  const entities = [
    frozenFacts(ref, [space.ref, ...own.map((group) => group.ref)]),
    ...own,
    space,
    isAlone ? frozenFacts(TENANT, []) : TENANT_FACTS,
  ]
  return {
    ref,
    entities: Object.freeze(entities),
    space: space.ref.id,
    scope: { models: undefined, actions: undefined },
    kid: 'bench',
    ...KEY_ALONE,
  }
}

function shared(known: Map<string, EntityFacts>, type: string, id: string): EntityFacts {
  const facts = known.get(id) ?? frozenFacts(frozenRef(type, id), [TENANT])
  known.set(id, facts)
  return facts
}

function makeModel(model: number, spaces: number): Model {
  const ref = frozenRef('Model', `m${model}`)
  const parents = [frozenRef('Space', `s${model % spaces}`)]
  const region = model % 3 === 0 ? 'us' : 'eu'
  return { ref, entities: Object.freeze([frozenFacts(ref, parents, { provider: 'echo', region })]) }
}

/** The question that `authorize` puts. */
export function makeQuestion(caller: Caller, model: Model): Question {
  return {
    principal: caller.ref,
    action: { type: 'Action', id: 'model:infer' },
    resource: model.ref,
    context: contextOf(caller, []),
    entities: [caller.entities, model.entities],
  }
}

function frozenRef(type: string, id: string): EntityRef {
  return Object.freeze({ type, id })
}

function frozenFacts(
  ref: EntityRef,
  parents: readonly EntityRef[],
  attributes: Record<string, PolicyValue> = {},
): EntityFacts {
  return Object.freeze({ ref, attributes: Object.freeze(attributes), parents: Object.freeze(parents) })
}
