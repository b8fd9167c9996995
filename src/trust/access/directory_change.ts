import type { Clock } from '#base/clock.ts'
import { printRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import type { Change, ChangeRecord, KnownCaller } from './directory.ts'
import { isGroup, type DirectoryState } from './directory_state.ts'
import type { CallerRecord, GroupRecord } from './directory_record.ts'
import type { DirectoryStore } from './directory_store.ts'
import type { KeyRecord } from './key_record.ts'

/** What the verbs of the directory work with. */
export interface DirectoryParts {
  readonly state: DirectoryState
  readonly store: DirectoryStore
  readonly clock: Clock
  /** Those of a caller that is deleted are revoked with it. */
  readonly keys: ReadonlyMap<string, KeyRecord>
}

export interface Plan<T> {
  readonly records: readonly ChangeRecord[]
  readonly make: () => T
}

/** A change that is planned twice: to see what it comes to, and again when that is on record and it is made. */
export function planned<T>(plan: () => Plan<T>): Change<T> {
  const { records } = plan()
  return { records, make: () => plan().make() }
}

/** What the ledger says of a caller. The kind and the id tell it from another one that has the name later. */
export function callerFields({ name, id, kind }: KnownCaller): JsonObject {
  return { name, caller_id: id, caller_kind: kind }
}

export function groupFields({ name, id }: Pick<GroupRecord, 'name' | 'id'>): JsonObject {
  return { group: name, group_id: id }
}

export function holderFields(holder: CallerRecord | GroupRecord): JsonObject {
  const type = isGroup(holder) ? 'Group' : holder.kind
  return { holder: printRef({ type, id: holder.name }), holder_id: holder.id }
}

/** What is undefined is null in the ledger. */
export function fieldOf<T extends string | JsonObject>(value: T | undefined): T | null {
  return value ?? null
}

export function conflict(say: string): Fault {
  return new Fault('directory.conflicting', {}, { say })
}

export function taken(say: string): Fault {
  return new Fault('resource.conflicting', {}, { say })
}
