import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { looksLikeSecret } from './config_literals.ts'

const SECRETS: readonly (readonly [why: string, text: string])[] = [
  ['OpenAI', 'sk-proj-abcDEF123456'],
  ['AWS', 'AKIAIOSFODNN7EXAMPLE'],
  ['Google', `AIza${'Sy1-'.repeat(9)}`],
  ['GitHub', `ghp_${'a1B2'.repeat(9)}`],
  ['ours', 'gate_live_0123456789ab_secret_crc'],
  ['PEM', '-----BEGIN PRIVATE KEY-----\nMC4'],
  ['JWT', 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x'],
  ['a whole header', 'Bearer abcdefgh'],
  ['a password in a URL', 'https://user:secret@example.com/v1'],
  ['32 hexadecimal digits', '3f9a1c7be0d2845566aa90bc12de47f8'],
  ['inside other text', 'key=Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg'],
]

const PLAIN: readonly (readonly [why: string, text: string])[] = [
  ['a model', 'meta-llama/Llama-3.3-70B-Instruct-Turbo-FP8'],
  ['a long model', 'Meta-Llama-3-1-405B-Instruct-Turbo-Preview-2407'],
  ['a URL', 'https://my-resource-name.openai.azure.com/openai/v1'],
  ['a path', '/home/operator/MyVeryLongDirectoryNameWithDigits2024/gatehouse.yaml'],
  ['a variable', 'GATEHOUSE_UPSTREAM_PROVIDER_KEY_2'],
  ['a sentence', 'The mesh of this cluster ends TLS in a sidecar since 2024'],
  ['a UUID', '123e4567-e89b-12d3-a456-426614174000'],
  ['a digest', 'llama@sha256:3f9a1c7be0d2845566aa90bc12de47f83f9a1c7be0d2845566aa90bc12de47f8'],
  ['a range', '2001:db8:1234:5678::/56'],
  ['a host with a port', 'https://models.internal:8443/v1'],
]

test('looksLikeSecret sees what issuers make and long random runs: and not what belongs in the file', () => {
  for (const [why, text] of SECRETS) assert.equal(looksLikeSecret(text), true, why)
  for (const [why, text] of PLAIN) assert.equal(looksLikeSecret(text), false, why)
})

test('looksLikeSecret sees nearly every random base-62 key of 40: the miss rate stays under 1 %', () => {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
  const keys = fc.sample(
    fc.noBias(fc.array(fc.integer({ min: 0, max: 61 }), { minLength: 40, maxLength: 40 })),
    { numRuns: 5_000, seed: 20_261_122 },
  )
  const missed = keys.filter((key) => !looksLikeSecret(key.map((at) => alphabet[at]).join('')))
  assert.ok(missed.length < 50, `missed ${missed.length}`)
})
