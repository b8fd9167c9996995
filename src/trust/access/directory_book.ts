import { LIMITS } from '#base/limits.ts'
import { callerChanges, callerRecord } from './caller_changes.ts'
import type { Asked, Change, ChangeRecord, Directory, Listed } from './directory.ts'
import type { DirectoryParts } from './directory_change.ts'
import type { DirectoryFacts } from './directory_facts.ts'
import type { DirectoryState } from './directory_state.ts'
import { groupChanges } from './group_changes.ts'
import { findLimited, spaceChanges } from './space_changes.ts'

/** The directory over records that are loaded. */
export function openDirectory(parts: DirectoryParts, facts: DirectoryFacts): Directory {
  const { state } = parts
  return {
    ...lookUps(state),
    epochOf: (name) => state.epochOf(name),
    factsOf: (caller) => facts.of(callerRecord(state, caller)),
    factsFor: (user) => facts.ofToken(user),
    limitsOf: (of) => findLimited(state, of)?.limits,
    carryOut: inTurn(),
    ...callerChanges(parts),
    ...groupChanges(parts),
    ...spaceChanges(parts),
  }
}

type LookUps = Pick<Directory, Extract<keyof Directory, `find${string}` | `list${string}`>>

function lookUps(state: DirectoryState): LookUps {
  return {
    find: (name) => state.find(name),
    findAlike: (name) => state.findAlike(name),
    findById: (id) => state.findById(id),
    findByExternalId: (id) => state.findByExternalId(id),
    findGroup: (name) => state.findGroup(name),
    findGroupById: (id) => state.groups.get(id),
    findGroupByExternalId: (id) => state.findGroupByExternalId(id),
    findSpace: (name) => state.spaces.get(name),
    findTenant: (name) => state.tenants.get(name),
    listCallers: (asked) => listed(state.callers, asked),
    listGroups: (asked) => listed(state.groups.values(), asked),
    listRoles: () => [...state.roles.values()],
    listSpaces: () => [...state.spaces.values()],
    listTenants: () => [...state.tenants.values()],
  }
}

function listed<Item extends Known, Known>(items: Iterable<Item>, asked: Asked<Known>): Listed<Known> {
  const { start, count, where } = asked
  const kept: Known[] = []
  let total = 0
  for (const item of items) {
    if (where !== undefined && !where(item)) continue
    if (total >= start && kept.length < count) kept.push(item)
    total += 1
  }
  return { total, items: kept }
}

/** One change at a time: what was looked at still holds when it has been recorded. */
function inTurn(): Directory['carryOut'] {
  let last: Promise<unknown> = Promise.resolve()
  return async (record, plan) => {
    const turn = last.then(async () => await carryOut(record, plan))
    last = turn.catch(() => undefined)
    return await turn
  }
}

async function carryOut<T>(
  record: (change: ChangeRecord) => Promise<void>,
  plan: () => Change<T>,
): Promise<T> {
  const change = plan()
  const { records } = change
  for (let at = 0; at < records.length; at += LIMITS.changeEntriesAtOnce)
    await Promise.all(records.slice(at, at + LIMITS.changeEntriesAtOnce).map(record))
  return change.make()
}
