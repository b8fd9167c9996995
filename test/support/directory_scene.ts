import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { hmacSha256 } from '#base/crypto.ts'
import { openDatabase } from '#base/sqlite.ts'
import {
  newCallerRecord,
  newSpaceRecord,
  newTenantRecord,
  type CallerRecord,
} from '#trust/access/directory_record.ts'
import type { Directory, KnownCaller, KnownGroup, KnownSpace } from '#trust/access/directory.ts'
import { openCallers, type Callers } from '#trust/access/callers.ts'
import { StillClock } from './door_parts.ts'

/** A service of the default space that no directory has. */
export function callerAlone(given: Partial<CallerRecord> = {}): CallerRecord {
  const tenant = newTenantRecord({ id: 'tenant0000000001', name: 'default' }, 0)
  const space = newSpaceRecord({ id: 'space00000000001', name: 'default', tenant }, 0)
  const base = { id: 'caller0000000001', name: 'demo', kind: 'Service', space, createdBy: 'test' } as const
  return newCallerRecord({ ...base, ...given }, 0)
}

/** Disables or enables a caller by its name. */
export function setActive({ directory }: Callers, name: string, isActive: boolean): KnownCaller {
  const caller = directory.find(name)
  assert.ok(caller !== undefined, `there is no ${name}`)
  return directory.setActive(caller, isActive).make()
}

const PEPPERS = {
  current: '1',
  has: () => true,
  mac: (_id: string, text: string) => hmacSha256(new Uint8Array(32).fill(7), text),
}

/** A directory on a real database, that can be read again as the next process does. */
export class DirectoryScene {
  readonly clock = new StillClock()
  readonly callers: Callers
  readonly #folder = mkdtempSync(join(tmpdir(), 'gatehouse-directory-'))
  readonly #opened: Callers[] = []

  constructor(t: Pick<TestContext, 'after'>) {
    this.callers = this.again()
    t.after(() => this.close())
  }

  get directory(): Directory {
    return this.callers.directory
  }

  /** A copy of all that is on disk now. Gives its name, for `again`. */
  backUp(): string {
    const name = `copy-${String(this.#opened.length)}.db`
    const database = openDatabase(join(this.#folder, 'state.db'))
    database.prepare('VACUUM INTO ?').run(join(this.#folder, name))
    database.close()
    return name
  }

  again(name = 'state.db'): Callers {
    const database = openDatabase(join(this.#folder, name))
    const opened = openCallers({ database, peppers: PEPPERS, clock: this.clock, later: () => undefined })
    this.#opened.push(opened)
    return opened
  }

  close(): void {
    for (const callers of this.#opened.splice(0)) callers.close()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  user(name: string): KnownCaller {
    return this.directory.createCaller({ name, kind: 'User', createdBy: 'test' }).make()
  }

  service(name: string): KnownCaller {
    return this.directory.createCaller({ name, kind: 'Service', createdBy: 'test' }).make()
  }

  group(display: string): KnownGroup {
    return this.directory.createGroup({ display }).make()
  }

  space(name: string, parent?: string): KnownSpace {
    return this.directory.createSpace({ name, ...(parent && { parent, inherits: true }) }).make()
  }
}
