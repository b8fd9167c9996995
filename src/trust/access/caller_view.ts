import type { Millis } from '#base/clock.ts'
import type { JsonObject } from '#base/json.ts'
import { DAY_MS, objection, type KeyRecord, type SecretRecord } from './key_record.ts'

// These are type aliases, not interfaces, so that they are JSON values as they stand.

export type KeyState = 'live' | 'pending' | 'expired' | 'idle' | 'revoked' | 'disabled'

/** A secret of a key, without anything that proves it. Times are milliseconds; days are `YYYY-MM-DD`, or null. */
export type SecretView = {
  readonly number: number
  readonly state: KeyState
  readonly created_at: Millis
  readonly not_after: Millis
  readonly last_used: string | null
}

/** A key as an operator sees it. `models` and `actions` are null where they narrow nothing. */
export type KeyView = {
  readonly kid: string
  readonly environment: string
  readonly caller: string
  readonly kind: string
  /** `live` when any of its secrets is. */
  readonly state: KeyState
  readonly models: readonly string[] | null
  readonly actions: readonly string[] | null
  readonly addresses: readonly string[]
  /** Null without limits of its own. */
  readonly limits: JsonObject | null
  readonly not_before: Millis
  readonly created_at: Millis
  readonly created_by: string
  readonly revoked_at: Millis | null
  readonly secrets: readonly SecretView[]
}

export function keyView(record: KeyRecord, now: Millis): KeyView {
  const secrets = record.secrets.map((secret) => secretView(record, secret, now))
  return {
    kid: record.kid,
    environment: record.environment,
    caller: record.owner.name,
    kind: record.owner.kind,
    state: secrets.find((secret) => secret.state === 'live')?.state ?? secrets.at(-1)?.state ?? 'expired',
    models: record.scope.models ?? null,
    actions: record.scope.actions ?? null,
    addresses: record.addresses,
    limits: record.limits ?? null,
    not_before: record.notBefore,
    created_at: record.createdAt,
    created_by: record.createdBy,
    revoked_at: record.revokedAt ?? null,
    secrets,
  }
}

function secretView(record: KeyRecord, secret: SecretRecord, now: Millis): SecretView {
  return {
    number: secret.number,
    state: stateOf(record, secret, now),
    created_at: secret.createdAt,
    not_after: secret.notAfter,
    last_used: secret.lastUsedDay === undefined ? null : dayText(secret.lastUsedDay),
  }
}

const STATES = {
  'key.revoked': 'revoked',
  'caller.disabled': 'disabled',
  'key.not_yet_valid': 'pending',
  'key.expired': 'expired',
  'key.idle': 'idle',
} as const

function stateOf(record: KeyRecord, secret: SecretRecord, now: Millis): KeyState {
  const reason = objection(record, secret, now)
  return reason === undefined ? 'live' : STATES[reason]
}

function dayText(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10)
}
