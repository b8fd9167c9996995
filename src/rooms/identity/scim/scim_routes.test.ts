import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { AdminBench, faultCode, member } from '../../../../test/support/admin_bench.ts'
import { reasonOf } from '../../../../test/support/fault_reason.ts'
import { CORE_GROUP, CORE_USER, patch } from '../../../../test/support/scim_client.ts'
import type { JsonValue } from '#base/json.ts'
import type { ActedWhole } from '#door/route.ts'
import { createGroupRoute, patchGroupRoute, replaceGroupRoute } from './group_routes.ts'
import { readResource } from './read_value.ts'
import { USER } from './resource_type.ts'
import type { ScimParts } from './scim_parts.ts'
import { scimRoutes } from './scim_routes.ts'
import { createUserRoute, patchUserRoute, replaceUserRoute } from './user_routes.ts'

const ANN = { schemas: [CORE_USER], userName: 'ann@example.com', title: 'Guide' }

class Bench extends AdminBench {
  readonly parts: ScimParts

  constructor(t: TestContext) {
    super(t)
    const terms = { userPrefix: 'corp:', space: 'default', baseUrl: 'https://gate.example/scim/v2' }
    const turns = { next: async () => Promise.resolve() }
    this.parts = { directory: this.directory, changes: this.changes, terms, turns }
  }

  async makeUser(body: JsonValue = ANN): Promise<string> {
    return idOf(await this.send(createUserRoute(this.parts), { body }))
  }

  /** What has been recorded since it was asked last. */
  recorded(): readonly unknown[] {
    return this.recorder.entries.splice(0).map(({ fields }) => fields['what'])
  }
}

function idOf(acted: ActedWhole): string {
  const id = member(acted, 'id')
  assert.ok(typeof id === 'string')
  return id
}

test('createUserRoute makes a user of the directory: with the prefix, in the space, live', async (t) => {
  const bench = new Bench(t)
  const acted = await bench.send(createUserRoute(bench.parts), { body: { ...ANN, externalId: 'x-1' } })
  const user = bench.directory.findById(idOf(acted))
  assert.deepEqual(
    [user?.name, user?.kind, user?.source, user?.space.name, user?.externalId, user?.disabledAt],
    ['corp:ann@example.com', 'User', 'scim', 'default', 'x-1', undefined],
  )
  assert.deepEqual(user?.profile, { title: 'Guide' })
  assert.equal(member(acted, 'userName'), 'ann@example.com')
  assert.equal(acted.headers?.location, `https://gate.example/scim/v2/Users/${idOf(acted)}`)
  assert.deepEqual(bench.recorded(), ['caller:create'])
})

test('createUserRoute makes a user that is disabled from the start: in no moment is it let in', async (t) => {
  const bench = new Bench(t)
  const id = await bench.makeUser({ ...ANN, active: 'False' })
  assert.notEqual(bench.directory.findById(id)?.disabledAt, undefined)
  assert.deepEqual(bench.recorded(), ['caller:create'])
})

test('replaceUserRoute and patchUserRoute leave no entry and no version where nothing changes', async (t) => {
  const bench = new Bench(t)
  const id = await bench.makeUser()
  bench.recorded()
  const params = { id }
  const version = bench.directory.findById(id)?.version
  await bench.send(replaceUserRoute(bench.parts), { params, body: { ...ANN, active: true } })
  const same = patch({ op: 'replace', value: { title: 'Guide', active: 'True' } }) as JsonValue
  await bench.send(patchUserRoute(bench.parts), { params, body: same })
  assert.deepEqual([bench.recorded(), bench.directory.findById(id)?.version], [[], version])
})

test('patchUserRoute records all that it changes, disabling first, before it changes anything', async (t) => {
  const bench = new Bench(t)
  const id = await bench.makeUser()
  bench.recorded()
  const params = { id }
  const body = patch({
    op: 'replace',
    value: { title: 'Lead', active: false, userName: 'ann2' },
  }) as JsonValue
  await bench.send(patchUserRoute(bench.parts), { params, body })
  assert.deepEqual(bench.recorded(), ['caller:disable', 'caller:change'])
  const user = bench.directory.findById(id)
  assert.deepEqual([user?.name, user?.profile], ['corp:ann2', { title: 'Lead' }])

  bench.recorder.isWritable = false
  const on = patch({ op: 'replace', value: { active: true, title: 'x' } }) as JsonValue
  const send = async () => bench.send(patchUserRoute(bench.parts), { params, body: on })
  assert.equal(await faultCode(send), 'ledger.unwritable')
  assert.deepEqual([user?.profile, user?.disabledAt === undefined], [{ title: 'Lead' }, false])
})

