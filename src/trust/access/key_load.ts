import { Fault } from '#base/fault.ts'
import type { Database } from '#base/sqlite.ts'
import { parseAddressRanges } from './address_ranges.ts'
import type { CallerRecord } from './directory_record.ts'
import type { KeyRecord } from './key_record.ts'
import { KeyColumns, SecretColumns, StoredKey, StoredSecret, type KeyTerms } from './stored_key.ts'
import { parseJson, Shared, toNumber, toNumberOrNone, toObjectOrNone, toText } from './stored_row.ts'

const KEYS = `SELECT kid, caller, environment, pepper_id, models, actions, addresses, limits, created_by,
    not_before, created_at, revoked_at
  FROM key ORDER BY rowid`
const SECRETS = `SELECT kid, number, mac, created_at, not_after, last_used_day
  FROM key_secret ORDER BY (SELECT rowid FROM key WHERE key.kid = key_secret.kid), number`
/** How many columns say what many keys have alike, and where they begin. */
const TERMS = { start: 2, end: 9 } as const

/** All keys. Throws `home.damaged` and names the key that cannot be read. */
export function loadKeys(
  database: Database,
  owners: ReadonlyMap<string, CallerRecord>,
): readonly KeyRecord[] {
  const keys: StoredKey[] = []
  const columns = new KeyColumns(countOf(database, 'key'))
  const shared = new Shared<KeyTerms>()
  database.each(KEYS, (values) => {
    const [kid, caller] = [toText(values[0]), toText(values[1])]
    const owner = owners.get(caller)
    if (owner === undefined) throw damaged(kid)
    const given = values.slice(TERMS.start, TERMS.end)
    const terms = shared.of(given.join('\n'), () => termsOf(kid, given))
    const [notBefore, createdAt, revokedAt] = values.slice(TERMS.end)
    const place = columns.add(toNumber(notBefore), toNumber(createdAt), toNumberOrNone(revokedAt))
    keys.push(new StoredKey(kid, { owner, terms, columns, place }))
  })
  loadSecrets(database, keys)
  return keys
}

/** Secrets come in the order of their keys. */
function loadSecrets(database: Database, keys: readonly StoredKey[]): void {
  const columns = new SecretColumns(countOf(database, 'key_secret'))
  let at = 0
  database.each(SECRETS, ([kid, number, mac, createdAt, notAfter, lastUsedDay]) => {
    while (keys[at] !== undefined && keys[at]?.kid !== kid) at += 1
    const key = keys[at]
    if (key === undefined || !(mac instanceof Uint8Array)) throw damaged(toText(kid))
    const times = { createdAt: toNumber(createdAt), notAfter: toNumber(notAfter) }
    const secret = { number: toNumber(number), mac, ...times, lastUsedDay: toNumberOrNone(lastUsedDay) }
    const stored = new StoredSecret(columns, columns.add(secret))
    key.secrets = key.secrets.length === 0 ? [stored] : [...key.secrets, stored]
  })
}

function countOf(database: Database, table: 'key' | 'key_secret'): number {
  return toNumber(database.prepare(`SELECT count(*) AS count FROM ${table}`).all()[0]?.['count'])
}

function termsOf(kid: string, values: readonly unknown[]): KeyTerms {
  const [environment, pepperId, models, actions, networks, limits, createdBy] = values
  const addresses = namesOf(kid, networks) ?? []
  const ranges = parseAddressRanges(addresses)
  if (ranges === undefined) throw damaged(kid)
  return {
    environment: environment === 'test' ? 'test' : 'live',
    pepperId: toText(pepperId),
    scope: Object.freeze({ models: namesOf(kid, models), actions: namesOf(kid, actions) }),
    addresses,
    ranges,
    limits: toObjectOrNone(limits, () => damaged(kid)),
    createdBy: toText(createdBy),
  }
}

function namesOf(kid: string, text: unknown): readonly string[] | undefined {
  if (typeof text !== 'string') return undefined
  const names: unknown = parseJson(text)
  const isList = Array.isArray(names) && names.every((name) => typeof name === 'string')
  if (!isList) throw damaged(kid)
  return Object.freeze(names)
}

function damaged(kid: string): Fault {
  return new Fault('home.damaged', { kid }, { say: 'state.db holds a key that cannot be read.' })
}
