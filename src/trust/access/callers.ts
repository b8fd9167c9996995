import type { Clock, Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Peppers } from '#base/peppers.ts'
import { Sealed } from '#base/sealed.ts'
import type { Database } from '#base/sqlite.ts'
import { authenticateWith } from './authenticate.ts'
import type { Credential, KeyAuthenticator, Proven } from './caller.ts'
import { keyCaller } from './caller_facts.ts'
import { openCallerStore, type CallerStore } from './caller_store.ts'
import { callerView, keyView, type CallerView, type KeyView } from './caller_view.ts'
import { newKeyText, newKid, type KeyId } from './key.ts'
import { DAY_MS, type CallerRecord, type KeyRecord, type SecretRecord } from './key_record.ts'
import { openLastUsed, type LastUsed } from './last_used.ts'
import { replayChanges, type RecordedChange, type Replayed } from './replay.ts'
import { MAX_LIFETIME_MS, toTerms, type KeyTerms, type NewKey } from './new_key.ts'

/** A rotated secret goes on for a day, so that nobody has to swap it everywhere at once. */
const DEFAULT_OVERLAP_MS = DAY_MS
const MAX_OVERLAP_MS = 7 * DAY_MS
const DEFAULT_SPACE = 'default'
const DEFAULT_TENANT = 'default'

export interface CallersParts {
  /** Taken over: `close` closes it. */
  readonly database: Database
  readonly peppers: Peppers
  readonly clock: Clock
  /** Runs work soon, off the path of a request; `main.ts` gives a timer. */
  readonly later: (work: () => void) => void
}

/** What is shown once, when a key or a secret of it is made. */
export interface MadeKey {
  readonly kid: string
  readonly key: Sealed
  readonly caller: string
  readonly notAfter: Millis
}

/** The callers of this home and their keys. A change is on disk, and seen by the next `authenticate`, when its verb returns. */
export interface Callers extends KeyAuthenticator {
  /** Makes a key, and its caller when the name is new. Throws `input.invalid`, `key.conflicting`. */
  createKey(asked: NewKey): MadeKey
  listKeys(): readonly KeyView[]
  /**
   * Gives a key a second secret of the same lifetime; the first ends after `overlapMs`.
   * Throws `key.unknown`, `input.invalid`, and `key.conflicting` for a third live secret or a key that is not live.
   */
  rotateKey(kid: string, overlapMs?: number): MadeKey
  /** For good; a second time changes nothing. Throws `key.unknown`. */
  revokeKey(kid: string): KeyView
  /** Refuses all keys of a caller until `enableCaller`. Throws `caller.missing`. */
  disableCaller(name: string): CallerView
  /** Throws `caller.missing`. */
  enableCaller(name: string): CallerView
  listCallers(): readonly CallerView[]
  /** Makes changes again that the ledger has and the database lacks; it only narrows (`replayChanges`). */
  replay(changes: readonly RecordedChange[]): Replayed
  /** Writes what is still to be written and closes the database. */
  close(): void
}

/** Loads all callers and keys. Throws `home.damaged` when a pepper that a live key needs is not there. */
export function openCallers(parts: CallersParts): Callers {
  const store = openCallerStore(parts.database)
  const { callers, keys } = store.load()
  const now = parts.clock.now()
  const missing = keys.find((key) => !parts.peppers.has(key.pepperId) && isUsable(key, now))
  if (missing !== undefined)
    throw new Fault(
      'home.damaged',
      { kid: missing.kid, pepper: missing.pepperId },
      { say: 'A pepper that keys were hashed with is missing from the keys folder.' },
    )
  return new CallerBook(parts, store, {
    callers: new Map(callers.map((caller) => [caller.name, caller])),
    keys: new Map(keys.map((key) => [key.kid, key])),
  })
}

/** True for a key that may still be accepted some day: neither revoked nor ended. */
function isUsable(key: KeyRecord, now: Millis): boolean {
  return key.revokedAt === undefined && key.secrets.some((secret) => now < secret.notAfter)
}

interface Held {
  readonly callers: Map<string, CallerRecord>
  readonly keys: Map<string, KeyRecord>
}

/** Everything in memory, and each change first on disk. */
class CallerBook implements Callers {
  readonly #clock: Clock
  readonly #peppers: Peppers
  readonly #store: CallerStore
  readonly #held: Held
  readonly #lastUsed: LastUsed
  readonly #authenticator: KeyAuthenticator

