import type { Clock } from '#base/clock.ts'
import type { Decider, Question } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import type { CallerMemory } from '#base/memory.ts'
import type { EntryDraft, Receipt, Recorder } from '#base/recorder.ts'
import { Meter } from '#door/meter.ts'
import { KEY_ALONE } from '#trust/access/caller_facts.ts'
import type { Caller, Credential, KeyAuthenticator, Proven } from '#trust/access/caller.ts'

/** A clock that stands still until it is moved. */
export class StillClock implements Clock {
  #now = 1_790_000_000_000

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  advance(milliseconds: number): void {
    this.#now += milliseconds
  }
}

/** Keeps entries in memory, and can be told to fail as a full disk does. */
export class MemoryRecorder implements Recorder {
  readonly entries: EntryDraft[] = []
  isWritable = true

  async append(draft: EntryDraft): Promise<Receipt> {
    if (!this.isWritable) throw new Fault('ledger.unwritable')
    this.entries.push(draft)
    return Promise.resolve({ origin: 'memory', index: this.entries.length - 1, leafHash: new Uint8Array(32) })
  }

  appendLater(make: () => EntryDraft): void {
    if (this.isWritable) this.entries.push(make())
  }

  kinds(): readonly string[] {
    return this.entries.map(({ kind }) => kind)
  }
}

export const CALLER: Caller = {
  ref: { type: 'Service', id: 'demo' },
  entities: [],
  space: 'default',
  scope: { models: undefined, actions: undefined },
  kid: 'kid000000001',
  ...KEY_ALONE,
}

/** A caller whose key never ends. */
export function proven(caller: Caller): Proven {
  return { caller, recheck: () => caller }
}

/** Knows one caller: whoever comes with any bearer token. */
export const AUTHENTICATOR: KeyAuthenticator = {
  authenticate: (credential: Credential) => {
    if (credential.kind !== 'bearer') throw new Fault('caller.unknown', { reason: 'credential.missing' })
    return proven(CALLER)
  },
  looksReal: (credential) => credential.kind === 'bearer',
}

/** Memory without an end. */
export const ENDLESS: CallerMemory = { caller: 'Service::"demo"', claim: () => undefined }

/** A meter with so many places, one in reserve, and memory for small bodies. */
export function meterOf(places: number): Meter {
  return new Meter({ places, reservedPlaces: 1, bytes: 10_000_000, reservedBytes: 1_000 })
}

/** Charges nobody. */
export const OPEN_GUARD = {
  charge: () => undefined,
  chargeKey: () => undefined,
  chargeCaller: () => undefined,
}

/** A decider that answers with a function of the question. */
export function decider(allows: (question: Question) => boolean): Decider {
  return {
    set: 'set-of-the-test',
    decide: (question) => {
      const isAllowed = allows(question)
      return {
        effect: isAllowed ? 'allow' : 'deny',
        policies: isAllowed ? ['p-allow'] : [],
        errors: [],
        set: 'set-of-the-test',
        entities: 'entities-of-the-test',
      }
    },
  }
}
