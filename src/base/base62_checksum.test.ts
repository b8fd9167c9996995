import assert from 'node:assert/strict'
import { test } from 'node:test'
import { base62Checksum } from './base62_checksum.ts'

const CASES: readonly (readonly [why: string, text: string, expected: string])[] = [
  ['the check value of CRC-32, 0xCBF43926', '123456789', '3jZRME'],
  ['the empty text, padded', '', '000000'],
]

for (const [why, text, expected] of CASES) {
  test(`base62Checksum gives six digits: ${why}`, () => {
    assert.equal(base62Checksum(text), expected)
  })
}
