import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { JsonObject } from '#base/json.ts'
import { assuranceOf } from './assurance_of.ts'

const LEVELS = new Map([
  ['urn:mfa', 2],
  ['urn:phr', 3],
  ['urn:low', 1],
] as const)

for (const [why, claims, aal] of [
  ['nothing is said', {}, 1],
  ['the map says so', { acr: 'urn:mfa' }, 2],
  ['the map says so', { acr: 'urn:phr' }, 3],
  ['an acr that nobody mapped is the lowest', { acr: 'urn:very:high' }, 1],
  ['a number in a text is no level', { acr: '3' }, 1],
  ['a password is one factor', { amr: ['pwd'] }, 1],
  ['two of the same kind are one', { amr: ['pwd', 'pin'] }, 1],
  ['something known and something held', { amr: ['pwd', 'otp'] }, 2],
  ['something held and something of the body', { amr: ['hwk', 'fpt'] }, 2],
  ['the word mfa', { amr: ['pwd', 'mfa'] }, 2],
  ['a code by SMS is no factor', { amr: ['pwd', 'sms'] }, 1],
  ['nor does mfa count beside it', { amr: ['pwd', 'sms', 'mfa'] }, 1],
  ['a call is no better', { amr: ['pwd', 'tel', 'mfa'] }, 1],
  ['what else there is beside it counts', { amr: ['pwd', 'otp', 'sms'] }, 2],
  ['an unknown method is none', { amr: ['pwd', 'magic'] }, 1],
  ['presence alone is none', { amr: ['pwd', 'user'] }, 1],
  ['the higher one counts', { acr: 'urn:phr', amr: ['pwd'] }, 3],
  ['the higher one counts', { acr: 'urn:low', amr: ['pwd', 'otp'] }, 2],
] as const)
  test(`assuranceOf gives level ${aal} for ${JSON.stringify(claims)}: ${why}`, () =>
    assert.equal(assuranceOf(claims, LEVELS).aal, aal))

test('assuranceOf carries methods, sorted and once each, and when the person signed in', () => {
  const found = assuranceOf({ acr: 'x', amr: ['pwd', 'otp', 'pwd'], auth_time: 1_790_000_000 }, LEVELS)
  assert.deepEqual(found, { aal: 2, amr: ['otp', 'pwd'], acr: 'x', authTime: 1_790_000_000 })
})

for (const claims of [
  { acr: 3 },
  { acr: 'x'.repeat(257) },
  { amr: 'pwd' },
  { amr: [1] },
  { amr: Array.from({ length: 33 }, String) },
  { auth_time: '1' },
  { auth_time: 1.5 },
] satisfies JsonObject[])
  test(`assuranceOf refuses ${JSON.stringify(claims).slice(0, 40)}: a claim of another form means nothing`, () =>
    assert.throws(
      () => assuranceOf(claims, LEVELS),
      (thrown) => thrown instanceof Fault && thrown.detail['reason'] === 'token.claim',
    ))
