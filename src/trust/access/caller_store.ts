import type { Millis } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { migrate, type Database, type Row } from '#base/sqlite.ts'
import { parseAddressRanges } from './address_ranges.ts'
import type { Scope } from './caller.ts'
import { keyCaller } from './caller_facts.ts'
import type { CallerRecord, KeyRecord, SecretRecord } from './key_record.ts'

const STEPS: readonly string[] = [
  `CREATE TABLE caller (
    name TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('Service', 'User')),
    space TEXT NOT NULL,
    tenant TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    disabled_at INTEGER
  ) STRICT`,
  `CREATE TABLE key (
    kid TEXT PRIMARY KEY,
    caller TEXT NOT NULL REFERENCES caller (name),
    environment TEXT NOT NULL CHECK (environment IN ('live', 'test')),
    pepper_id TEXT NOT NULL,
    models TEXT,
    actions TEXT,
    addresses TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    revoked_at INTEGER
  ) STRICT`,
  `CREATE TABLE key_secret (
    kid TEXT NOT NULL REFERENCES key (kid),
    number INTEGER NOT NULL,
    mac BLOB NOT NULL CHECK (length(mac) = 32),
    created_at INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    last_used_day INTEGER,
    PRIMARY KEY (kid, number)
  ) STRICT, WITHOUT ROWID`,
]

/** Where callers and keys are kept. Each verb is on disk when it returns; throws `home.unwritable`. */
export interface CallerStore {
  load(): { readonly callers: readonly CallerRecord[]; readonly keys: readonly KeyRecord[] }
  /** Adds a key, and its owner when that is new. */
  addKey(record: KeyRecord, isOwnerNew: boolean): void
  /** Puts `secrets` in place of all that the key had. */
  replaceSecrets(kid: string, secrets: readonly SecretRecord[]): void
  setRevoked(kid: string, at: Millis): void
  setDisabled(name: string, at: Millis | undefined): void
  setLastUsed(days: readonly (readonly [kid: string, number: number, day: number])[]): void
  close(): void
}

