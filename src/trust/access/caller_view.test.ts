import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { callerAlone } from '../../../test/support/directory_scene.ts'
import { keyView, type KeyState } from './caller_view.ts'
import {
  DAY_MS,
  MAX_IDLE_DAYS,
  NO_SECRET,
  objection,
  type KeyRecord,
  type SecretRecord,
} from './key_record.ts'

const START = Date.UTC(2026, 0, 10)
const END = START + 90 * DAY_MS
const OWNER = callerAlone({ createdBy: 'System::"operator"' })

function secretOf(number: number, given: Partial<SecretRecord> = {}): SecretRecord {
  return { ...NO_SECRET, number, createdAt: START, notAfter: END, ...given }
}

function keyOf(given: Partial<KeyRecord>): KeyRecord {
  const scope = { models: undefined, actions: undefined }
  return {
    kid: 'k',
    environment: 'live',
    pepperId: '1',
    owner: OWNER,
    scope,
    addresses: [],
    ranges: { admits: () => true },
    notBefore: START,
    createdAt: START,
    createdBy: OWNER.createdBy,
    revokedAt: undefined,
    secrets: [secretOf(1)],
    limits: undefined,
    ...given,
  }
}

suite('caller_view', () => {
  test('keyView is live while any secret is, and else as its newest secret', () => {
    const ended = secretOf(1, { notAfter: START + 1 })
    const idle = secretOf(2)
    const fresh = secretOf(2, { createdAt: START + 40 * DAY_MS })
    const now = START + 40 * DAY_MS
    const rows: readonly (readonly [why: string, key: Partial<KeyRecord>, at: number, KeyState])[] = [
      ['one secret', {}, START, 'live'],
      ['the last moment', {}, START + 1, 'live'],
      ['before its time', { notBefore: START + 1 }, START, 'pending'],
      ['the older one is live', { secrets: [secretOf(1), secretOf(2, { notAfter: START })] }, START, 'live'],
      ['the newer one is live', { secrets: [ended, fresh] }, now, 'live'],
      ['neither is: the newest says', { secrets: [ended, idle] }, now, 'idle'],
      ['neither is: the newest has ended', { secrets: [idle, ended] }, now, 'expired'],
      ['revoked', { revokedAt: START }, START, 'revoked'],
      ['its caller is disabled', { owner: { ...OWNER, disabledAt: START } }, START, 'disabled'],
      ['no secret is left', { secrets: [] }, START, 'expired'],
    ]
    for (const [why, key, at, state] of rows) assert.equal(keyView(keyOf(key), at).state, state, why)
  })

  test('keyView gives days, not times, of use', () => {
    const used = keyOf({ secrets: [secretOf(1, { lastUsedDay: START / DAY_MS }), secretOf(2)] })
    const { secrets } = keyView(used, START)
    assert.deepEqual(
      secrets.map(({ last_used }) => last_used),
      ['2026-01-10', null],
    )
  })

  test('objection counts idle days from the last use, and before that from when the key could be used', () => {
    const days = (count: number): number => START + count * DAY_MS
    const rows: readonly (readonly [why: string, KeyRecord, at: number, isIdle: boolean])[] = [
      ['never used, in time', keyOf({}), days(MAX_IDLE_DAYS), false],
      ['never used', keyOf({}), days(MAX_IDLE_DAYS + 1), true],
      ['it began later', keyOf({ notBefore: days(9) }), days(MAX_IDLE_DAYS + 9), false],
      ['it began later, long ago', keyOf({ notBefore: days(9) }), days(MAX_IDLE_DAYS + 10), true],
      [
        'a new secret of an old key',
        keyOf({ secrets: [secretOf(2, { createdAt: days(9) })] }),
        days(MAX_IDLE_DAYS + 9),
        false,
      ],
      [
        'used',
        keyOf({ secrets: [secretOf(1, { lastUsedDay: START / DAY_MS + 9 })] }),
        days(MAX_IDLE_DAYS + 9),
        false,
      ],
      [
        'used long ago',
        keyOf({ secrets: [secretOf(1, { lastUsedDay: START / DAY_MS + 9 })] }),
        days(MAX_IDLE_DAYS + 10),
        true,
      ],
    ]
    for (const [why, key, at, isIdle] of rows) {
      const [secret] = key.secrets
      assert.ok(secret !== undefined)
      assert.equal(objection(key, secret, at), isIdle ? 'key.idle' : undefined, why)
    }
    assert.equal(objection(keyOf({}), secretOf(1, { notAfter: days(1) }), days(1)), 'key.expired')
    assert.equal(objection(keyOf({}), secretOf(1, { notAfter: days(1) }), days(1) - 1), undefined)
  })
})
