import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as z from 'zod'
import { fitsSchema } from './fits_schema.ts'

const CASES: readonly [
  why: string,
  schema: z.ZodType,
  fitting: readonly unknown[],
  unfit: readonly unknown[],
][] = [
  ['a text', z.string(), ['', 'a'], [1, null, undefined, ['a']]],
  ['a text of some length', z.string().min(1).max(3), ['a', 'abc', '😀'], ['', 'abcd', '😀😀😀😀']],
  ['a number', z.number().min(-2).max(2), [-2, 0, 2, -0], [-2.1, 3, '1', null]],
  ['an integer', z.int().min(1).max(9), [1, 9], [0, 10, 1.5]],
  ['an integer without bounds', z.int(), [0, 2 ** 53 - 1], [2 ** 53, 0.5]],
  ['a truth', z.boolean(), [true, false], [0, 'true', null]],
  ['one of some', z.enum(['a', 'b']), ['a', 'b'], ['c', '', null]],
  ['what may be absent', z.string().nullish(), ['a', null, undefined], [1, {}]],
  ['a list', z.array(z.string()).min(1).max(2), [['a'], ['a', 'b']], [[], ['a', 'b', 'c'], [1], { 0: 'a' }]],
  ['a union', z.union([z.string(), z.array(z.int())]), ['a', [1]], [1, ['a'], null]],
  ['a free object', z.record(z.string(), z.unknown()), [{}, { a: 1 }], [[], null, 'a']],
  [
    'an object',
    z.object({ a: z.string(), b: z.int().nullish() }),
    [{ a: 'x' }, { a: 'x', b: null, c: [] }],
    [{}, { a: 1 }, { a: 'x', b: 'y' }, [], null],
  ],
]

for (const [why, schema, fitting, unfit] of CASES)
  test(`fitsSchema agrees with zod: ${why}`, () => {
    const fits = fitsSchema(schema)
    for (const value of fitting) assert.ok(fits(value) && schema.safeParse(value).success)
    for (const value of unfit) assert.ok(!fits(value) && !schema.safeParse(value).success)
  })

test('fitsSchema takes nothing that zod refuses: any JSON against any schema it knows', () => {
  const leaf = fc.constantFrom<z.ZodType>(
    z.string(),
    z.string().min(1).max(2),
    z.number(),
    z.int().min(0).max(3),
    z.boolean(),
    z.enum(['a', 'b']),
    z.unknown(),
    z.record(z.string(), z.unknown()),
  )
  const { schema } = fc.letrec<{ schema: z.ZodType }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie('schema').map((inner) => inner.nullish()),
      tie('schema').map((inner) => z.array(inner).max(3)),
      fc.tuple(tie('schema'), tie('schema')).map((forms) => z.union(forms)),
      fc.record({ a: tie('schema'), b: tie('schema') }).map((shape) => z.object(shape)),
    ),
  }))
  const { json } = fc.letrec<{ json: unknown }>((tie) => ({
    json: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom<unknown>(null, true, 0, 1, 4, 0.5, '', 'a', 'b', 'abc'),
      fc.array(tie('json'), { maxLength: 4 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'c'), tie('json')),
    ),
  }))
  fc.assert(
    fc.property(schema, fc.array(json, { minLength: 20, maxLength: 20 }), (one, values) => {
      const fits = fitsSchema(one)
      for (const value of values) assert.ok(!fits(value) || one.safeParse(value).success)
    }),
    { seed: 20_266, numRuns: 400 },
  )
})

test('fitsSchema knows no other kinds of schema, so none is decided wrongly', () => {
  for (const schema of [z.date(), z.string().regex(/a/), z.string().trim(), z.record(z.string(), z.string())])
    assert.throws(() => fitsSchema(schema), TypeError)
})
