import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as z from 'zod'
import type { JsonValue } from '#base/json.ts'
import { printPlace, shapeOf, visitUnknown } from './known_members.ts'

const SHAPE = shapeOf(
  z.object({
    a: z.string(),
    b: z.object({ c: z.number().nullish() }).nullish(),
    list: z.union([z.string(), z.array(z.object({ d: z.string() }))]).nullish(),
    free: z.record(z.string(), z.unknown()).nullish(),
  }),
)

function unknownIn(value: JsonValue): readonly string[] {
  const found: string[] = []
  visitUnknown(value, SHAPE, ({ names, place }) => {
    for (const name of names) found.push(printPlace({ step: name, inside: place }))
  })
  return found.sort()
}

const ROWS: readonly (readonly [why: string, value: JsonValue, unknown: readonly string[]])[] = [
  ['nothing unknown', { a: 'x', b: { c: 1 }, list: [{ d: 'x' }], free: { any: { thing: 1 } } }, []],
  ['at each level', { x: 1, b: { y: 1 }, list: [{ d: '' }, { z: 1 }] }, ['b.y', 'list[1].z', 'x']],
  ['not below what is unknown', { x: { b: { y: 1 } } }, ['x']],
  ['the other form of a union', { list: 'text', x: 1 }, ['x']],
  ['values that do not fit the schema', { a: { x: 1 }, b: [{ y: 1 }], list: { z: 1 }, free: 1 }, []],
  ['no object at all', [{ x: 1 }], []],
  ['names of Object', { constructor: 1, toString: 1 }, ['constructor', 'toString']],
]

for (const [why, value, unknown] of ROWS) {
  test(`visitUnknown finds the members that a schema does not know: ${why}`, () => {
    assert.deepEqual(unknownIn(value), unknown)
  })
}

test('shapeOf keeps the fold of each name', () => {
  assert.deepEqual(
    [...(shapeOf(z.object({ max_tokens: z.number() })).object?.folds ?? [])],
    [['maxtokens', 'max_tokens']],
  )
})
