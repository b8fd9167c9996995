import type { Clock, Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import type { Peppers } from '#base/peppers.ts'
import { Sealed } from '#base/sealed.ts'
import type { Database } from '#base/sqlite.ts'
import { authenticateWith } from './authenticate.ts'
import type { Credential, KeyAuthenticator, Proven } from './caller.ts'
import { checkNameFree, checkRoom, findSpace, newRecordId } from './caller_changes.ts'
import { openCallerStore, type CallerStore } from './caller_store.ts'
import { keyView, type KeyView } from './caller_view.ts'
import type { Asked, Directory, Listed } from './directory.ts'
import { openDirectory } from './directory_book.ts'
import type { DirectoryParts } from './directory_change.ts'
import { DEFAULT_SPACE, DirectoryFacts } from './directory_facts.ts'
import { loadDirectory } from './directory_load.ts'
import { newCallerRecord, type CallerRecord } from './directory_record.ts'
import { DirectoryState } from './directory_state.ts'
import { newKeyText, newKid, type KeyId } from './key.ts'
import { admits, DAY_MS, endingAt, objectionToAll, type KeyRecord, type SecretRecord } from './key_record.ts'
import { openLastUsed, type LastUsed } from './last_used.ts'
import type { RecordedChange } from './recorded_change.ts'
import { replayChanges, type Replayed } from './replay.ts'
import { MAX_LIFETIME_MS, toTerms, type KeyTerms, type NewKey } from './new_key.ts'
import type { Unproven } from './unproven.ts'

/** A rotated secret goes on for a day, so that nobody has to swap it everywhere at once. */
const DEFAULT_OVERLAP_MS = DAY_MS
const MAX_OVERLAP_MS = 7 * DAY_MS
const ALL = { start: 0, count: LIMITS.keys } as const

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
  readonly directory: Directory
  /** Another number after every change of callers, keys or what they belong to. */
  readonly version: number
  /** What `createKey` would make. Throws as it does. */
  termsOf(asked: NewKey): KeyTerms
  /**
   * Makes a key, and its caller, a service, when the name is new.
   * Throws `input.invalid`, `key.conflicting`, `resource.conflicting`, `space.missing`.
   */
  createKey(asked: NewKey): MadeKey
  listKeys(asked?: Asked<KeyView>): Listed<KeyView>
  /** Throws `key.unknown`. */
  findKey(kid: string): KeyView
  /** Why what was made with a key does not hold now, or not from this address; undefined while it does. */
  objectionTo(kid: string, address: string | undefined): Unproven | undefined
  /**
   * Gives a key a second secret of the same lifetime; the first ends after `overlapMs`.
   * Throws `key.unknown`, `input.invalid`, and `key.conflicting` for a third live secret or a key that is not live.
   */
  rotateKey(kid: string, overlapMs?: number): MadeKey
  /** For good; a second time changes nothing. Throws `key.unknown`. */
  revokeKey(kid: string): KeyView
  /** Makes changes again that the ledger has and the database lacks; it only narrows (`replayChanges`). */
  replay(changes: readonly RecordedChange[]): Replayed
  /** Writes what is still to be written and closes the database. */
  close(): void
}

/** Loads all callers and keys. Throws `home.damaged` when a pepper that a live key needs is not there. */
export function openCallers(parts: CallersParts): Callers {
  const store = openCallerStore(parts.database)
  const state = new DirectoryState()
  const owners = loadDirectory(parts.database, state)
  const keys = new Map(store.loadKeys(owners).map((key) => [key.kid, key]))
  const now = parts.clock.now()
  for (const key of keys.values()) {
    if (parts.peppers.has(key.pepperId) || !isUsable(key, now)) continue
    throw new Fault(
      'home.damaged',
      { kid: key.kid, pepper: key.pepperId },
      { say: 'A pepper that keys were hashed with is missing from the keys folder.' },
    )
  }
  return new CallerBook(parts, store, { state, keys })
}

/** True for a key that may still be accepted some day: neither revoked nor ended. */
function isUsable(key: KeyRecord, now: Millis): boolean {
  return key.revokedAt === undefined && key.secrets.some((secret) => now < secret.notAfter)
}

interface Held {
  readonly state: DirectoryState
  readonly keys: Map<string, KeyRecord>
}

/** Everything in memory, and each change first on disk. */
class CallerBook implements Callers {
  readonly directory: Directory
  readonly #clock: Clock
  readonly #peppers: Peppers
  readonly #store: CallerStore
  readonly #held: Held
  readonly #changing: DirectoryParts
  readonly #lastUsed: LastUsed
  readonly #authenticator: KeyAuthenticator
  #keyChanges = 0

