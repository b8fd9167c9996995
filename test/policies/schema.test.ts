import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { suite, test } from 'node:test'
import { SCHEMA } from '#trust/cedar/schema.ts'

suite('schema', () => {
  test('SCHEMA is the text that people read', () => {
    const copy = new URL('../../policies/gatehouse.cedarschema', import.meta.url)
    assert.equal(readFileSync(copy, 'utf8'), SCHEMA)
  })
})
