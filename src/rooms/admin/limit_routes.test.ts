import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { AdminBench, faultCode } from '../../../test/support/admin_bench.ts'
import { SetLimitsAnswer } from './answers.ts'
import { setLimitsRoute } from './limit_routes.ts'
import { createTenantRoute } from './space_routes.ts'

test('setLimitsRoute sets limits in place of those before, and records it before', async (t) => {
  const bench = new AdminBench(t)
  await bench.send(createTenantRoute(bench), { body: { name: 'acme' } })
  const set = async (limits: JsonObject | null): Promise<unknown> => {
    const { body } = await bench.send(setLimitsRoute(bench), { body: { of: 'tenant', name: 'acme', limits } })
    return SetLimitsAnswer.parse(body).limits
  }
  const now = (): unknown => bench.directory.limitsOf({ type: 'Tenant', id: 'acme' })
  assert.deepEqual(await set({ dollars_per_day: 2.5, concurrent: 3 }), {
    dollars_per_day: 2.5,
    concurrent: 3,
  })
  assert.deepEqual(now(), { dollars_per_day: 2.5, concurrent: 3 })
  assert.deepEqual(await set({ requests_per_day: 1 }), { requests_per_day: 1 })
  assert.deepEqual(now(), { requests_per_day: 1 })
  for (const none of [{}, null]) {
    await set({ requests_per_day: 1 })
    assert.equal(await set(none), null)
    assert.equal(now(), undefined)
  }
})

const REFUSALS: readonly (readonly [why: string, body: JsonObject, code: string])[] = [
  ['no such caller', { of: 'caller', name: 'nobody', limits: null }, 'caller.missing'],
  ['no such group', { of: 'group', name: 'none', limits: null }, 'group.missing'],
  ['no such space', { of: 'space', name: 'none', limits: null }, 'space.missing'],
  ['no such tenant', { of: 'tenant', name: 'none', limits: null }, 'tenant.missing'],
  ['no such kind', { of: 'key', name: 'x', limits: null }, 'input.invalid'],
  ['no such limit', { of: 'space', name: 'default', limits: { words: 1 } }, 'input.invalid'],
  ['not a number', { of: 'space', name: 'default', limits: { concurrent: '1' } }, 'input.invalid'],
  ['less than one', { of: 'space', name: 'default', limits: { concurrent: 0 } }, 'input.invalid'],
  ['nothing said of limits', { of: 'space', name: 'default' }, 'input.invalid'],
]

for (const [why, body, code] of REFUSALS)
  test(`setLimitsRoute refuses with ${code}: ${why}`, async (t) => {
    const bench = new AdminBench(t)
    assert.equal(await faultCode(() => bench.send(setLimitsRoute(bench), { body })), code)
  })
