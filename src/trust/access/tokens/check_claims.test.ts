import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { checkClaims, type ClaimRules } from './check_claims.ts'

const NOW = 1_790_000_000_000
const S = NOW / 1_000
const RULES: ClaimRules = {
  audiences: new Set(['gatehouse', 'https://door.example']),
  clients: undefined,
  maxLifetimeMs: 3_600_000,
}
const GOOD: JsonObject = { aud: 'gatehouse', sub: 'alice', iat: S, exp: S + 600 }

function reasonOf(claims: JsonObject, rules: ClaimRules = RULES): unknown {
  try {
    checkClaims(claims, rules, NOW)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    return thrown.detail['reason']
  }
  return 'none'
}

test('checkClaims gives the subject and when the token ends', () => {
  assert.deepEqual(checkClaims(GOOD, RULES, NOW), {
    subject: 'alice',
    expiresAt: NOW + 600_000,
    endsAt: NOW + 660_000,
  })
})

const LISTED: ClaimRules = { ...RULES, clients: new Set(['app', 'cli']) }

for (const [why, claims, reason, rules] of [
  ['one of several audiences is ours', { aud: ['other', 'gatehouse'] }, 'none'],
  ['the audience is another one', { aud: 'other' }, 'token.audience'],
  ['a part of a name is no name', { aud: 'gatehous' }, 'token.audience'],
  ['case counts', { aud: 'Gatehouse' }, 'token.audience'],
  ['there is no audience', { aud: undefined }, 'token.audience'],
  ['the list is empty', { aud: [] }, 'token.audience'],
  ['the list holds what is no text', { aud: ['gatehouse', 1] }, 'token.audience'],
  ['the audience is an object', { aud: { gatehouse: true } }, 'token.audience'],
  ['it has ended', { exp: S - 60 }, 'token.expired'],
  ['clocks may differ by a minute', { iat: S - 600, exp: S - 59 }, 'none'],
  ['there is no end', { exp: undefined }, 'token.expired'],
  ['the end is a text', { exp: String(S + 600) }, 'token.expired'],
  ['the end is before 1970', { exp: -1 }, 'token.expired'],
  ['the end is beyond all times', { exp: 1e300 }, 'token.expired'],
  ['a fraction of a second is a time', { exp: S + 0.5 }, 'none'],
  ['it begins later', { nbf: S + 61 }, 'token.not_yet_valid'],
  ['it begins within a minute', { nbf: S + 60 }, 'none'],
  ['the beginning is a text', { nbf: 'now' }, 'token.not_yet_valid'],
  ['it was issued in the future', { iat: S + 61, exp: S + 100 }, 'token.future'],
  ['it was issued within a minute', { iat: S + 60, exp: S + 100 }, 'none'],
  ['its time of issue is an object', { iat: {} }, 'token.future'],
  ['it lives too long', { exp: S + 3_601 }, 'token.lifetime'],
  ['it lives as long as it may', { exp: S + 3_600 }, 'none'],
  ['it ended before it began', { iat: S + 30, exp: S + 30 }, 'token.lifetime'],
  ['without a time of issue the rest counts', { iat: undefined, exp: S + 3_601 }, 'token.lifetime'],
  ['and that may be short', { iat: undefined, exp: S + 3_600 }, 'none'],
  ['there is no subject', { sub: undefined }, 'token.subject'],
  ['the subject is empty', { sub: '' }, 'token.subject'],
  ['the subject is a number', { sub: 7 }, 'token.subject'],
  ['the subject is too long', { sub: 'x'.repeat(256) }, 'token.subject'],
  ['any client will do', { azp: 'whoever' }, 'none'],
  ['the client is no text', { azp: 1 }, 'token.client'],
  ['the client is in the list', { azp: 'app' }, 'none', LISTED],
  ['the client is in the list by its other name', { client_id: 'cli' }, 'none', LISTED],
  ['the client is another one', { azp: 'other' }, 'token.client', LISTED],
  ['both names count', { azp: 'app', client_id: 'other' }, 'token.client', LISTED],
  ['there is no client', {}, 'token.client', LISTED],
] as const)
  test(`checkClaims says ${reason}: ${why}`, () => {
    const given = Object.fromEntries(
      Object.entries({ ...GOOD, ...claims }).filter(([, value]) => value !== undefined),
    )
    assert.equal(reasonOf(given, rules), reason)
  })
