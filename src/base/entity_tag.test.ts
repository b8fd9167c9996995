import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namesTag } from './entity_tag.ts'

const CASES: readonly (readonly [why: string, list: string, tag: string, expected: boolean])[] = [
  ['the same', '"a"', '"a"', true],
  ['another', '"b"', '"a"', false],
  ['one of several', '"b" , "a"', '"a"', true],
  ['any', '*', '"a"', true],
  ['weak in the list', 'W/"a"', '"a"', true],
  ['weak outside of it', '"a"', 'W/"a"', true],
  ['its beginning', '"', '"a"', false],
  ['nothing', '', '"a"', false],
]

for (const [why, list, tag, expected] of CASES)
  test(`namesTag compares entity tags weakly: ${why}`, () => assert.equal(namesTag(list, tag), expected))
