import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault, type FaultDetail } from '#base/fault.ts'
import { placeOf } from './place_of.ts'

const ROWS: readonly (readonly [why: string, detail: FaultDetail, place: string, what: string])[] = [
  ['both are there', { place: 'a', what: 'b' }, 'a', 'b'],
  ['neither is', {}, 'the ledger', 'damaged'],
  ['they are no texts', { place: 1, what: [] }, 'the ledger', 'damaged'],
]

for (const [why, detail, place, what] of ROWS)
  test(`placeOf gives words for people: ${why}`, () => {
    assert.deepEqual(placeOf(new Fault('ledger.corrupt', detail)), { place, what })
  })
