import assert from 'node:assert/strict'
import { test } from 'node:test'
import { format, inspect } from 'node:util'
import { Sealed } from './sealed.ts'

test('Sealed opens for its use and has no other form', () => {
  const value = ['s3', 'cret'].join('')
  const sealed = new Sealed(value)
  assert.equal(
    sealed.open((text) => text.length),
    value.length,
  )
  const printed = [
    String(sealed),
    JSON.stringify({ sealed }),
    inspect({ sealed }, { showHidden: true }),
    format('%s %o', sealed, sealed),
  ]
  for (const text of printed) {
    assert.equal(text.includes(value), false, text)
    assert.match(text, /\[sealed\]/)
  }
})
