import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { printType } from './describe_type.ts'
import { joinTypes } from './join_types.ts'
import type { SchemaType } from './schema_types.ts'

const TRUE: SchemaType = { kind: 'truth', only: true }
const FALSE: SchemaType = { kind: 'truth', only: false }
const TRUTH: SchemaType = { kind: 'truth' }
const LONG: SchemaType = { kind: 'integer' }
const TEXT: SchemaType = { kind: 'text' }

function record(fields: Readonly<Record<string, SchemaType>>, ...optional: readonly string[]): SchemaType {
  const entries = Object.entries(fields).map(
    ([name, type]) => [name, { type, isRequired: !optional.includes(name) }] as const,
  )
  return { kind: 'record', fields: new Map(entries), required: entries.length - optional.length }
}

function set(element: SchemaType): SchemaType {
  return { kind: 'set', element }
}

suite('joinTypes', () => {
  test('joinTypes gives the one type of both, whichever comes first', () => {
    const rows: readonly (readonly [
      why: string,
      left: SchemaType,
      right: SchemaType,
      joined?: SchemaType,
    ])[] = [
      ['integers', LONG, { kind: 'integer' }, LONG],
      ['an integer and a text', LONG, TEXT],
      ['the same truth', TRUE, { kind: 'truth', only: true }, TRUE],
      ['two truths', TRUE, FALSE, TRUTH],
      ['a truth that is known and one that is not', TRUE, TRUTH, TRUTH],
      ['a truth and a text', TRUTH, TEXT],
      [
        'entities',
        { kind: 'entity', type: 'A' },
        { kind: 'entity', type: 'A' },
        { kind: 'entity', type: 'A' },
      ],
      ['entities of two types', { kind: 'entity', type: 'A' }, { kind: 'entity', type: 'B' }],
      [
        'an entity and an extension',
        { kind: 'entity', type: 'decimal' },
        { kind: 'extension', type: 'decimal' },
      ],
      ['extensions', { kind: 'extension', type: 'decimal' }, { kind: 'extension', type: 'ipaddr' }],
      ['sets', set(TRUE), set(FALSE), set(TRUTH)],
      ['sets of two types', set(LONG), set(TEXT)],
      ['a set and what is in it', set(LONG), LONG],
      ['records', record({ a: LONG, b: TRUE }), record({ b: FALSE, a: LONG }), record({ a: LONG, b: TRUTH })],
      ['fields of two types', record({ a: LONG }), record({ a: TEXT })],
      ['other fields', record({ a: LONG }), record({ b: LONG })],
      ['more fields', record({ a: LONG }), record({ a: LONG, b: LONG }, 'b')],
      ['a field that may be absent in one', record({ a: LONG }), record({ a: LONG }, 'a')],
      ['and in both', record({ a: LONG }, 'a'), record({ a: LONG }, 'a'), record({ a: LONG }, 'a')],
      ['a record and a set', record({}), set(LONG)],
    ]
    for (const [why, left, right, joined] of rows) {
      assert.deepEqual(joinTypes(left, right), joined, why)
      assert.deepEqual(joinTypes(right, left), joined, why)
    }
  })

  test('printType writes a type as a schema does, fields in order', () => {
    assert.equal(
      printType(record({ b: set(LONG), a: TRUE, 'x y': { kind: 'extension', type: 'ipaddr' } }, 'b')),
      '{"a": Bool, "b"?: Set<Long>, "x y": ipaddr}',
    )
  })
})
