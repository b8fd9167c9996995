import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEntryId } from '#base/ids.ts'
import { idFilter, mayHoldId } from './id_filter.ts'

test('mayHoldId says yes of every id that is there, and of about one in a hundred others', () => {
  const ids = new Set(Array.from({ length: 10_000 }, () => newEntryId()))
  const filter = idFilter(ids, 20_000)
  assert.equal(filter.length, 12_500)
  for (const id of ids) assert.ok(mayHoldId(filter, id))
  const others = Array.from({ length: 10_000 }, () => newEntryId()).filter((id) => mayHoldId(filter, id))
  assert.ok(others.length < 200, `${others.length} of 10,000`)
})

test('idFilter is the same for the same ids in any order, and holds none when there are none', () => {
  const ids = Array.from({ length: 100 }, () => newEntryId())
  assert.deepEqual(idFilter(new Set(ids), 100), idFilter(new Set(ids.toReversed()), 100))
  assert.ok(!mayHoldId(idFilter(new Set(), 256), newEntryId()))
})

test('idFilter is never larger than that of as many ids as there are entries, and holds all of them', () => {
  const ids = new Set(Array.from({ length: 3_000 }, () => newEntryId()))
  const filter = idFilter(ids, 256)
  assert.equal(filter.length, 320)
  for (const id of ids) assert.ok(mayHoldId(filter, id))
})
