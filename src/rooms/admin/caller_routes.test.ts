import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminBench, faultCode } from '../../../test/support/admin_bench.ts'
import { CallerListAnswer, CallerRow } from './answers.ts'
import { disableCallerRoute, enableCallerRoute, listCallersRoute } from './caller_routes.ts'

function benchWithDemo(bench: AdminBench): AdminBench {
  bench.callers.createKey({ name: 'demo', createdBy: 'System::"operator"' })
  return bench
}

test('listCallersRoute lists the callers', async (t) => {
  const bench = benchWithDemo(new AdminBench(t))
  const { callers } = CallerListAnswer.parse((await bench.send(listCallersRoute(bench))).body)
  assert.deepEqual(
    callers.map(({ name, state }) => [name, state]),
    [['demo', 'live']],
  )
})

test('disableCallerRoute and enableCallerRoute turn a caller off and on, each recorded before', async (t) => {
  const bench = benchWithDemo(new AdminBench(t))
  const params = { name: 'demo' }
  assert.equal(
    CallerRow.parse((await bench.send(disableCallerRoute(bench), { params })).body).state,
    'disabled',
  )
  assert.equal(CallerRow.parse((await bench.send(enableCallerRoute(bench), { params })).body).state, 'live')
  assert.deepEqual(
    bench.recorder.entries.map(({ fields }) => fields['what']),
    ['caller:disable', 'caller:enable'],
  )
})

test('disableCallerRoute changes nothing: the ledger cannot record', async (t) => {
  const bench = benchWithDemo(new AdminBench(t))
  bench.recorder.isWritable = false
  const send = () => bench.send(disableCallerRoute(bench), { params: { name: 'demo' } })
  assert.equal(await faultCode(send), 'ledger.unwritable')
  assert.equal(bench.callers.listCallers()[0]?.state, 'live')
})

for (const name of ['nobody', 'no body', '__proto__']) {
  test(`disableCallerRoute and enableCallerRoute know no caller: ${name}`, async (t) => {
    const bench = benchWithDemo(new AdminBench(t))
    for (const route of [disableCallerRoute(bench), enableCallerRoute(bench)])
      assert.equal(await faultCode(() => bench.send(route, { params: { name } })), 'caller.missing')
    assert.deepEqual(bench.recorder.entries, [])
  })
}
