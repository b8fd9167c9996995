import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readSchema } from './read_schema.ts'
import { SCHEMA } from './schema.ts'
import { hasType, type SchemaType } from './schema_types.ts'
import { SyntaxProblem } from './syntax_problem.ts'
import { callExtension } from './extensions.ts'
import { EntityValue, RecordValue, SetValue, type Value } from './values.ts'

suite('read_schema', () => {
  test('readSchema reads our own schema', () => {
    const { entities, actions } = readSchema(SCHEMA)
    assert.deepEqual([...(entities.get('Service')?.parents ?? [])], ['Space', 'Group', 'Role'])
    assert.deepEqual(
      [...(entities.get('Model')?.attributes.fields ?? [])],
      [
        ['provider', { type: { kind: 'text' }, isRequired: true }],
        ['region', { type: { kind: 'text' }, isRequired: false }],
      ],
    )
    const infer = actions.find(({ ref }) => ref.id === 'model:infer')
    assert.deepEqual(infer?.parents, [{ type: 'Action', id: 'model:use' }])
    assert.deepEqual([...infer.principals], ['User', 'Service', 'System'])
    assert.deepEqual([...infer.context.fields.keys()], ['findings', 'via_key', 'assurance'])
    assert.equal(infer.context.required, 3)
  })

  test('readSchema reads namespaces, common types, tags, annotations and names between quotes', () => {
    const text = `
      @doc("x") namespace Gate::Inner {
        @a type Level = Long;
        type Pair = { "left side": Level, right?: Set<__cedar::String>, };
        entity User, Admin in [Outer] { pair: Pair, at: datetime, boss: User } tags Set<Level>;
        entity Color enum ["red", "blue"];
        action read, "write it" in [all, Other::Action::"x"] appliesTo { principal: User, resource: [User, Outer], context: Pair };
        action all;
      }
      entity Outer;`
    const { entities, actions } = readSchema(text)
    assert.deepEqual(
      [...entities.keys()],
      ['Gate::Inner::User', 'Gate::Inner::Admin', 'Gate::Inner::Color', 'Outer'],
    )
    const user = entities.get('Gate::Inner::User')
    assert.deepEqual(entities.get('Gate::Inner::Color')?.ids, new Set(['red', 'blue']))
    assert.equal(user?.ids, undefined)
    assert.deepEqual(user?.tags, { kind: 'set', element: { kind: 'integer' } })
    assert.deepEqual([...user.parents], ['Outer'])
    assert.deepEqual(user.attributes.fields.get('boss')?.type, { kind: 'entity', type: 'Gate::Inner::User' })
    assert.deepEqual(
      actions.map(({ ref }) => ref.id),
      ['read', 'write it', 'all'],
    )
    const [read] = actions
    assert.equal(read?.ref.type, 'Gate::Inner::Action')
    assert.deepEqual(read.parents, [
      { type: 'Gate::Inner::Action', id: 'all' },
      { type: 'Other::Action', id: 'x' },
    ])
    assert.deepEqual([...read.context.fields.keys()], ['left side', 'right'])
    assert.deepEqual([...read.resources], ['Gate::Inner::User', 'Outer'])
  })

  test('readSchema refuses what is no schema', () => {
    const texts = [
      'table A;',
      'entity A',
      'entity A = { a: Nothing };',
      'type A = A; entity B { a: A };',
      'entity in;',
      'action a appliesTo { context: Long',
      '@a("x" entity A;',
      'namespace N { entity A;',
    ]
    for (const text of texts) assert.throws(() => readSchema(text), SyntaxProblem, text)
    assert.equal(
      readSchema('type T = Long; action a appliesTo { context: T };').actions[0]?.context.fields.size,
      0,
    )
  })

  test('hasType takes the values of a type', () => {
    const user = new EntityValue('User', 'a')
    const record = (fields: Record<string, Value>): RecordValue =>
      new RecordValue(new Map(Object.entries(fields)))
    const pair: SchemaType = {
      kind: 'record',
      required: 1,
      fields: new Map([
        ['a', { type: { kind: 'integer' }, isRequired: true }],
        ['b', { type: { kind: 'text' }, isRequired: false }],
      ]),
    }
    const rows: readonly (readonly [type: SchemaType, good: readonly Value[], bad: readonly Value[]])[] = [
      [{ kind: 'truth' }, [true], [1, 'true']],
      [{ kind: 'integer' }, [1, 2n ** 60n], ['1', true]],
      [{ kind: 'text' }, ['a'], [1]],
      [
        { kind: 'extension', type: 'ipaddr' },
        [callExtension('ip', ['::1'])],
        ['::1', callExtension('decimal', ['1.0'])],
      ],
      [{ kind: 'entity', type: 'User' }, [user], [new EntityValue('Doc', 'a'), 'a']],
      [
        { kind: 'set', element: { kind: 'entity', type: 'User' } },
        [new SetValue([]), new SetValue([user])],
        [new SetValue([user, 1]), user],
      ],
      [
        pair,
        [record({ a: 1 }), record({ a: 1, b: 'x' })],
        [record({}), record({ b: 'x' }), record({ a: 1, c: 1 }), record({ a: 'x' }), 1],
      ],
    ]
    for (const [type, good, bad] of rows) {
      for (const value of good) assert.ok(hasType(value, type), type.kind)
      for (const value of bad) assert.ok(!hasType(value, type), type.kind)
    }
  })
})

test('readSchema reads escapes in names, annotations of fields, and a group that stands alone', () => {
  const { entities, actions } = readSchema(
    'entity User { @doc("x") @plain "a\\u{41}": Long, @doc("y") plain?: Long };' +
      'action "w\\u{41}" in all appliesTo { principal: User, resource: [User] }; action all;',
  )
  const fields = entities.get('User')?.attributes.fields
  assert.deepEqual(
    [...(fields ?? [])].map(([name, { isRequired }]) => [name, isRequired]),
    [
      ['aA', true],
      ['plain', false],
    ],
  )
  const [write, all] = actions
  assert.deepEqual(write?.ref, { type: 'Action', id: 'wA' })
  assert.deepEqual(write.parents, [{ type: 'Action', id: 'all' }])
  assert.deepEqual([...write.principals], ['User'])
  assert.deepEqual(
    [all?.parents.length, all?.principals.size, all?.resources.size, all?.context.required],
    [0, 0, 0, 0],
  )
})
