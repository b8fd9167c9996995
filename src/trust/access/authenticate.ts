import type { Clock } from '#base/clock.ts'
import type { Peppers } from '#base/peppers.ts'
import { Sealed } from '#base/sealed.ts'
import { parseAddressRanges } from './address_ranges.ts'
import type { Caller, Credential, KeyAuthenticator, Proven } from './caller.ts'
import { OPERATOR, systemCaller } from './caller_facts.ts'
import { newCallerRecord, newSpaceRecord, newTenantRecord, type CallerRecord } from './directory_record.ts'
import { newKeyText, newKid, parseKey } from './key.ts'
import {
  admits,
  matchingSecret,
  NO_SECRET,
  objection,
  toDay,
  type KeyRecord,
  type SecretRecord,
} from './key_record.ts'
import { unproven, type Unproven } from './unproven.ts'

export interface AuthenticateParts {
  readonly keys: ReadonlyMap<string, KeyRecord>
  readonly peppers: Peppers
  readonly clock: Clock
  /** The caller that a key proves now. */
  readonly proves: (record: KeyRecord) => Caller
  /** Another number once that may be another one. */
  readonly epochOf: (owner: CallerRecord) => number
  /** Told of each use of a secret. */
  readonly used: (record: KeyRecord, secret: SecretRecord, day: number) => void
}

/**
 * Proves callers by key. Each refusal is the same fault after the same work (one HMAC, two comparisons in constant
 * time, one look at the address), so that neither the answer nor its time says what was wrong.
 */
export function authenticateWith(parts: AuthenticateParts): KeyAuthenticator {
  const stranger = strangerRecord(parts.peppers.current)

  const judge = (text: string, address: string, credential: Credential): Proven => {
    const kid = parseKey(text)?.kid
    const known = kid === undefined ? undefined : parts.keys.get(kid)
    const record = known ?? stranger.record
    // The pepper of a key that has ended may be gone; then nothing matches, at the same cost.
    const pepperId = parts.peppers.has(record.pepperId) ? record.pepperId : parts.peppers.current
    // A text that is no key is not hashed at its own length: it could be as long as the headers allow.
    const mac = parts.peppers.mac(pepperId, kid === undefined ? stranger.text : text)
    const secret = matchingSecret(record, mac)
    const now = parts.clock.now()
    const isInside = admits(record, address)
    const state =
      objection(record, secret ?? NO_SECRET, now) ?? (isInside ? undefined : 'key.address_outside')
    // An id that is not one of ours is a stranger's text, and so no public field: `asked_kid`.
    const reason =
      known === undefined ? reasonUnknown(credential) : secret === undefined ? 'key.wrong' : state
    if (reason !== undefined || secret === undefined)
      throw unproven(
        reason ?? 'key.wrong',
        kid === undefined || credential.kind !== 'bearer'
          ? {}
          : known === undefined
            ? { asked_kid: kid }
            : { kid },
      )
    parts.used(record, secret, toDay(now))
    return provenBy(parts, record, secret)
  }

  return {
    authenticate: (credential, address) => {
      if (credential.kind === 'socket') return PROVEN_OPERATOR
      if (credential.kind === 'system') return provenSystem(systemCaller(credential.name))
      // Nothing is judged as a key that nobody has, which takes as long.
      const token = credential.kind === 'bearer' ? credential.token : stranger.token
      return token.open((text) => judge(text, address, credential))
    },
    looksReal: (credential) => {
      if (credential.kind === 'socket' || credential.kind === 'system') return true
      return credential.kind === 'bearer' && credential.token.open((text) => parseKey(text) !== undefined)
    },
  }
}

/** Looks at the records as they are now: a rotation replaces those of the secrets, whose numbers stay. */
function provenBy(
  parts: AuthenticateParts,
  record: KeyRecord,
  { number, notAfter: endsAt }: SecretRecord,
): Proven {
  const { clock, proves, epochOf } = parts
  const { kid, owner } = record
  const caller = proves(record)
  let [current, epoch] = [caller, epochOf(owner)]
  const recheck = (): Caller => {
    const secret = record.secrets.find((one) => one.number === number) ?? NO_SECRET
    const reason = objection(record, secret, clock.now())
    if (reason !== undefined) throw unproven(reason, { kid })
    const now = epochOf(owner)
    if (now !== epoch) [current, epoch] = [proves(record), now]
    return current
  }
  return { caller, endsAt, recheck }
}

/** Whoever owns the home, and the door's own jobs, have no key that could end. */
function provenSystem(caller: Caller): Proven {
  return Object.freeze({ caller, recheck: () => caller })
}

const PROVEN_OPERATOR = provenSystem(OPERATOR)

function reasonUnknown(credential: Credential): Unproven {
  if (credential.kind === 'none') return 'credential.missing'
  return credential.kind === 'malformed' ? 'credential.malformed' : 'key.unknown'
}

const NOWHERE = newSpaceRecord({ id: '', name: '', tenant: newTenantRecord({ id: '', name: '' }, 0) }, 0)
const NOBODY = newCallerRecord({ id: '', name: '', kind: 'Service', space: NOWHERE, createdBy: '' }, 0)

/** Stands in for a key that does not exist, so that its absence costs what its presence would. */
function strangerRecord(pepperId: string): {
  readonly record: KeyRecord
  readonly text: string
  readonly token: Sealed
} {
  const kid = newKid()
  const record: KeyRecord = {
    kid,
    environment: 'live',
    pepperId,
    owner: NOBODY,
    scope: { models: [], actions: [] },
    addresses: [],
    ranges: parseAddressRanges([]) ?? { admits: () => false },
    notBefore: 0,
    createdAt: 0,
    createdBy: '',
    revokedAt: undefined,
    secrets: [],
    limits: undefined,
  }
  const text = newKeyText({ environment: 'live', kid })
  return { record, text, token: new Sealed(text) }
}
