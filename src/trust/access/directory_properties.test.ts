import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { DirectoryScene } from '../../../test/support/directory_scene.ts'
import type { Change, Directory, KnownCaller, KnownGroup, KnownSpace } from './directory.ts'
import type { RecordedChange } from './recorded_change.ts'

const SEED = 20_261_122
const STEPS = 80

/** What each step does is drawn as numbers, which are brought down to what there is. */
const step = fc.record({
  verb: fc.integer({ min: 0, max: 15 }),
  one: fc.integer({ min: 0, max: 7 }),
  two: fc.integer({ min: 0, max: 7 }),
  flag: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer Value> ? Value : never

type Verb = (directory: Directory, drawn: Drawn) => Change<unknown> | undefined

interface Drawn {
  readonly caller: KnownCaller | undefined
  readonly group: KnownGroup | undefined
  readonly other: KnownGroup | undefined
  readonly some: readonly KnownCaller[]
  readonly step: Step
}

const VERBS: readonly Verb[] = [
  (directory, { step: { one, flag } }) =>
    directory.createCaller({ name: `c${one}`, kind: flag ? 'User' : 'Service', createdBy: 'test' }),
  (directory, { step: { one } }) => directory.createGroup({ display: `G ${one}` }),
  (directory, { step: { one, flag } }) =>
    directory.createSpace({ name: `s${one}`, ...(flag ? { parent: 'default', inherits: true } : {}) }),
  (directory, { caller, step: { flag } }) => caller && directory.setActive(caller, flag),
  (directory, { caller, step: { two } }) =>
    caller && directory.setSpace(caller, spaceOf(directory, two).name),
  (directory, { caller, step: { two } }) => caller && directory.changeUser(caller, { name: `n${two}` }),
  (directory, { caller, step: { one } }) =>
    one === 0 ? caller && directory.deleteCaller(caller) : undefined,
  (directory, { group, some }) => group && directory.addMembers(group, some),
  (directory, { group, some }) => group && directory.removeMembers(group, some),
  (directory, { group, some }) => group && directory.setMembers(group, some),
  (directory, { group, other, step: { flag } }) => group && directory.nest(group, flag ? other : undefined),
  (directory, { group, step: { one } }) => (one === 0 ? group && directory.deleteGroup(group) : undefined),
  (directory, { group, step: { two } }) => group && directory.changeGroup(group, { display: `G${two}` }),
  (directory, { caller, group, step: { two, flag } }) => {
    const holder = flag ? caller : group
    return holder && directory.giveRole(holder, `r${two}`)
  },
  (directory, { caller, group, step: { two, flag } }) => {
    const holder = flag ? caller : group
    return holder && directory.takeRole(holder, `r${two}`)
  },
  (directory, { step: { one, two, flag } }) =>
    directory.changeSpace(spaceOf(directory, one), { parent: spaceOf(directory, two).name, inherits: flag }),
]

function spaceOf(directory: Directory, at: number): KnownSpace {
  const spaces = directory.listSpaces()
  return spaces[at % spaces.length] ?? assert.fail()
}

/** Makes the change of a step; true when there was one to make. */
function take(directory: Directory, drawn: Step): Change<unknown> | undefined {
  const callers = directory.listCallers({ start: 0, count: 100 }).items
  const groups = directory.listGroups({ start: 0, count: 100 }).items
  const caller = callers[drawn.one % Math.max(1, callers.length)]
  const [group, other] = [drawn.one, drawn.two].map((at) => groups[at % Math.max(1, groups.length)])
  const some = callers.filter((_, at) => (drawn.two + at) % 3 === 0)
  try {
    const change = VERBS[drawn.verb]?.(directory, { caller, group, other, some, step: drawn })
    change?.make()
    return change
  } catch (thrown) {
    // What is refused must change nothing, which the comparison shows.
    assert.ok(thrown instanceof Fault && thrown.code !== 'internal.bug', String(thrown))
    return undefined
  }
}

/** All of a directory as one value, in no order. */
function drawnOf(directory: Directory): unknown {
  const { items: callers } = directory.listCallers({ start: 0, count: 100 })
  const { items: groups } = directory.listGroups({ start: 0, count: 100 })
  return {
    callers: callers.map((caller) => ({
      id: caller.id,
      name: caller.name,
      kind: caller.kind,
      space: caller.space.name,
      version: caller.version,
      disabledAt: caller.disabledAt,
      createdBy: caller.createdBy,
      groups: namesOf(caller.groups),
      roles: [...caller.roles].sort(),
      facts: factsOf(directory, caller),
    })),
    groups: groups.map((group) => ({
      id: group.id,
      name: group.name,
      display: group.display,
      version: group.version,
      parent: group.parent?.name,
      children: namesOf(group.children),
      members: namesOf(group.members),
      roles: [...group.roles].sort(),
    })),
    roles: Object.fromEntries(directory.listRoles().map(({ name, holders }) => [name, namesOf(holders)])),
    spaces: directory.listSpaces().map(({ name, tenant, parent, inherits, version }) => {
      return { name, tenant: tenant.name, parent: parent?.name, inherits, version }
    }),
  }
}

function namesOf(records: Iterable<{ readonly name: string }>): readonly string[] {
  return Array.from(records, ({ name }) => name).sort()
}

function factsOf(directory: Directory, caller: KnownCaller): readonly string[] {
  const { entities } = directory.factsOf(caller)
  return entities.map(({ ref, parents }) => `${printRef(ref)}: ${parents.map(printRef).sort().join()}`).sort()
}

/** The same worked out anew and the slow way: by asking who is in what until nothing more is found. */
function referenceFacts(directory: Directory, caller: KnownCaller): readonly string[] {
  const groups = directory.listGroups({ start: 0, count: 100 }).items
  const parentsOf = (ref: string): readonly string[] => {
    const group = groups.find(({ name }) => ref === `Group::"${name}"`)
    const space = directory.listSpaces().find(({ name }) => ref === `Space::"${name}"`)
    if (ref === `${caller.kind}::"${caller.name}"`)
      return [
        `Space::"${caller.space.name}"`,
        ...groups.filter(({ members }) => members.has(caller)).map(({ name }) => `Group::"${name}"`),
        ...[...caller.roles].map((role) => `Role::"${role}"`),
      ]
    if (group !== undefined)
      return [
        ...(group.parent === undefined ? [] : [`Group::"${group.parent.name}"`]),
        ...[...group.roles].map((role) => `Role::"${role}"`),
      ]
    if (space === undefined) return []
    const above = space.inherits && space.parent !== undefined ? [`Space::"${space.parent.name}"`] : []
    return [`Tenant::"${space.tenant.name}"`, ...above]
  }
  const found = new Set([`${caller.kind}::"${caller.name}"`])
  for (const ref of found) for (const parent of parentsOf(ref)) found.add(parent)
  return [...found].map((ref) => `${ref}: ${[...parentsOf(ref)].sort().join()}`).sort()
}

test(`whatever is changed, memory is what the next process loads, and facts are those of the slow way (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: STEPS, maxLength: STEPS }), (steps) => {
      const scene = openScene()
      try {
        for (const drawn of START) take(scene.directory, drawn)
        for (const each of steps) take(scene.directory, each)
        const again = scene.again()
        assert.deepEqual(drawnOf(scene.directory), drawnOf(again.directory))
        for (const caller of scene.directory.listCallers({ start: 0, count: 100 }).items)
          assert.deepEqual(factsOf(scene.directory, caller), referenceFacts(scene.directory, caller))
      } finally {
        scene.close()
      }
    }),
    { seed: SEED, numRuns: 10 },
  )
})

test(`an older database takes nothing back that was taken away since, and gives nothing (seed ${SEED})`, () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: STEPS, maxLength: STEPS }), fc.nat(STEPS), (steps, split) => {
      const scene = openScene()
      try {
        for (const drawn of START) take(scene.directory, drawn)
        for (const drawn of steps.slice(0, split)) take(scene.directory, drawn)
        const copy = scene.backUp()
        const changes = steps.slice(split).flatMap((drawn) => recordedOf(take(scene.directory, drawn)))
        const { directory: before } = scene.again(copy)
        const older = scene.again(copy)
        older.replay(changes)
        checkNarrowed(before, older.directory, scene.directory)
        assert.equal(older.replay(changes).made, 0, 'twice is once')
        assert.deepEqual(drawnOf(older.directory), drawnOf(scene.again(copy).directory), 'on disk too')
      } finally {
        scene.close()
      }
    }),
    { seed: SEED, numRuns: 10 },
  )
})

function recordedOf(change: Change<unknown> | undefined): readonly RecordedChange[] {
  return (change?.records ?? []).map(({ what, fields }) => ({
    what,
    at: 0,
    kid: undefined,
    values: fields,
    isMade: true,
  }))
}

/** `after` is `before` with the changes made again that lead from `before` to `now`. */
function checkNarrowed(before: Directory, after: Directory, now: Directory): void {
  for (const caller of after.listCallers({ start: 0, count: 100 }).items) {
    const [then, current] = [before.findById(caller.id), now.findById(caller.id)]
    assert.ok(current !== undefined, `${caller.name} was deleted`)
    if (then === undefined) {
      assert.ok(caller.disabledAt !== undefined, 'who was not here comes back disabled alone')
      continue
    }
    if (current.disabledAt !== undefined)
      assert.ok(caller.disabledAt !== undefined, `${caller.name} was disabled`)
    const isPlaced = caller.disabledAt !== undefined || caller.space.name === current.space.name
    assert.ok(isPlaced, `${caller.name} was moved`)
    checkSubset(idsOf(caller.groups), idsOf(then.groups), idsOf(current.groups))
    checkSubset([...caller.roles], [...then.roles], [...current.roles])
  }
  for (const group of after.listGroups({ start: 0, count: 100 }).items) {
    const [then, current] = [before.findGroupById(group.id), now.findGroupById(group.id)]
    assert.ok(then !== undefined && current !== undefined, `${group.name} was deleted`)
    assert.ok(
      group.name === current.name || group.members.size === 0,
      'who stays is in the group of that name',
    )
    checkSubset([...group.roles], [...then.roles], [...current.roles])
    if (group.parent !== undefined) assert.equal(group.parent.id, current.parent?.id)
  }
  for (const { name, inherits, parent } of after.listSpaces()) {
    const current = now.findSpace(name)
    if (inherits) assert.deepEqual([current?.inherits, current?.parent?.name], [true, parent?.name])
  }
}

function checkSubset(after: readonly string[], then: readonly string[], now: readonly string[]): void {
  for (const each of after) assert.ok(then.includes(each) && now.includes(each), `${each} is back`)
}

function idsOf(groups: ReadonlySet<KnownGroup>): readonly string[] {
  return Array.from(groups, ({ id }) => id)
}

/** Callers, groups and spaces to begin with: what is drawn would mostly name what is not there. */
const START: readonly Step[] = [0, 1, 2].flatMap((verb) =>
  Array.from({ length: 6 }, (_, one) => ({ verb, one, two: 0, flag: one % 2 === 0 })),
)

function openScene(): DirectoryScene {
  return new DirectoryScene({ after: () => undefined })
}