/** Opens the tables. Throws `home.damaged` when they are from a newer Gatehouse. */
export function openCallerStore(database: Database): CallerStore {
  migrate(database, 'access', STEPS)
  const insertCaller = database.prepare('INSERT INTO caller VALUES (?, ?, ?, ?, ?, ?, ?)')
  const insertKey = database.prepare('INSERT INTO key VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const insertSecret = database.prepare('INSERT INTO key_secret VALUES (?, ?, ?, ?, ?, ?)')
  const deleteSecrets = database.prepare('DELETE FROM key_secret WHERE kid = ?')
  const setRevoked = database.prepare('UPDATE key SET revoked_at = ? WHERE kid = ?')
  const setDisabled = database.prepare('UPDATE caller SET disabled_at = ? WHERE name = ?')
  const setDay = database.prepare('UPDATE key_secret SET last_used_day = ? WHERE kid = ? AND number = ?')

  const insertSecrets = (kid: string, secrets: readonly SecretRecord[]): void => {
    for (const { number, mac, createdAt, notAfter, lastUsedDay } of secrets)
      insertSecret.run(kid, number, mac, createdAt, notAfter, lastUsedDay ?? null)
  }
  return {
    load: () => load(database),
    addKey: (record, isOwnerNew) =>
      database.atomically(() => {
        if (isOwnerNew) insertCaller.run(...callerRow(record.owner))
        insertKey.run(...keyRow(record))
        insertSecrets(record.kid, record.secrets)
      }),
    replaceSecrets: (kid, secrets) =>
      database.atomically(() => {
        deleteSecrets.run(kid)
        insertSecrets(kid, secrets)
      }),
    setRevoked: (kid, at) => setRevoked.run(at, kid),
    setDisabled: (name, at) => setDisabled.run(at ?? null, name),
    setLastUsed: (days) =>
      database.atomically(() => {
        for (const [kid, number, day] of days) setDay.run(day, kid, number)
      }),
    close: () => database.close(),
  }
}

function callerRow(caller: CallerRecord) {
  const { name, kind, space, tenant, createdAt, createdBy, disabledAt } = caller
  return [name, kind, space, tenant, createdAt, createdBy, disabledAt ?? null] as const
}

function keyRow(record: KeyRecord) {
  const { kid, owner, environment, pepperId, scope, addresses, notBefore, createdAt, createdBy, revokedAt } =
    record
  const names = [listText(scope.models), listText(scope.actions), JSON.stringify(addresses)] as const
  return [
    kid,
    owner.name,
    environment,
    pepperId,
    ...names,
    notBefore,
    createdAt,
    createdBy,
    revokedAt ?? null,
  ] as const
}

function listText(names: readonly string[] | undefined): string | null {
  return names === undefined ? null : JSON.stringify(names)
}

function load(database: Database): ReturnType<CallerStore['load']> {
  const callers = new Map(
    database
      .prepare('SELECT * FROM caller ORDER BY rowid')
      .all()
      .map(callerOf)
      .map((caller) => [caller.name, caller]),
  )
  const secrets = new Map<string, SecretRecord[]>()
  for (const row of database.prepare('SELECT * FROM key_secret ORDER BY kid, number').all()) {
    const kid = textOf(row, 'kid')
    const found = secrets.get(kid) ?? []
    found.push(secretOf(row))
    secrets.set(kid, found)
  }
  const keys = database
    .prepare('SELECT * FROM key ORDER BY rowid')
    .all()
    .map((row) => keyOf(row, callers, secrets))
  return { callers: [...callers.values()], keys }
}

function callerOf(row: Row): CallerRecord {
  return {
    name: textOf(row, 'name'),
    kind: textOf(row, 'kind') === 'User' ? 'User' : 'Service',
    space: textOf(row, 'space'),
    tenant: textOf(row, 'tenant'),
    createdAt: numberOf(row, 'created_at'),
    createdBy: textOf(row, 'created_by'),
    disabledAt: numberOrNone(row, 'disabled_at'),
  }
}

function secretOf(row: Row): SecretRecord {
  const mac = row['mac']
  return {
    number: numberOf(row, 'number'),
    mac: mac instanceof Uint8Array ? mac : new Uint8Array(0),
    createdAt: numberOf(row, 'created_at'),
    notAfter: numberOf(row, 'not_after'),
    lastUsedDay: numberOrNone(row, 'last_used_day'),
  }
}

function keyOf(
  row: Row,
  callers: ReadonlyMap<string, CallerRecord>,
  secrets: ReadonlyMap<string, readonly SecretRecord[]>,
): KeyRecord {
  const kid = textOf(row, 'kid')
  const owner = callers.get(textOf(row, 'caller'))
  const addresses = namesOf(row, 'addresses') ?? []
  const ranges = parseAddressRanges(addresses)
  if (owner === undefined || ranges === undefined) throw damaged(kid)
  const scope: Scope = Object.freeze({ models: namesOf(row, 'models'), actions: namesOf(row, 'actions') })
  return {
    kid,
    environment: textOf(row, 'environment') === 'test' ? 'test' : 'live',
    pepperId: textOf(row, 'pepper_id'),
    owner,
    scope,
    addresses,
    ranges,
    notBefore: numberOf(row, 'not_before'),
    createdAt: numberOf(row, 'created_at'),
    createdBy: textOf(row, 'created_by'),
    revokedAt: numberOrNone(row, 'revoked_at'),
    secrets: secrets.get(kid) ?? [],
    proves: keyCaller(owner, kid, scope),
  }
}

function namesOf(row: Row, column: string): readonly string[] | undefined {
  const text = row[column]
  if (typeof text !== 'string') return undefined
  const names = parseJson(text)
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string')
  if (!isList) throw damaged(textOf(row, 'kid'))
  return Object.freeze(names)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

// STRICT tables hold no other type than the declared one, and NULL only where it is declared.

function textOf(row: Row, column: string): string {
  const value = row[column]
  return typeof value === 'string' ? value : ''
}

function numberOf(row: Row, column: string): number {
  return Number(row[column])
}

function numberOrNone(row: Row, column: string): number | undefined {
  return row[column] === null ? undefined : numberOf(row, column)
}

function damaged(kid: string): Fault {
  return new Fault('home.damaged', { kid }, { say: 'state.db holds a key that cannot be read.' })
}
