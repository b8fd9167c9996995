import { setTimeout as later } from 'node:timers'
import path from 'node:path'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import type { Peppers } from '#base/peppers.ts'
import { openDatabase, type Database } from '#base/sqlite.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import type { Directory, KnownGroup } from '#trust/access/directory.ts'
import { openLocalKeys } from '#trust/vault/local_keys.ts'

/** How many of what a home holds. */
export interface CrowdSize {
  readonly users: number
  readonly services: number
  readonly keysEach: number
  readonly groups: number
  readonly groupsOfUser: number
}

export const CROWD: CrowdSize = {
  users: 10_000,
  // With the first key of a home these are as many keys as one may hold.
  services: 39_999,
  keysEach: 2,
  groups: 500,
  groupsOfUser: 10,
}

/** Opens the callers of a home in which a door has been. */
export function openCrowd(home: string): { readonly callers: Callers; readonly database: Database } {
  const database = openDatabase(path.join(home, 'state.db'))
  const { peppers } = openLocalKeys({ directory: path.join(home, 'keys'), isNewHome: false })
  return { callers: callersOf(database, peppers), database }
}

function callersOf(database: Database, peppers: Peppers): Callers {
  return openCallers({
    database,
    peppers,
    clock: SYSTEM_CLOCK,
    later: (work) => void later(work, 1_000).unref(),
  })
}

/** Fills a home through the store that the door uses, and gives one key of each caller. */
export function fillHome(home: string, size: CrowdSize): readonly string[] {
  const { callers, database } = openCrowd(home)
  // Each change would wait for the disk; what is loaded later is the same.
  database.prepare('PRAGMA synchronous = OFF').run()
  const { directory } = callers
  const groups = makeGroups(directory, size)
  const keys: string[] = []
  for (let at = 0; at < size.users; at += 1) {
    const name = `person-${at}@example.org`
    const user = directory
      .createCaller({ name, kind: 'User', source: 'scim', createdBy: 'bench', externalId: `e${at}` })
      .make()
    if (at % 5 === 0) directory.giveRole(user, `role-${at % 50}`).make()
    keys.push(makeKeys(callers, name, size.keysEach))
  }
  for (const [at, group] of groups.entries()) {
    const members = Array.from({ length: (size.users * size.groupsOfUser) / size.groups }, (_, index) => {
      return directory.find(`person-${(at * 37 + index * 7) % size.users}@example.org`)
    })
    directory
      .addMembers(
        group,
        members.filter((member) => member !== undefined),
      )
      .make()
  }
  for (let at = 0; at < size.services; at += 1) keys.push(makeKeys(callers, `service-${at}`, size.keysEach))
  callers.close()
  return keys
}

/** A tenth of the groups stand in another one, and each of these has a role. */
function makeGroups(directory: Directory, { groups }: CrowdSize): readonly KnownGroup[] {
  const made = Array.from({ length: groups }, (_, at) =>
    directory.createGroup({ display: `Group ${at}` }).make(),
  )
  for (const [at, group] of made.entries()) {
    if (at % 10 === 0) directory.giveRole(group, `role-${at % 50}`).make()
    else if (at % 10 === 1) directory.nest(group, made[at - 1]).make()
  }
  return made
}

function makeKeys(callers: Callers, name: string, count: number): string {
  let last = ''
  for (let at = 0; at < count; at += 1) {
    const { key } = callers.createKey({ name, models: ['echo'], createdBy: 'System::"operator"' })
    last = key.open((text) => text)
  }
  return last
}