test('changes of one user that come at the same time are made one after the other: none is lost', async (t) => {
  const bench = new Bench(t)
  const id = await bench.makeUser()
  const params = { id }
  const names = ['nickName', 'displayName', 'userType', 'locale', 'timezone']
  await Promise.all(
    names.map(async (name) => {
      const body = patch({ op: 'add', path: name, value: name }) as JsonValue
      await bench.send(patchUserRoute(bench.parts), { params, body })
    }),
  )
  const { title: _title, ...rest } = bench.directory.findById(id)?.profile ?? {}
  assert.deepEqual(Object.keys(rest).sort(), names.sort())
})

test('groups: a repeated removal does no harm, and what is as it was leaves no entry', async (t) => {
  const bench = new Bench(t)
  const id = await bench.makeUser()
  const body = { schemas: [CORE_GROUP], displayName: '営業', members: [{ value: id }] }
  const acted = await bench.send(createGroupRoute(bench.parts), { body })
  const params = { id: idOf(acted) }
  const group = bench.directory.findGroupById(params.id)
  assert.match(group?.name ?? '', /^group-[0-9a-f]{16}$/)
  assert.deepEqual(bench.recorded(), ['caller:create', 'group:create', 'group:add'])

  await bench.send(replaceGroupRoute(bench.parts), { params, body })
  assert.deepEqual(bench.recorded(), [])
  const remove = patch({ op: 'remove', path: `members[value eq "${id}"]` }) as JsonValue
  const first = await bench.send(patchGroupRoute(bench.parts), { params, body: remove })
  assert.deepEqual([first.status, bench.recorded(), group?.members.size], [204, ['group:remove'], 0])
  await bench.send(patchGroupRoute(bench.parts), { params, body: remove })
  assert.deepEqual(bench.recorded(), [])

  const rename = patch({ op: 'replace', path: 'displayName', value: 'Sales (EU)' }) as JsonValue
  const shown = await bench.send(patchGroupRoute(bench.parts), {
    params,
    query: [['attributes', 'displayName']],
    body: rename,
  })
  assert.deepEqual([shown.status, member(shown, 'displayName'), group?.name], [200, 'Sales (EU)', 'Sales-EU'])
})

test('createGroupRoute makes no group when one of its members is not there', async (t) => {
  const bench = new Bench(t)
  const id = await bench.makeUser()
  bench.recorded()
  const body = { schemas: [CORE_GROUP], displayName: 'g', members: [{ value: id }, { value: 'nobody' }] }
  const send = async () => bench.send(createGroupRoute(bench.parts), { body })
  assert.equal(await faultCode(send), 'input.invalid')
  assert.deepEqual([bench.recorded(), bench.directory.listGroups({ start: 0, count: 9 }).total], [[], 0])
})

test('scimRoutes are all of SCIM: on the admin listener, with its media type, its errors and an action of their own', (t) => {
  const bench = new Bench(t)
  const routes = scimRoutes(bench.parts, ({ name, listener, media, envelope, action, record }) => {
    assert.deepEqual([listener, media, envelope], ['admin', 'scim', 'scim'], name)
    assert.equal(record, action === 'scim:write' ? 'strict' : 'grouped', name)
    return name
  })
  assert.equal(new Set(routes).size, routes.length)
  assert.equal(routes.length, 26)
})

test('readResource takes the names of the schema and leaves out what is not kept', () => {
  const sent = {
    SCHEMAS: [CORE_USER.toLowerCase(), 'urn:x'],
    USERNAME: 'ann',
    Active: 'TRUE',
    password: 'secret',
    id: '1',
    meta: { version: '1' },
    groups: [{ value: 'g' }],
    title: null,
    nickName: '',
    name: {},
    phoneNumbers: [],
    emails: ['a@b', { VALUE: 'c@d', Primary: 'true', nobody: 1 }, null],
    'urn:ietf:params:scim:schemas:extension:ENTERPRISE:2.0:User': { manager: 'm', Department: 'x' },
  }
  assert.deepEqual(readResource(USER, sent), {
    userName: 'ann',
    active: true,
    nickName: '',
    emails: [{ value: 'a@b' }, { value: 'c@d', primary: true }],
    'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User': {
      manager: { value: 'm' },
      department: 'x',
    },
  })
  const twice = { schemas: [CORE_USER], userName: 'a', username: 'b' }
  assert.equal(
    reasonOf(() => readResource(USER, twice)),
    'invalidSyntax',
  )
})
