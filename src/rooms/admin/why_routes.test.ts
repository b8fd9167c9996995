import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EntryKind } from '#base/recorder.ts'
import type { JsonObject } from '#base/json.ts'
import { CALLER } from '../../../test/support/door_parts.ts'
import { AdminBench, faultCode } from '../../../test/support/admin_bench.ts'
import { assertFrozen } from '../../../test/support/assert_frozen.ts'
import type { Asker } from '#trust/ledger/search_queue.ts'
import type { EntryReader, EntryView } from './entry_view.ts'
import { Explanation } from './why.ts'
import { explainRoute, whyRoute } from './why_routes.ts'

const OWN = 'own0000000000001'
const OTHERS = 'others0000000001'
const STRANGERS = 'strangers0000001'
const PREDECESSORS = 'before0000000001'
/** When the caller was made. */
const MADE = 1_000

const entry = (id: string, kind: EntryKind, shown: JsonObject, at = MADE): EntryView => ({
  origin: 'gatehouse.local/test',
  index: 0,
  kind,
  id,
  at,
  shown,
  opened: { address: '192.0.2.7' },
})

const LEDGER: readonly EntryView[] = [
  entry(OWN, 'refusal', {
    caller: 'p(Service::"demo")',
    stage: 'authorize',
    code: 'action.denied',
    reason: 'scope.model',
  }),
  entry(OTHERS, 'refusal', { caller: 'p(Service::"other")', stage: 'authorize', code: 'action.denied' }),
  entry(STRANGERS, 'refusal', { stage: 'authenticate', code: 'caller.unknown' }),
  entry(PREDECESSORS, 'refusal', { caller: 'p(Service::"demo")', stage: 'authorize' }, MADE - 1),
]

const ENTRIES: EntryReader = {
  find: async (id) => Promise.resolve(LEDGER.filter((each) => each.id === id)),
  pseudonymOf: (caller) => `p(${caller})`,
  since: ({ id }) => (id === 'demo' ? MADE : 0),
  callerOf: (pseudonym) => (pseudonym === 'p(Service::"demo")' ? 'Service::"demo"' : undefined),
}

const NOT_HELD = () => ({ origin: 'gatehouse.local/x', witnessed: undefined, anchored: undefined })

test('explainRoute and whyRoute aim at the same target each time, frozen all through', () => {
  for (const route of [explainRoute(ENTRIES, NOT_HELD), whyRoute(ENTRIES, NOT_HELD)]) {
    const target = route.target({ id: OWN }, CALLER)
    assertFrozen(target)
    assert.equal(route.target({ id: OTHERS }, CALLER), target)
  }
})

test('explainRoute searches before all callers, whyRoute in the name of its caller', async (t) => {
  const bench = new AdminBench(t)
  const askers: Asker[] = []
  const find: EntryReader['find'] = async (id, asker) => {
    askers.push(asker)
    return await ENTRIES.find(id, asker)
  }
  const entries = { ...ENTRIES, find }
  await bench.send(explainRoute(entries, NOT_HELD), { params: { id: OWN } })
  await bench.send(whyRoute(entries, NOT_HELD), { params: { id: OWN }, caller: CALLER })
  assert.deepEqual(askers, [{ isUrgent: true }, { caller: 'Service::"demo"' }])
})

test('whyRoute tells a caller of its own request, without the operator’s part', async (t) => {
  const acted = await new AdminBench(t).send(whyRoute(ENTRIES, NOT_HELD), {
    params: { id: OWN },
    caller: CALLER,
  })
  const told = Explanation.parse(acted.body)
  assert.deepEqual([told.id, told.code, told.operator], [OWN, 'action.denied', null])
  assert.ok(!JSON.stringify(acted).includes('192.0.2.7'))
})

const HIDDEN: readonly (readonly [why: string, id: string])[] = [
  ['another caller’s request', OTHERS],
  ['a request without a caller', STRANGERS],
  ['a request of somebody who had the name before', PREDECESSORS],
  ['an id that is not there', 'nothere000000001'],
  ['an id of another form', '../ledger'],
]
for (const [why, id] of HIDDEN) {
  test(`whyRoute gives the same answer for: ${why}`, async (t) => {
    const bench = new AdminBench(t)
    const send = () => bench.send(whyRoute(ENTRIES, NOT_HELD), { params: { id }, caller: CALLER })
    assert.equal(await faultCode(send), 'entry.unknown')
  })
}

test('explainRoute tells an operator of any request, with reason and opened values', async (t) => {
  const bench = new AdminBench(t)
  const told = Explanation.parse(
    (await bench.send(explainRoute(ENTRIES, NOT_HELD), { params: { id: OWN } })).body,
  )
  assert.equal(told.operator?.reason, 'scope.model')
  assert.deepEqual(told.operator.opened, { address: '192.0.2.7', caller: 'Service::"demo"' })
  assert.equal(told.operator.caller, 'Service::"demo"')
  assert.equal((await bench.send(explainRoute(ENTRIES, NOT_HELD), { params: { id: STRANGERS } })).status, 200)
})

test('explainRoute keeps to the pseudonym: for a caller that is no more, and for a shredded entry', async (t) => {
  const bench = new AdminBench(t)
  const shredded = {
    ...ENTRIES,
    find: async () => Promise.resolve(LEDGER.slice(0, 1).map((one) => ({ ...one, opened: {} }))),
  }
  const rows: readonly (readonly [id: string, EntryReader, caller: string])[] = [
    [OTHERS, ENTRIES, 'p(Service::"other")'],
    [OWN, shredded, 'p(Service::"demo")'],
  ]
  for (const [id, entries, caller] of rows) {
    const told = Explanation.parse(
      (await bench.send(explainRoute(entries, NOT_HELD), { params: { id } })).body,
    )
    assert.equal(told.operator?.caller, caller)
  }
})

test('explainRoute knows no such entry', async (t) => {
  const bench = new AdminBench(t)
  const send = () => bench.send(explainRoute(ENTRIES, NOT_HELD), { params: { id: 'nothere000000001' } })
  assert.equal(await faultCode(send), 'entry.unknown')
})