  constructor(parts: CallersParts, store: CallerStore, held: Held) {
    this.#clock = parts.clock
    this.#peppers = parts.peppers
    this.#store = store
    this.#held = held
    this.#lastUsed = openLastUsed(store, parts.later)
    this.#authenticator = authenticateWith({
      keys: held.keys,
      peppers: parts.peppers,
      clock: parts.clock,
      used: this.#lastUsed.note,
    })
  }

  authenticate(credential: Credential, address: string): Proven {
    return this.#authenticator.authenticate(credential, address)
  }

  looksReal(credential: Credential): boolean {
    return this.#authenticator.looksReal(credential)
  }

  createKey(asked: NewKey): MadeKey {
    const now = this.#clock.now()
    const terms = toTerms(asked, now)
    if (this.#held.keys.size >= LIMITS.keys)
      throw new Fault('key.conflicting', {}, { say: `A home holds at most ${LIMITS.keys} keys.` })
    const known = this.#held.callers.get(terms.name)
    if (known !== undefined) checkOwner(known, terms)
    const owner = known ?? newOwner(terms, now)
    const id: KeyId = { environment: terms.environment, kid: newKid() }
    const text = newKeyText(id)
    const record: KeyRecord = {
      ...id,
      owner,
      pepperId: this.#peppers.current,
      scope: terms.scope,
      addresses: terms.addresses,
      ranges: terms.ranges,
      notBefore: terms.notBefore,
      createdAt: now,
      createdBy: terms.createdBy,
      revokedAt: undefined,
      secrets: [
        this.#newSecret(1, text, this.#peppers.current, { createdAt: now, notAfter: terms.notAfter }),
      ],
      proves: keyCaller(owner, id.kid, terms.scope),
    }
    this.#store.addKey(record, known === undefined)
    this.#held.callers.set(owner.name, owner)
    this.#held.keys.set(record.kid, record)
    return { kid: record.kid, key: new Sealed(text), caller: owner.name, notAfter: terms.notAfter }
  }

  listKeys(): readonly KeyView[] {
    const now = this.#clock.now()
    return [...this.#held.keys.values()].map((record) => keyView(record, now))
  }

  rotateKey(kid: string, overlapMs = DEFAULT_OVERLAP_MS): MadeKey {
    const now = this.#clock.now()
    const record = this.#key(kid)
    checkOverlap(overlapMs)
    const live = record.secrets.filter((secret) => now < secret.notAfter)
    const newest = live.at(-1)
    if (record.revokedAt !== undefined || newest === undefined)
      throw new Fault('key.conflicting', { kid }, { say: 'The key is not live any more; make a new one.' })
    if (live.length > 1)
      throw new Fault(
        'key.conflicting',
        { kid },
        { say: 'The key has two live secrets until the older one ends.' },
      )
    const text = newKeyText(record)
    const lifetime = Math.min(MAX_LIFETIME_MS, newest.notAfter - Math.max(newest.createdAt, record.notBefore))
    const term = { createdAt: now, notAfter: Math.max(now, record.notBefore) + lifetime }
    const ending: SecretRecord = { ...newest, notAfter: Math.min(newest.notAfter, now + overlapMs) }
    const secrets = [ending, this.#newSecret(newest.number + 1, text, record.pepperId, term)]
    this.#store.replaceSecrets(kid, secrets)
    record.secrets = secrets
    return { kid, key: new Sealed(text), caller: record.owner.name, notAfter: term.notAfter }
  }

  revokeKey(kid: string): KeyView {
    const now = this.#clock.now()
    const record = this.#key(kid)
    if (record.revokedAt === undefined) {
      this.#store.setRevoked(kid, now)
      record.revokedAt = now
    }
    return keyView(record, now)
  }

  disableCaller(name: string): CallerView {
    const caller = this.#caller(name)
    return caller.disabledAt === undefined ? this.#setDisabled(caller, this.#clock.now()) : callerView(caller)
  }

  enableCaller(name: string): CallerView {
    return this.#setDisabled(this.#caller(name), undefined)
  }

  listCallers(): readonly CallerView[] {
    return [...this.#held.callers.values()].map(callerView)
  }

  replay(changes: readonly RecordedChange[]): Replayed {
    const { callers, keys } = this.#held
    return replayChanges({ store: this.#store, callers, keys, overlapMs: DEFAULT_OVERLAP_MS }, changes)
  }

  close(): void {
    try {
      this.#lastUsed.flush()
    } finally {
      this.#store.close()
    }
  }

  #setDisabled(caller: CallerRecord, at: Millis | undefined): CallerView {
    this.#store.setDisabled(caller.name, at)
    caller.disabledAt = at
    return callerView(caller)
  }

  #key(kid: string): KeyRecord {
    const record = this.#held.keys.get(kid)
    if (record === undefined) throw new Fault('key.unknown')
    return record
  }

  #caller(name: string): CallerRecord {
    const caller = this.#held.callers.get(name)
    if (caller === undefined) throw new Fault('caller.missing')
    return caller
  }

  #newSecret(
    number: number,
    text: string,
    pepperId: string,
    term: Pick<SecretRecord, 'createdAt' | 'notAfter'>,
  ): SecretRecord {
    return { number, mac: this.#peppers.mac(pepperId, text), ...term, lastUsedDay: undefined }
  }
}

function newOwner({ name, kind, createdBy }: KeyTerms, now: Millis): CallerRecord {
  return {
    name,
    kind,
    space: DEFAULT_SPACE,
    tenant: DEFAULT_TENANT,
    createdAt: now,
    createdBy,
    disabledAt: undefined,
  }
}

function checkOwner(owner: CallerRecord, { kind }: KeyTerms): void {
  if (owner.kind !== kind)
    throw new Fault('key.conflicting', {}, { say: 'The name belongs to a caller of another kind.' })
  if (owner.disabledAt !== undefined)
    throw new Fault('key.conflicting', {}, { say: 'The caller is disabled; enable it first.' })
}

function checkOverlap(overlapMs: number): void {
  if (!Number.isSafeInteger(overlapMs) || overlapMs < 0 || overlapMs > MAX_OVERLAP_MS)
    throw new Fault('input.invalid', { field: 'overlap' }, { say: '"overlap" may be at most 7 days.' })
}
