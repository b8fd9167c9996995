import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import type { EntryKind } from '#base/recorder.ts'
import { kindOf } from '#trust/ledger/leaf.ts'
import type { ReadEntry } from '#trust/ledger/read.ts'
import type { Asker } from '#trust/ledger/search_queue.ts'
import { actOn, faultCode } from '../../../test/support/admin_bench.ts'
import { assertFrozen } from '../../../test/support/assert_frozen.ts'
import { CALLER } from '../../../test/support/door_parts.ts'
import { receiptRoute, type ReceiptParts } from './receipt_route.ts'

const OWN = 'own0000000000001'
const REFUSED = 'own0000000000002'
const OPEN = 'own0000000000003'
const CHANGED = 'own0000000000004'
const OTHERS = 'others0000000001'
const STRANGERS = 'strangers0000001'
const PREDECESSORS = 'before0000000001'
const ME = 'p(Service::"demo")'

/** When the caller was made. */
const MADE = 1_000

function entry(id: string, kind: EntryKind, caller?: string, at = MADE): ReadEntry {
  const leaf = { v: 1, kind, id, at, ...(caller === undefined ? {} : { caller }) }
  const salt = new Uint8Array(32)
  const opened = { address: { value: '192.0.2.7', salt }, counters: { value: 'group:eng', salt } }
  return { origin: 'gatehouse.local/test', index: 0, leaf, bytes: utf8(JSON.stringify(leaf)), opened }
}

/** Newest first, as they are found. */
const LEDGER: readonly ReadEntry[] = [
  entry(OWN, 'outcome'),
  entry(OWN, 'intent', ME),
  entry(REFUSED, 'refusal', ME),
  entry(OPEN, 'intent', ME),
  entry(CHANGED, 'outcome'),
  entry(CHANGED, 'change'),
  entry(CHANGED, 'intent', ME),
  entry(OTHERS, 'outcome'),
  entry(OTHERS, 'intent', 'p(Service::"other")'),
  entry(STRANGERS, 'refusal'),
  entry(PREDECESSORS, 'outcome', undefined, MADE),
  entry(PREDECESSORS, 'intent', ME, MADE - 1),
]

const PARTS: ReceiptParts = {
  find: async (id) => Promise.resolve(LEDGER.filter(({ leaf }) => leaf['id'] === id)),
  pseudonymOf: (caller) => `p(${caller})`,
  since: ({ id }) => (id === 'demo' ? MADE : 0),
  receiptsOf: async (entries, mayShow) =>
    Promise.resolve(
      entries
        .map(({ leaf, opened = {} }) => `${kindOf(leaf)}(${Object.keys(opened).filter(mayShow).join()})`)
        .join(' '),
    ),
}

test('receiptRoute aims at the same target each time, frozen all through', () => {
  const route = receiptRoute(PARTS)
  const target = route.target({ id: OWN }, CALLER)
  assertFrozen(target)
  assert.equal(route.target({ id: OTHERS }, CALLER), target)
})

const GIVEN: readonly (readonly [why: string, id: string, text: string])[] = [
  ['intent and outcome of a request that is over', OWN, 'intent(address) outcome(address)'],
  ['the refusal of one that was refused', REFUSED, 'refusal(address)'],
  ['not the changes that it led to', CHANGED, 'intent(address) outcome(address)'],
]
for (const [why, id, text] of GIVEN)
  test(`receiptRoute gives a caller what is its own: ${why}`, async () => {
    const acted = await actOn(receiptRoute(PARTS), { params: { id }, caller: CALLER })
    assert.ok(acted.kind === 'bytes')
    assert.equal(Buffer.from(acted.bytes).toString('utf8'), text)
    assert.deepEqual([acted.type, acted.cache], ['text/plain; charset=utf-8', 'no-store'])
  })

test('receiptRoute searches in the name of its caller', async () => {
  const askers: Asker[] = []
  const find: ReceiptParts['find'] = async (id, asker) => {
    askers.push(asker)
    return await PARTS.find(id, asker)
  }
  await actOn(receiptRoute({ ...PARTS, find }), { params: { id: OWN }, caller: CALLER })
  assert.deepEqual(askers, [{ caller: 'Service::"demo"' }])
})

const HIDDEN: readonly (readonly [why: string, id: string])[] = [
  ['another caller’s request', OTHERS],
  ['a request without a caller', STRANGERS],
  ['a request of somebody who had the name before', PREDECESSORS],
  ['an id that is not there', 'nothere000000001'],
  ['an id of another form', '../ledger'],
]
for (const [why, id] of HIDDEN)
  test(`receiptRoute gives the same answer for: ${why}`, async () => {
    const thrown = await actOn(receiptRoute(PARTS), { params: { id }, caller: CALLER }).catch(
      (each: unknown) => each,
    )
    assert.ok(thrown instanceof Fault)
    assert.deepEqual([thrown.code, thrown.detail, thrown.say], ['entry.unknown', {}, undefined])
  })

const PENDING: readonly (readonly [why: string, id: string, covered: boolean])[] = [
  ['the request is not over', OPEN, true],
  ['no checkpoint covers it', OWN, false],
]
for (const [why, id, isCovered] of PENDING)
  test(`receiptRoute says when to ask again: ${why}`, async () => {
    const receiptsOf: ReceiptParts['receiptsOf'] = async (...asked) =>
      isCovered ? await PARTS.receiptsOf(...asked) : undefined
    const thrown = await actOn(receiptRoute({ ...PARTS, receiptsOf }), {
      params: { id },
      caller: CALLER,
    }).catch((each: unknown) => each)
    assert.ok(thrown instanceof Fault)
    assert.deepEqual([thrown.code, thrown.retryAfterSeconds], ['receipt.pending', 1])
  })

test('receiptRoute takes no query and no body', async () => {
  for (const more of [{ query: [['a', 'b']] as const }, { body: {} }]) {
    const sent = { params: { id: OWN }, caller: CALLER, ...more }
    assert.equal(await faultCode(() => actOn(receiptRoute(PARTS), sent)), 'input.invalid')
  }
})
