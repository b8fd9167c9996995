import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import { RequestForm } from './request_form.ts'

const SCHEMA = z.object({
  list: z.union([z.array(z.string()), z.array(z.number())]),
  other: z.string().nullish(),
})
const FORM: RequestForm = new RequestForm({
  schema: SCHEMA,
  frame: SCHEMA.extend({ list: z.array(z.unknown()) }),
  elements: { list: z.union([z.string(), z.number()]) },
})

const CASES: readonly (readonly [why: string, value: JsonValue, say: string])[] = [
  ['right', { list: ['a', 'b'] }, 'accepted'],
  ['right with more', { list: [1], vendor: 'x' }, 'accepted'],
  ['not an object', [], 'The body must be a JSON object.'],
  ['a wrong field', { list: [], other: 1 }, 'other must be a text.'],
  ['a wrong list', { list: 'x' }, 'list must be a list.'],
  ['a wrong element', { list: ['a', true] }, 'list[1] is of the wrong type.'],
  ['elements that are right one by one only', { list: ['a', 1] }, 'list[1] must be a text.'],
  ['another form of a known name', { list: [], Other: 'x' }, 'other must be written exactly so.'],
]

for (const [why, value, say] of CASES) {
  test(`RequestForm checks a body: ${why}`, () => {
    let said = 'accepted'
    try {
      FORM.check(value)
    } catch (thrown) {
      assert.ok(thrown instanceof Fault && thrown.code === 'input.invalid')
      said = thrown.say ?? ''
    }
    assert.equal(said, say)
  })
}

test('RequestForm names the first field that it does not know', () => {
  assert.equal(FORM.unknownField({ list: [], vendor: 1, more: 2 }), 'vendor')
  assert.equal(FORM.unknownField({ list: [], 'x-planted': 1 }), 'the body, a member')
  assert.equal(FORM.unknownField({ list: [] }), undefined)
})
