import { exportJWK, generateKeyPair } from 'jose'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isFactorable } from './weak_modulus.ts'

test('isFactorable knows a product of powers of 65,537 modulo all the primes', () => {
  assert.equal(isFactorable(new Uint8Array([1])), true)
  assert.equal(isFactorable(Buffer.from('010001', 'hex')), true)
})

test('isFactorable says no of ordinary moduli', async () => {
  for (let at = 0; at < 4; at++) {
    const { publicKey } = await generateKeyPair('RS256', { extractable: true })
    const { n = '' } = await exportJWK(publicKey)
    assert.equal(isFactorable(Buffer.from(n, 'base64url')), false)
  }
  assert.equal(isFactorable(new Uint8Array(0)), false)
})
