import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { hmacSha256 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import type { FaultCode } from '#base/fault_table.ts'
import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Peppers } from '#base/peppers.ts'
import { openDatabase } from '#base/sqlite.ts'
import { authorize } from '#trust/access/authorize.ts'
import type { Caller } from '#trust/access/caller.ts'
import { OPERATOR } from '#trust/access/caller_facts.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import type { Directory } from '#trust/access/directory.ts'
import { NO_POSSESSION, type Acted, type ActedWhole, type Route } from '#door/route.ts'
import { changesIn, type Changes } from '#rooms/admin/changes.ts'
import { decider, ENDLESS, MemoryRecorder, StillClock } from './door_parts.ts'

export const ENTRY_ID = 'entry00000000001'

const PEPPERS: Peppers = {
  current: '1',
  has: (id) => id === '1',
  mac: (_id, text) => hmacSha256(new Uint8Array(32).fill(7), text),
}

/** What admin routes work with: real callers on a real database, entries kept in memory. */
export class AdminBench {
  readonly recorder = new MemoryRecorder()
  readonly clock = new StillClock()
  readonly callers: Callers
  readonly directory: Directory
  readonly changes: Changes

  constructor(t: TestContext) {
    const folder = mkdtempSync(join(tmpdir(), 'gatehouse-admin-'))
    const database = openDatabase(join(folder, 'state.db'))
    this.callers = openCallers({ database, peppers: PEPPERS, clock: this.clock, later: () => undefined })
    this.directory = this.callers.directory
    this.changes = changesIn(this.recorder, this.clock)
    t.after(() => {
      this.callers.close()
      rmSync(folder, { recursive: true, force: true })
    })
  }

  /** Takes a request through a route of which the answer is whole. */
  async send<Input extends JsonObject>(route: Route<Input>, sent: Sent = {}): Promise<ActedWhole> {
    const acted = await actOn(route, sent)
    assert.ok(acted.kind === 'whole', 'no admin route streams')
    return acted
  }
}

/** Takes a request through a route as the door does: parse, authorize, act. */
export async function actOn<Input extends JsonObject>(route: Route<Input>, sent: Sent = {}): Promise<Acted> {
  const body = sent.body === undefined ? new Uint8Array() : Buffer.from(JSON.stringify(sent.body))
  const caller = sent.caller ?? OPERATOR
  const input = route.parse({ params: sent.params ?? {}, query: sent.query ?? [], body })
  assert.ok(Object.isFrozen(input), 'what a route parses is frozen')
  const policies = { current: () => decider(() => true) }
  const target = route.target(input, caller)
  const permit = authorize(policies, { caller, action: route.action, target, findings: [] })
  const shown = { address: 'socket', possession: NO_POSSESSION }
  const context = { id: ENTRY_ID, caller, ...shown, memory: ENDLESS, onAbort: () => undefined }
  return await route.act(permit, input, context)
}

export interface Sent {
  readonly params?: Readonly<Record<string, string>>
  readonly query?: readonly (readonly [string, string])[]
  readonly body?: JsonValue
  readonly caller?: Caller
}

/** The code of the fault that the work ends with, or `none`. */
export async function faultCode(work: () => Promise<unknown>): Promise<FaultCode | 'none'> {
  try {
    await work()
    return 'none'
  } catch (thrown) {
    if (thrown instanceof Fault) return thrown.code
    throw thrown
  }
}

/** A member of an answer that must be an object. */
export function member(acted: ActedWhole, name: string): JsonValue | undefined {
  assert.ok(isJsonObject(acted.body))
  return acted.body[name]
}
