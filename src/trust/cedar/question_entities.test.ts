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
  test('prepare keeps what it made of frozen facts once they came twice', () => {
    const prepared = entities()
    const list = [frozen(ANN, [GROUP]), frozen(GROUP, [SPACE])]
    const nodes = [1, 2, 3, 4].map(() => prepared.prepare([...list]).find(ANN))
    assert.notEqual(nodes[0], nodes[1])
    assert.ok(nodes[1] !== undefined && nodes[1] === nodes[2] && nodes[2] === nodes[3])
    assert.notEqual(entities().prepare(list).find(ANN), nodes[3])
  })

  test('prepare keeps what is frozen beside what can change', () => {
    const prepared = entities()
    const space = { ref: SPACE, parents: [], attributes: {} }
    const list = [frozen(ANN, [GROUP]), frozen(GROUP, [SPACE]), space, frozen(BOB, [])]
    const stores = [1, 2, 3, 4, 5].map(() => prepared.prepare([...list]))
    for (const ref of [ANN, GROUP, BOB]) assert.equal(stores[3]?.find(ref), stores[4]?.find(ref), ref.id)
    assert.notEqual(stores[3]?.find(SPACE), stores[4]?.find(SPACE))
    assert.ok(stores[4]?.isIn(ANN, SPACE))
  })

  test('prepare reads again what can change', () => {
    const rows: readonly (readonly [why: string, make: () => EntityFacts])[] = [
      ['nothing frozen', () => ({ ref: { ...ANN }, parents: [], attributes: {} })],
      ['an open reference', () => Object.freeze({ ...frozen(ANN, []), ref: { ...ANN } })],
      ['open parents', () => Object.freeze({ ...frozen(ANN, []), parents: [] })],
      ['an open parent', () => frozen(ANN, [{ ...GROUP }])],
      ['open attributes', () => Object.freeze({ ...frozen(ANN, []), attributes: {} })],
      ['an open list in them', () => frozen(ANN, [], { tags: [] })],
    ]
    for (const [why, make] of rows) {
      const prepared = entities()
      const facts = make()
      const nodes = [1, 2, 3, 4].map(() => prepared.prepare([facts]).find(ANN))
      assert.equal(new Set(nodes).size, 4, why)
    }
    const parents: EntityRef[] = []
    const prepared = entities()
    const facts = { ref: ANN, parents, attributes: {} }
    for (const _ of [1, 2, 3]) assert.equal(prepared.prepare([facts]).isIn(ANN, GROUP), false)
    parents.push(GROUP)
    assert.equal(prepared.prepare([facts]).isIn(ANN, GROUP), true)
  })

  test('prepare finds the runs that lists share, in whatever order they come', () => {
    const prepared = entities()
    const group = frozen(GROUP, [SPACE])
    const space = frozen(SPACE, [])
    const [ann, bob] = [frozen(ANN, [GROUP]), frozen(BOB, [GROUP], { level: 2 })]
    const other = frozen(ANN, [])
    const lists = [
      [ann, group, space, bob],
      [ann, group, space],
      [ann, bob],
      [bob, ann],
      [other, group],
      [ann, group, space, bob],
      [group, space],
      [space, group, bob],
    ]
    for (let round = 0; round < 6; round++) {
      for (const list of lists) {
        const store = prepared.prepare([...list])
        for (const facts of [ann, group, space, bob, other]) {
          const found = store.find(facts.ref)
          const expected = list.find(({ ref }) => ref === facts.ref)
          assert.deepEqual(found?.parents, expected?.parents)
        }
        const isLinked = list.includes(ann) && list.includes(group)
        assert.equal(store.isIn(ANN, SPACE), isLinked, `round ${round}`)
        assert.equal(store.find(BOB)?.attribute('level'), list.includes(bob) ? 2 : undefined)
      }
    }
  })

  test('prepare refuses facts that are not of the schema', () => {
    const rows: readonly (readonly [why: string, facts: EntityFacts])[] = [
      ['no such type', frozen(frozenRef('Sheep', 's'), [])],
      ['no such attribute', frozen(SPACE, [], { level: 1 })],
      ['another type of attribute', frozen(ANN, [], { level: 'high' })],
      ['no such parent', frozen(SPACE, [GROUP])],
    ]
    for (const [why, facts] of rows)
      assert.throws(() => entities().prepare([facts]), { code: 'internal.bug' }, why)
    assert.throws(() => entities().prepare([frozen(ANN, [], { level: 0.5 })]), TypeError)
  })
})
