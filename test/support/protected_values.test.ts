import assert from 'node:assert/strict'
import { test } from 'node:test'
import { protectedValues } from './protected_values.ts'
import { randomFractions } from './planted_secrets.ts'

const SEED = 20_261_122
const ROUNDS = 50

for (const { rule, kind, detector, make, secret } of protectedValues()) {
  test(`protectedValues makes what ${detector.id} finds under ${rule}: ${kind}`, () => {
    const random = randomFractions(SEED)
    for (let round = 0; round < ROUNDS; round++) {
      const text = make(random)
      const start = text.indexOf(secret(text))
      const found = detector.find(text).filter((finding) => finding.rule === rule)
      assert.deepEqual(found, [{ rule, start, end: start + secret(text).length }], JSON.stringify(text))
    }
  })

  test(`protectedValues repeats itself with the same numbers: ${kind}`, () => {
    assert.equal(make(randomFractions(SEED)), make(randomFractions(SEED)))
  })
}
