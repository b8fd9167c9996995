import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkUnchanged, etagOf, isHeld } from './etag.ts'

test('checkUnchanged and isHeld compare tags weakly', () => {
  const found = { version: 3 }
  assert.equal(etagOf(found), 'W/"3"')
  for (const [tags, isThis] of [
    ['W/"3"', true],
    ['"3"', true],
    ['*', true],
    ['W/"1", W/"3"', true],
    ['W/"1",W/"2"', false],
    ['3', false],
    ['', false],
    ['W/"33"', false],
  ] as const) {
    assert.equal(isHeld(found, tags), isThis, tags)
    if (isThis) checkUnchanged(found, tags)
    else assert.throws(() => checkUnchanged(found, tags), { code: 'resource.changed' }, tags)
  }
  assert.equal(isHeld(found, null), false)
  checkUnchanged(found, null)
})
