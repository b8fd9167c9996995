import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'
import { makeIssuerKey } from '../../../../test/fakes/issuer.ts'
import { signTexts } from '../../../../test/support/signed_texts.ts'
import { SignatureChecks } from './check_signature.ts'
import { readKeySet, selectKey, type VerifyingKey } from './key_set.ts'

async function signedText(): Promise<{ readonly text: string; readonly key: VerifyingKey }> {
  const issuerKey = await makeIssuerKey('one')
  const set = await readKeySet(utf8(JSON.stringify({ keys: [issuerKey.publicJwk] })), new Set(['ES256']))
  const key = selectKey(set, { kid: 'one', algorithm: 'ES256' })
  assert.ok(typeof key === 'object')
  return { text: await signTexts('{"alg":"ES256","kid":"one"}', '{}', issuerKey), key }
}

async function codeOf(work: Promise<void>): Promise<string> {
  return work.then(
    () => 'ok',
    (thrown: unknown) => (thrown instanceof Fault ? thrown.code : String(thrown)),
  )
}

test('check lets everybody have a turn, good and bad, however many come at once', async () => {
  const { text, key } = await signedText()
  const checks = new SignatureChecks()
  const forged = `${text.slice(0, -8)}AAAAAAAA`
  const all = Array.from({ length: 200 }, async (_, at) =>
    codeOf(checks.check(at % 3 === 0 ? forged : text, key)),
  )
  const codes = await Promise.all(all)
  assert.ok(codes.every((code, at) => code === (at % 3 === 0 ? 'caller.unknown' : 'ok')))
  assert.equal(await codeOf(checks.check(text, key)), 'ok')
})

test('check refuses more than may wait: a flood takes no memory without end', async () => {
  const { text, key } = await signedText()
  const checks = new SignatureChecks()
  const most = LIMITS.signatureChecks + LIMITS.signatureChecksWaiting
  const codes = await Promise.all(
    Array.from({ length: most + 50 }, async () => codeOf(checks.check(text, key))),
  )
  assert.equal(codes.filter((code) => code === 'ok').length, most)
  assert.equal(codes.filter((code) => code === 'load.exceeded').length, 50)
})
