import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { EntityFacts, EntityRef, PolicyValue } from '#base/decider.ts'
import { EntityPart } from './entities.ts'
import { QuestionEntities } from './question_entities.ts'
import { readSchema } from './read_schema.ts'

const SCHEMA = readSchema(
  'entity Space; entity Group in [Space]; entity User in [Group, Space] = { level?: Long, tags?: Set<String> };',
)

function entities(): QuestionEntities {
  return new QuestionEntities(SCHEMA, new EntityPart([]))
}

function frozenRef(type: string, id: string): EntityRef {
  return Object.freeze({ type, id })
}

function frozen(
  ref: EntityRef,
  parents: readonly EntityRef[],
  attributes: Record<string, PolicyValue> = {},
): EntityFacts {
  return Object.freeze({ ref, parents: Object.freeze([...parents]), attributes: Object.freeze(attributes) })
}

const SPACE = frozenRef('Space', 's')
const GROUP = frozenRef('Group', 'g')
const ANN = frozenRef('User', 'ann')
const BOB = frozenRef('User', 'bob')

suite('question_entities', () => {
  test('prepare keeps what it made of a frozen list once it came twice', () => {
    const prepared = entities()
    const list = Object.freeze([frozen(ANN, [GROUP]), frozen(GROUP, [SPACE])])
    const nodes = [1, 2, 3, 4].map(() => prepared.prepare([list]).find(ANN))
    assert.notEqual(nodes[0], nodes[1])
    assert.ok(nodes[1] !== undefined && nodes[1] === nodes[2] && nodes[2] === nodes[3])
    assert.notEqual(prepared.prepare([Object.freeze([...list])]).find(ANN), nodes[3])
    assert.notEqual(entities().prepare([list]).find(ANN), nodes[3])
  })

  test('prepare joins lists, and reads again only the ones that can change', () => {
    const prepared = entities()
    const lasting = Object.freeze([frozen(ANN, [GROUP]), frozen(GROUP, [SPACE])])
    const spaces = [{ ref: SPACE, parents: [], attributes: {} }]
    const stores = [1, 2, 3].map(() => prepared.prepare([lasting, spaces, Object.freeze([frozen(BOB, [])])]))
    for (const ref of [ANN, GROUP]) assert.equal(stores[1]?.find(ref), stores[2]?.find(ref), ref.id)
    for (const ref of [SPACE, BOB]) assert.notEqual(stores[1]?.find(ref), stores[2]?.find(ref), ref.id)
    for (const store of stores)
      assert.deepEqual([store.isIn(ANN, SPACE), store.isIn(BOB, SPACE)], [true, false])
  })

  test('prepare reads again what can change', () => {
    const rows: readonly (readonly [why: string, make: () => readonly EntityFacts[]])[] = [
      ['an open list', () => [frozen(ANN, [])]],
      ['nothing frozen', () => [{ ref: { ...ANN }, parents: [], attributes: {} }]],
      ['open facts', () => Object.freeze([{ ...frozen(ANN, []) }])],
      ['an open reference', () => Object.freeze([Object.freeze({ ...frozen(ANN, []), ref: { ...ANN } })])],
      ['open parents', () => Object.freeze([Object.freeze({ ...frozen(ANN, []), parents: [] })])],
      ['an open parent', () => Object.freeze([frozen(ANN, [{ ...GROUP }])])],
      ['open attributes', () => Object.freeze([Object.freeze({ ...frozen(ANN, []), attributes: {} })])],
      ['an open list in them', () => Object.freeze([frozen(ANN, [], { tags: [] })])],
    ]
    for (const [why, make] of rows) {
      const prepared = entities()
      const list = make()
      const nodes = [1, 2, 3, 4].map(() => prepared.prepare([list]).find(ANN))
      assert.equal(new Set(nodes).size, 4, why)
    }
    const parents: EntityRef[] = []
    const prepared = entities()
    const list = Object.freeze([{ ref: ANN, parents, attributes: {} }])
    for (const _ of [1, 2, 3]) assert.equal(prepared.prepare([list]).isIn(ANN, GROUP), false)
    parents.push(GROUP)
    assert.equal(prepared.prepare([list]).isIn(ANN, GROUP), true)
  })

  test('prepare refuses facts that are not of the schema', () => {
    const rows: readonly (readonly [why: string, facts: EntityFacts])[] = [
      ['no such type', frozen(frozenRef('Sheep', 's'), [])],
      ['no such attribute', frozen(SPACE, [], { level: 1 })],
      ['another type of attribute', frozen(ANN, [], { level: 'high' })],
      ['no such parent', frozen(SPACE, [GROUP])],
    ]
    for (const [why, facts] of rows)
      assert.throws(() => entities().prepare([[facts]]), { code: 'internal.bug' }, why)
    assert.throws(() => entities().prepare([[frozen(ANN, [], { level: 0.5 })]]), TypeError)
  })
})
