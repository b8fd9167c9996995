import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { EntityRef } from '#base/decider.ts'
import { fnv1a } from '#base/fnv1a.ts'
import { isSameRef, RefMap } from './ref_map.ts'

function refOf(type: string, id: string): EntityRef {
  return { type, id }
}

test('RefMap holds what a map of printed references holds: any order, repeated and replaced', () => {
  const ref = fc.record({ type: fc.constantFrom('User', 'Group', 'Role'), id: fc.string({ maxLength: 3 }) })
  fc.assert(
    fc.property(fc.array(ref, { maxLength: 200 }), fc.array(ref, { maxLength: 50 }), (set, asked) => {
      const map = new RefMap<number>()
      const expected = new Map<string, number>()
      for (const [at, one] of set.entries()) {
        const name = `${one.type} ${one.id}`
        assert.equal(map.set(one, at), !expected.has(name))
        expected.set(name, at)
      }
      for (const one of [...set, ...asked]) {
        const name = `${one.type} ${one.id}`
        assert.equal(map.get({ ...one }), expected.get(name))
        assert.equal(map.has(one), expected.has(name))
      }
    }),
    { seed: 20_266 },
  )
})

test('RefMap tells references apart: types of the same length with the same id', () => {
  const map = new RefMap<string>(2)
  map.set(refOf('Role', 'a'), 'role')
  map.set(refOf('User', 'a'), 'user')
  assert.equal(map.get(refOf('Role', 'a')), 'role')
  assert.equal(map.get(refOf('User', 'a')), 'user')
  assert.equal(map.get(refOf('Tool', 'a')), undefined)
})

/** As the map has it: whoever chooses names can choose them so that they meet. */
function placeOf({ type, id }: EntityRef): number {
  const hash = fnv1a(id) ^ type.length
  return (hash ^ (hash >>> 15)) & 0x3ff
}

test('RefMap keeps its answers when names are chosen to meet, and when more come after', () => {
  const meeting: EntityRef[] = []
  for (let at = 0; meeting.length < 100; at += 1) {
    const ref = refOf('Group', `g${at}`)
    if (placeOf(ref) === 7) meeting.push(ref)
  }
  const map = new RefMap<number>()
  for (const [at, ref] of meeting.entries()) assert.ok(map.set(ref, at))
  for (let at = 0; at < 500; at += 1) map.set(refOf('Group', `later ${at}`), -at)
  assert.ok(!map.set(meeting[3] ?? refOf('', ''), 33))
  for (const [at, ref] of meeting.entries()) assert.equal(map.get({ ...ref }), at === 3 ? 33 : at)
  assert.equal(map.get(refOf('Group', 'later 499')), -499)
  assert.ok(!map.has(refOf('Group', 'never')))
  assert.ok(!map.has(refOf('Nobody', 'g1')))
})

test('isSameRef compares by value', () => {
  assert.ok(isSameRef(refOf('User', 'a'), refOf('User', 'a')))
  assert.ok(!isSameRef(refOf('User', 'a'), refOf('User', 'b')))
  assert.ok(!isSameRef(refOf('User', 'a'), refOf('Role', 'a')))
})
