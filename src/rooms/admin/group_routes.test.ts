import assert from 'node:assert/strict'
import { test } from 'node:test'
import { AdminBench, faultCode } from '../../../test/support/admin_bench.ts'
import { GroupAnswer, GroupListAnswer, GroupRow } from './answers.ts'
import {
  createGroupRoute,
  deleteGroupRoute,
  listGroupsRoute,
  membersRoute,
  nestGroupRoute,
  showGroupRoute,
} from './group_routes.ts'

function benchWithPeople(t: ConstructorParameters<typeof AdminBench>[0]): AdminBench {
  const bench = new AdminBench(t)
  for (const name of ['ann', 'ben'])
    bench.directory.createCaller({ name, kind: 'User', createdBy: 'test' }).make()
  for (const display of ['staff', 'lab']) bench.directory.createGroup({ display }).make()
  return bench
}

test('routes of groups do what they say, and record it before', async (t) => {
  const bench = benchWithPeople(t)
  const made = await bench.send(createGroupRoute(bench), { body: { name: 'interns', parent: 'staff' } })
  assert.deepEqual([made.status, GroupRow.parse(made.body).parent], [201, 'staff'])
  const add = { name: 'interns', members: ['ann', 'ben', 'ann'] }
  assert.equal(GroupRow.parse((await bench.send(membersRoute(bench, 'add'), { body: add })).body).members, 2)
  const remove = { name: 'interns', members: ['ben'] }
  assert.equal(
    GroupRow.parse((await bench.send(membersRoute(bench, 'remove'), { body: remove })).body).members,
    1,
  )
  const query = [['name', 'interns']] as const
  const shown = GroupAnswer.parse((await bench.send(showGroupRoute(bench), { query })).body)
  assert.deepEqual([shown.names, shown.parent], [['ann'], 'staff'])
  await bench.send(nestGroupRoute(bench), { body: { name: 'interns', parent: null } })
  assert.equal(bench.directory.findGroup('interns')?.parent, undefined)
  await bench.send(deleteGroupRoute(bench), { body: { name: 'interns' } })
  const { total, groups } = GroupListAnswer.parse((await bench.send(listGroupsRoute(bench))).body)
  assert.deepEqual([total, groups.map(({ name }) => name)], [2, ['staff', 'lab']])
  assert.deepEqual(
    bench.recorder.entries.map(({ fields }) => [fields['what'], fields['names']]),
    [
      ['group:create', undefined],
      ['group:nest', undefined],
      ['group:add', ['ann', 'ben']],
      ['group:remove', ['ben']],
      ['group:nest', undefined],
      ['group:delete', undefined],
    ],
  )
})

test('routes of groups change and record nothing of what cannot be', async (t) => {
  const bench = benchWithPeople(t)
  const rows: readonly (readonly [why: string, send: () => Promise<unknown>, code: string])[] = [
    ['no such group', () => bench.send(deleteGroupRoute(bench), { body: { name: 'none' } }), 'group.missing'],
    [
      'no such parent',
      () => bench.send(createGroupRoute(bench), { body: { name: 'new', parent: 'none' } }),
      'group.missing',
    ],
    [
      'one member of several is nobody',
      () => bench.send(membersRoute(bench, 'add'), { body: { name: 'lab', members: ['ann', 'none'] } }),
      'caller.missing',
    ],
    [
      'nobody',
      () => bench.send(membersRoute(bench, 'add'), { body: { name: 'lab', members: [] } }),
      'input.invalid',
    ],
    [
      'in itself',
      () => bench.send(nestGroupRoute(bench), { body: { name: 'lab', parent: 'lab' } }),
      'directory.conflicting',
    ],
    [
      'a name that is taken',
      () => bench.send(createGroupRoute(bench), { body: { name: 'lab' } }),
      'resource.conflicting',
    ],
    [
      'a name that is none',
      () => bench.send(createGroupRoute(bench), { body: { name: '!' } }),
      'input.invalid',
    ],
  ]
  for (const [why, send, code] of rows) assert.equal(await faultCode(send), code, why)
  assert.deepEqual(bench.recorder.entries, [])
  assert.equal(bench.directory.findGroup('lab')?.members.size, 0)
})
