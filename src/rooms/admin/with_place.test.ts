import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { withPlace } from './with_place.ts'

test('withPlace tells where the ledger is damaged, and passes on everything else', async () => {
  const detail = { place: '/home/ledger/0001-x/tile', what: 'not a folder of a ledger' }
  const corrupt = new Fault('ledger.corrupt', detail)
  await assert.rejects(
    withPlace(async () => await Promise.reject(corrupt)),
    { code: 'ledger.corrupt', detail, say: '/home/ledger/0001-x/tile: not a folder of a ledger.' },
  )
  for (const other of [new Fault('ledger.unwritable'), new Error('x')])
    await assert.rejects(
      withPlace(async () => await Promise.reject(other)),
      (thrown) => thrown === other,
    )
  assert.equal(await withPlace(async () => await Promise.resolve(7)), 7)
})
