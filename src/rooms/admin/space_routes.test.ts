import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { AdminBench, faultCode } from '../../../test/support/admin_bench.ts'
import {
  RoleAnswer,
  RoleListAnswer,
  SpaceListAnswer,
  SpaceRow,
  TenantListAnswer,
  TenantRow,
} from './answers.ts'
import {
  createSpaceRoute,
  createTenantRoute,
  listRolesRoute,
  listSpacesRoute,
  listTenantsRoute,
  roleRoute,
  setSpaceRoute,
} from './space_routes.ts'

test('routes of tenants and spaces do what they say, and record it before', async (t) => {
  const bench = new AdminBench(t)
  const tenant = await bench.send(createTenantRoute(bench), { body: { name: 'acme' } })
  assert.deepEqual([tenant.status, TenantRow.parse(tenant.body).spaces], [201, 0])
  const make = async (body: JsonObject) =>
    SpaceRow.parse((await bench.send(createSpaceRoute(bench), { body })).body)
  assert.deepEqual((await make({ name: 'research', tenant: 'acme' })).tenant, 'acme')
  const trials = await make({ name: 'trials', parent: 'research', inherits: true })
  assert.deepEqual([trials.tenant, trials.parent, trials.inherits], ['acme', 'research', true])
  const rows: readonly (readonly [why: string, change: JsonObject, expected: readonly unknown[]])[] = [
    ['it stays under its parent', { inherits: false }, ['research', false]],
    ['it inherits again', { inherits: true }, ['research', true]],
    ['nothing is said', {}, ['research', true]],
    ['without a parent nothing is inherited', { parent: null }, [null, false]],
  ]
  for (const [why, change, expected] of rows) {
    const set = await bench.send(setSpaceRoute(bench), { body: { name: 'trials', ...change } })
    const { parent, inherits } = SpaceRow.parse(set.body)
    assert.deepEqual([parent, inherits], expected, why)
  }
  const { spaces } = SpaceListAnswer.parse((await bench.send(listSpacesRoute(bench))).body)
  assert.deepEqual(
    spaces.map(({ name }) => name),
    ['default', 'research', 'trials'],
  )
  const { tenants } = TenantListAnswer.parse((await bench.send(listTenantsRoute(bench))).body)
  assert.deepEqual(
    tenants.map(({ name, spaces: count }) => [name, count]),
    [
      ['default', 1],
      ['acme', 2],
    ],
  )
  assert.deepEqual(
    bench.recorder.entries.map(({ fields }) => fields['what']),
    ['tenant:create', 'space:create', 'space:create', ...rows.map(() => 'space:change')],
  )
  const none = () => bench.send(setSpaceRoute(bench), { body: { name: 'none', inherits: true } })
  assert.equal(await faultCode(none), 'space.missing')
})

test('routes of roles give and take them, from callers and groups', async (t) => {
  const bench = new AdminBench(t)
  bench.directory.createCaller({ name: 'ann', kind: 'User', createdBy: 'test' }).make()
  bench.directory.createGroup({ display: 'staff' }).make()
  const change = async (verb: 'give' | 'take', to: string, name: string) =>
    RoleAnswer.parse((await bench.send(roleRoute(bench, verb), { body: { role: 'reader', to, name } })).body)
  const listed = async () => RoleListAnswer.parse((await bench.send(listRolesRoute(bench))).body).roles
  assert.equal((await change('give', 'caller', 'ann')).holder, 'User::"ann"')
  assert.equal((await change('give', 'group', 'staff')).holder, 'Group::"staff"')
  assert.deepEqual(await listed(), [{ name: 'reader', callers: 1, groups: ['staff'] }])
  await change('take', 'caller', 'ann')
  await change('take', 'group', 'staff')
  assert.deepEqual(await listed(), [])
  assert.equal(await faultCode(() => change('give', 'caller', 'staff')), 'caller.missing')
  assert.equal(await faultCode(() => change('give', 'group', 'ann')), 'group.missing')
  assert.equal(await faultCode(() => change('give', 'service', 'ann')), 'input.invalid')
})
