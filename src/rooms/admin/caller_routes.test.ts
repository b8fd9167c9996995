import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AdminBench, faultCode } from '../../../test/support/admin_bench.ts'
import { CallerAnswer, CallerListAnswer, CallerRow, GoneAnswer } from './answers.ts'
import {
  activeCallerRoute,
  createCallerRoute,
  deleteCallerRoute,
  listCallersRoute,
  placeCallerRoute,
  showCallerRoute,
} from './caller_routes.ts'

function benchWithDemo(t: TestContext): AdminBench {
  const bench = new AdminBench(t)
  bench.callers.createKey({ name: 'demo', createdBy: 'System::"operator"' })
  return bench
}

function recorded(bench: AdminBench): readonly unknown[] {
  return bench.recorder.entries.map(({ fields }) => fields['what'])
}

test('listCallersRoute lists the callers, a part at a time', async (t) => {
  const bench = benchWithDemo(t)
  bench.callers.createKey({ name: 'other', createdBy: 'test' })
  const list = async (query: readonly (readonly [string, string])[] = []) => {
    const { total, callers } = CallerListAnswer.parse(
      (await bench.send(listCallersRoute(bench), { query })).body,
    )
    return [total, ...callers.map(({ name, state }) => `${name} ${state}`)]
  }
  assert.deepEqual(await list(), [2, 'demo live', 'other live'])
  assert.deepEqual(await list([['start', '1']]), [2, 'other live'])
  assert.deepEqual(await list([['count', '1']]), [2, 'demo live'])
  assert.deepEqual(await list([['start', '9']]), [2])
  for (const wrong of ['-1', '1.5', 'x', '', '1001', '99999999999'])
    assert.equal(await faultCode(() => list([['count', wrong]])), 'input.invalid', wrong)
  const twice = [
    ['start', '0'],
    ['start', '1'],
  ] as const
  assert.equal(await faultCode(() => list(twice)), 'input.invalid')
})

test('createCallerRoute makes a user or a service in a space, recorded before', async (t) => {
  const bench = new AdminBench(t)
  const make = async (body: object) =>
    CallerRow.parse((await bench.send(createCallerRoute(bench), { body: { ...body } })).body)
  const ann = await make({ name: 'ann@example.org', kind: 'user' })
  assert.deepEqual([ann.kind, ann.space, ann.tenant, ann.state], ['User', 'default', 'default', 'live'])
  assert.equal((await make({ name: 'batch', kind: 'service' })).kind, 'Service')
  assert.deepEqual(recorded(bench), ['caller:create', 'caller:create'])
  const rows: readonly (readonly [why: string, body: object, code: string])[] = [
    ['the same name', { name: 'batch', kind: 'user' }, 'resource.conflicting'],
    ['the same name but for case', { name: 'Ann@Example.org', kind: 'user' }, 'resource.conflicting'],
    ['a service with a name of people', { name: 'a@b', kind: 'service' }, 'input.invalid'],
    ['a user with a space in the name', { name: 'a b', kind: 'user' }, 'input.invalid'],
    ['no such space', { name: 'new', kind: 'user', space: 'nowhere' }, 'space.missing'],
    ['another kind', { name: 'new', kind: 'System' }, 'input.invalid'],
  ]
  for (const [why, body, code] of rows) assert.equal(await faultCode(() => make(body)), code, why)
  assert.equal(bench.recorder.entries.length, 2, 'what cannot be made is not on record')
})

test('activeCallerRoute turns a caller off and on, each recorded before', async (t) => {
  const bench = benchWithDemo(t)
  const body = { name: 'demo' }
  for (const [verb, state] of [
    ['disable', 'disabled'],
    ['enable', 'live'],
  ] as const) {
    const row = CallerRow.parse((await bench.send(activeCallerRoute(bench, verb), { body })).body)
    assert.equal(row.state, state)
  }
  assert.deepEqual(recorded(bench), ['caller:disable', 'caller:enable'])
})

test('activeCallerRoute changes nothing: the ledger cannot record', async (t) => {
  const bench = benchWithDemo(t)
  bench.recorder.isWritable = false
  const send = () => bench.send(activeCallerRoute(bench, 'disable'), { body: { name: 'demo' } })
  assert.equal(await faultCode(send), 'ledger.unwritable')
  assert.equal(bench.directory.find('demo')?.disabledAt, undefined)
})

test('placeCallerRoute and deleteCallerRoute do what they say, and showCallerRoute shows it', async (t) => {
  const bench = benchWithDemo(t)
  bench.directory.createSpace({ name: 'lab' }).make()
  await bench.send(placeCallerRoute(bench), { body: { name: 'demo', space: 'lab' } })
  const query = [['name', 'demo']] as const
  const shown = CallerAnswer.parse((await bench.send(showCallerRoute(bench), { query })).body)
  assert.deepEqual([shown.space, shown.is_in], ['lab', ['Space::"lab"', 'Tenant::"default"']])
  const gone = await bench.send(deleteCallerRoute(bench), { body: { name: 'demo' } })
  assert.deepEqual(GoneAnswer.parse(gone.body), { name: 'demo' })
  assert.equal(await faultCode(() => bench.send(showCallerRoute(bench), { query })), 'caller.missing')
  assert.equal(bench.callers.listKeys().items[0]?.state, 'revoked')
  assert.deepEqual(recorded(bench), ['caller:space', 'caller:delete'])
})

for (const name of ['nobody', 'no body', '__proto__', 'Demo', '']) {
  test(`routes of callers know no caller, and record nothing: ${JSON.stringify(name)}`, async (t) => {
    const bench = benchWithDemo(t)
    for (const route of [
      activeCallerRoute(bench, 'disable'),
      activeCallerRoute(bench, 'enable'),
      deleteCallerRoute(bench),
    ])
      assert.equal(await faultCode(() => bench.send(route, { body: { name } })), 'caller.missing')
    assert.deepEqual(bench.recorder.entries, [])
  })
}
