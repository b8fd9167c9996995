import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asFault, Fault } from './fault.ts'
import { FAULTS } from './fault_table.ts'

test('FAULTS holds rows of one form: code noun.adjective, HTTP error status, sysexits exit, a sentence and a hint', () => {
  for (const [code, row] of Object.entries(FAULTS)) {
    assert.match(code, /^[a-z]+\.[a-z_]+$/)
    assert.ok(row.status >= 400 && row.status <= 599, code)
    assert.ok(row.exit >= 64 && row.exit <= 78, code)
    assert.match(row.title, /^[A-Z].*\.$/, code)
    assert.match(row.hint, /\.$|NAME$/, code)
  }
})

test('asFault keeps a fault and turns anything else into internal.bug with its cause', () => {
  const fault = new Fault('input.invalid', { field: 'a' }, { say: 'a is wrong' })
  assert.equal(asFault(fault), fault)
  assert.equal(fault.message, 'input.invalid: a is wrong')
  const thrown = new TypeError('x is not a function')
  const bug = asFault(thrown)
  assert.equal(bug.code, 'internal.bug')
  assert.equal(bug.cause, thrown)
  assert.equal(asFault('text').code, 'internal.bug')
})

test('Fault finds out where it was made for bugs only, and leaves that of other errors alone', () => {
  assert.doesNotMatch(new Fault('action.denied').stack ?? '', /\n +at /)
  assert.match(new Fault('internal.bug').stack ?? '', /fault\.test\.ts/)
  assert.match(new Error('another').stack ?? '', /fault\.test\.ts/)
})