  constructor(parts: CallersParts, store: CallerStore, held: Held) {
    const { clock, peppers } = parts
    const { state, keys } = held
    const facts = new DirectoryFacts(state)
    this.#clock = clock
    this.#peppers = peppers
    this.#store = store
    this.#held = held
    this.#changing = { state, store: store.directory, clock, keys }
    this.directory = openDirectory(this.#changing, facts)
    this.#lastUsed = openLastUsed(store, parts.later)
    this.#authenticator = authenticateWith({
      keys,
      peppers,
      clock,
      proves: (record) => facts.provenBy(record),
      epochOf: (owner) => facts.epochOf(owner),
      used: this.#lastUsed.note,
    })
  }

  get version(): number {
    return this.#held.state.epoch + this.#keyChanges
  }

  authenticate(credential: Credential, address: string): Proven {
    return this.#authenticator.authenticate(credential, address)
  }

  looksReal(credential: Credential): boolean {
    return this.#authenticator.looksReal(credential)
  }

  termsOf(asked: NewKey): KeyTerms {
    const { state, keys } = this.#held
    const owner = state.find(asked.name)
    const kind = asked.kind ?? owner?.kind
    const terms = toTerms({ ...asked, kind }, this.#clock.now())
    if (keys.size >= LIMITS.keys)
      throw new Fault('key.conflicting', {}, { say: `A home holds at most ${LIMITS.keys} keys.` })
    if (owner === undefined) this.#newOwner(terms)
    else checkOwner(owner, terms)
    return terms
  }

  createKey(asked: NewKey): MadeKey {
    const now = this.#clock.now()
    const { state, keys } = this.#held
    const terms = this.termsOf(asked)
    const { environment, scope, addresses, ranges, limits, notBefore, notAfter, createdBy } = terms
    const known = state.find(terms.name)
    const owner = known ?? this.#newOwner(terms)
    const id: KeyId = { environment, kid: newKid() }
    const text = newKeyText(id)
    const pepperId = this.#peppers.current
    const record: KeyRecord = {
      ...id,
      owner,
      pepperId,
      scope,
      addresses,
      ranges,
      limits,
      notBefore,
      createdAt: now,
      createdBy,
      revokedAt: undefined,
      secrets: [this.#newSecret(1, text, pepperId, { createdAt: now, notAfter })],
    }
    this.#store.addKey(record, known === undefined)
    if (known === undefined) state.addCaller(owner)
    keys.set(record.kid, record)
    this.#keyChanges += 1
    return { kid: record.kid, key: new Sealed(text), caller: owner.name, notAfter }
  }

  listKeys({ start, count, where }: Asked<KeyView> = ALL): Listed<KeyView> {
    const now = this.#clock.now()
    const items: KeyView[] = []
    let total = 0
    for (const record of this.#held.keys.values()) {
      // Without a condition only what is shown has to be drawn up.
      const view = where === undefined ? undefined : keyView(record, now)
      if (view !== undefined && where?.(view) === false) continue
      if (total >= start && items.length < count) items.push(view ?? keyView(record, now))
      total += 1
    }
    return { total, items }
  }

  findKey(kid: string): KeyView {
    return keyView(this.#key(kid), this.#clock.now())
  }

  objectionTo(kid: string, address: string | undefined): Unproven | undefined {
    const record = this.#held.keys.get(kid)
    if (record === undefined) return 'key.unknown'
    const isInside = address === undefined || admits(record, address)
    return objectionToAll(record, this.#clock.now()) ?? (isInside ? undefined : 'key.address_outside')
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
    const ending = endingAt(newest, Math.min(newest.notAfter, now + overlapMs))
    const secrets = [ending, this.#newSecret(newest.number + 1, text, record.pepperId, term)]
    this.#store.replaceSecrets(kid, secrets)
    record.secrets = secrets
    this.#keyChanges += 1
    return { kid, key: new Sealed(text), caller: record.owner.name, notAfter: term.notAfter }
  }

  revokeKey(kid: string): KeyView {
    const now = this.#clock.now()
    const record = this.#key(kid)
    if (record.revokedAt === undefined) {
      this.#store.setRevoked(kid, now)
      record.revokedAt = now
      this.#keyChanges += 1
    }
    return keyView(record, now)
  }

  replay(changes: readonly RecordedChange[]): Replayed {
    return replayChanges({ ...this.#changing, keyStore: this.#store, overlapMs: DEFAULT_OVERLAP_MS }, changes)
  }

  close(): void {
    try {
      this.#lastUsed.flush()
    } finally {
      this.#store.close()
    }
  }

  #key(kid: string): KeyRecord {
    const record = this.#held.keys.get(kid)
    if (record === undefined) throw new Fault('key.unknown')
    return record
  }

  /** Throws `resource.conflicting`, `directory.conflicting`, `space.missing`. */
  #newOwner({ name, kind, space = DEFAULT_SPACE, createdBy }: KeyTerms): CallerRecord {
    const { state } = this.#held
    checkNameFree(state, name)
    checkRoom(state)
    const given = { id: newRecordId(), name, kind, space: findSpace(state, space), createdBy }
    return newCallerRecord(given, this.#clock.now())
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

function checkOwner(owner: CallerRecord, { kind, space }: KeyTerms): void {
  if (owner.kind !== kind)
    throw new Fault('key.conflicting', {}, { say: 'The name belongs to a caller of another kind.' })
  if (space !== undefined && owner.space.name !== space)
    throw new Fault('key.conflicting', {}, { say: 'The caller is in another space.' })
  if (owner.disabledAt !== undefined)
    throw new Fault('key.conflicting', {}, { say: 'The caller is disabled; enable it first.' })
}

function checkOverlap(overlapMs: number): void {
  if (!Number.isSafeInteger(overlapMs) || overlapMs < 0 || overlapMs > MAX_OVERLAP_MS)
    throw new Fault('input.invalid', { field: 'overlap' }, { say: '"overlap" may be at most 7 days.' })
}
