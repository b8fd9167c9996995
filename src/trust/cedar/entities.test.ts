import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import type { EntityRef } from '#base/decider.ts'
import { EntityPart, EntityStore } from './entities.ts'
import { EntityAccount } from './entity_account.ts'
import { RecordValue, type Value } from './values.ts'

const SEED = 20_260_303
const NO_ACTIONS = new EntityPart([])
const EMPTY = new RecordValue(new Map())

function ref(id: number | string): EntityRef {
  return { type: 'Group', id: String(id) }
}

function node(
  id: number | string,
  parents: readonly (number | string)[],
  fields: readonly [string, Value][] = [],
): EntityAccount {
  return new EntityAccount(ref(id), parents.map(ref), new RecordValue(new Map(fields)), EMPTY)
}

suite('entities', () => {
  test('agrees compares parents as sets, from both sides', () => {
    const rows: readonly [why: string, one: readonly string[], other: readonly string[], agrees: boolean][] =
      [
        ['the same in another order', ['b', 'c'], ['c', 'b'], true],
        ['one of them twice', ['b', 'b'], ['b'], true],
        ['one of them twice, another missing', ['b', 'b'], ['b', 'c'], false],
        ['one more', ['b'], ['b', 'c'], false],
      ]
    for (const [why, one, other, agrees] of rows) {
      assert.equal(node('a', one).agrees(node('a', other)), agrees, why)
      assert.equal(node('a', other).agrees(node('a', one)), agrees, why)
    }
  })

  test('isIn agrees with walking the parents, however the entities are cut into parts', () => {
    const size = 7
    const graph = fc.record({
      // Circles too: the walk must end.
      parents: fc.array(fc.uniqueArray(fc.integer({ min: 0, max: size }), { maxLength: 3 }), {
        minLength: size,
        maxLength: size,
      }),
      parts: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: size, maxLength: size }),
    })
    fc.assert(
      fc.property(graph, ({ parents, parts }) => {
        const lists = [0, 1, 2].map((part) =>
          parents.flatMap((above, id) => (parts[id] === part ? [node(id, above)] : [])),
        )
        const store = new EntityStore(
          lists.map((list) => new EntityPart(list)),
          NO_ACTIONS,
        )
        const isAbove = (from: number, to: number, seen = new Set<number>()): boolean => {
          if (from === to) return true
          if (seen.has(from)) return false
          seen.add(from)
          return (parents[from] ?? []).some((parent) => isAbove(parent, to, seen))
        }
        for (let from = 0; from <= size; from++)
          for (let to = 0; to <= size; to++)
            assert.equal(store.isIn(ref(from), ref(to)), isAbove(from, to), `${from} in ${to}`)
      }),
      { seed: SEED, numRuns: 400 },
    )
  })

  test('aboves names each entity once in a part, without itself', () => {
    const top = node('top', ['a'])
    const part = new EntityPart([node('a', ['b', 'c', 'b']), node('b', ['d']), node('c', ['d', 'a']), top])
    const above = part.get(ref('a'))?.above
    const ids = [...(above?.known.map((one) => one.ref) ?? []), ...(above?.open ?? [])].map(({ id }) => id)
    assert.deepEqual(ids.toSorted(), ['b', 'c', 'd'])
    assert.deepEqual(
      part.get(top.ref)?.above.open.map(({ id }) => id),
      ['d'],
    )
  })

  test('a store takes the same account twice, and refuses two accounts of one entity', () => {
    const same = (): EntityAccount => node('a', ['b', 'c'], [['n', 1]])
    const others = [
      node('a', ['b'], [['n', 1]]),
      node('a', ['b', 'c'], [['n', 2]]),
      node('a', ['b', 'd'], [['n', 1]]),
    ]
    assert.ok(new EntityPart([same(), same()]).get(ref('a')))
    assert.ok(
      new EntityStore([new EntityPart([same()]), new EntityPart([same(), node('b', [])])], NO_ACTIONS),
    )
    for (const other of others) {
      assert.throws(() => new EntityPart([same(), other]), { code: 'internal.bug' })
      const parts = [new EntityPart([same(), node('x', [])]), new EntityPart([other])]
      assert.throws(() => new EntityStore(parts, NO_ACTIONS), { code: 'internal.bug' })
    }
  })

  test('isIn finds one of many', () => {
    const many = Array.from({ length: 100 }, (_, index) => `i${index}`)
    const store = new EntityStore(
      [new EntityPart([node('a', many)]), new EntityPart([node('i7', ['b', 'b'])])],
      NO_ACTIONS,
    )
    for (const id of ['i0', 'i99', 'b', 'a']) assert.ok(store.isIn(ref('a'), ref(id)), id)
    for (const id of ['i100', 'c']) assert.ok(!store.isIn(ref('a'), ref(id)), id)
  })
})

test('a store refuses two accounts of one entity in either order: a parent left out is another account', () => {
  const [whole, part] = [node('a', ['b', 'c']), node('a', ['b'])]
  for (const pair of [
    [whole, part],
    [part, whole],
  ]) {
    assert.throws(() => new EntityPart(pair), { code: 'internal.bug' })
    const parts = pair.map((one) => new EntityPart([one]))
    assert.throws(() => new EntityStore(parts, NO_ACTIONS), { code: 'internal.bug' })
  }
})
