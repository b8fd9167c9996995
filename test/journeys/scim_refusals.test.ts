import assert from 'node:assert/strict'
import path from 'node:path'
import { test } from 'node:test'
import { askSocket } from '../support/exchange_scene.ts'
import { journey, type Journey } from '../support/journey.ts'
import { CORE_GROUP, CORE_USER, patch, ScimClient, scimClient } from '../support/scim_client.ts'

const USER = { schemas: [CORE_USER], userName: 'ann@example.com' }

test('SCIM refuses what it cannot do with the errors of RFC 7644', async () => {
  await journey(async (story) => {
    const scim = await scimClient(story)
    const { id } = await scim.expect(201, 'POST', '/Users', USER)
    const at = `/Users/${String(id)}`
    const rows: readonly (readonly [
      why: string,
      status: number,
      type: string | undefined,
      method: string,
      path: string,
      body?: unknown,
    ])[] = [
      ['Me', 501, undefined, 'GET', '/Me'],
      ['Me', 501, undefined, 'PATCH', '/Me', patch({ op: 'remove', path: 'title' })],
      ['bulk', 501, undefined, 'POST', '/Bulk', { Operations: [] }],
      ['no such user', 404, undefined, 'GET', '/Users/0000000000000000'],
      ['no such id', 404, undefined, 'GET', '/Users/a%20b'],
      [
        'no such group',
        404,
        undefined,
        'PATCH',
        '/Groups/0000000000000000',
        patch({ op: 'remove', path: 'members' }),
      ],
      ['no such route', 404, undefined, 'GET', '/Roles'],
      ['no such method', 405, undefined, 'PUT', '/Users', USER],
      ['no such schema', 404, undefined, 'GET', '/Schemas/urn:x'],
      ['a filter on schemas', 400, 'invalidFilter', 'GET', '/Schemas?filter=id+pr'],
      ['no JSON', 400, 'invalidSyntax', 'POST', '/Users', '{'],
      ['a member twice', 400, 'invalidSyntax', 'POST', '/Users', '{"userName":"a","userName":"b"}'],
      ['no object', 400, 'invalidSyntax', 'POST', '/Users', '[]'],
      ['no schemas', 400, 'invalidSyntax', 'POST', '/Users', { userName: 'x' }],
      [
        'schemas of another resource',
        400,
        'invalidSyntax',
        'POST',
        '/Users',
        { ...USER, schemas: [CORE_GROUP] },
      ],
      ['no userName', 400, 'invalidValue', 'POST', '/Users', { schemas: [CORE_USER] }],
      ['an empty userName', 400, 'invalidValue', 'POST', '/Users', { ...USER, userName: '' }],
      ['a space in it', 400, 'invalidValue', 'POST', '/Users', { ...USER, userName: 'a b' }],
      ['a long one', 400, 'invalidValue', 'POST', '/Users', { ...USER, userName: 'x'.repeat(129) }],
      ['neither true nor false', 400, 'invalidValue', 'POST', '/Users', { ...USER, active: 'maybe' }],
      ['a taken userName', 409, 'uniqueness', 'POST', '/Users', { ...USER, userName: 'ANN@example.com' }],
      ['that of a service', 409, 'uniqueness', 'POST', '/Users', { ...USER, userName: 'provider' }],
      ['no displayName', 400, 'invalidValue', 'POST', '/Groups', { schemas: [CORE_GROUP] }],
      [
        'a member that is not there',
        400,
        'invalidValue',
        'POST',
        '/Groups',
        { schemas: [CORE_GROUP], displayName: 'g', members: [{ value: 'x' }] },
      ],
      ['a filter', 400, 'invalidFilter', 'GET', '/Users?filter=userName'],
      [
        'a long filter',
        400,
        'invalidFilter',
        'POST',
        '/Users/.search',
        {
          schemas: ['urn:ietf:params:scim:api:messages:2.0:SearchRequest'],
          filter: `userName eq "${'x'.repeat(2_048)}"`,
        },
      ],
      [
        'a deep filter',
        400,
        'invalidFilter',
        'GET',
        `/Users?filter=${'('.repeat(17)}title+pr${')'.repeat(17)}`,
      ],
      ['no number', 400, 'invalidValue', 'GET', '/Users?count=many'],
      ['no order', 400, 'invalidValue', 'GET', '/Users?sortBy=title&sortOrder=up'],
      ['two ways to choose', 400, 'invalidValue', 'GET', '/Users?attributes=title&excludedAttributes=name'],
      ['a parameter twice', 400, 'invalidSyntax', 'GET', '/Users?count=1&count=2'],
      ['no operations', 400, 'invalidSyntax', 'PATCH', at, patch()],
      [
        '1,001 operations',
        400,
        'invalidSyntax',
        'PATCH',
        at,
        patch(...Array.from({ length: 1_001 }, () => ({ op: 'remove', path: 'title' }))),
      ],
      [
        'an unknown path',
        400,
        'invalidPath',
        'PATCH',
        at,
        patch({ op: 'add', path: 'shoeSize', value: '9' }),
      ],
      ['a fixed attribute', 400, 'mutability', 'PATCH', at, patch({ op: 'replace', path: 'id', value: 'x' })],
      [
        'nothing to replace',
        400,
        'noTarget',
        'PATCH',
        at,
        patch({ op: 'replace', path: 'emails[type eq "fax"].value', value: 'x' }),
      ],
      ['a body with a GET', 400, 'invalidSyntax', 'DELETE', at, {}],
    ]
    for (const [why, status, type, method, path, body] of rows) {
      const reply = await scim.send(method, path, body === undefined ? {} : { body })
      assert.deepEqual(
        [reply.status, reply.body['scimType'], reply.body['status']],
        [status, type, String(status)],
        why,
      )
      assert.deepEqual(reply.body['schemas'], ['urn:ietf:params:scim:api:messages:2.0:Error'], why)
      assert.equal(typeof reply.body['detail'], 'string', why)
    }
    const form = await scim.send('POST', '/Users', { body: 'x', headers: { 'content-type': 'text/plain' } })
    assert.equal(form.status, 400)
    const users = await scim.expect(200, 'GET', '/Users')
    assert.equal(users['totalResults'], 1, 'nothing of all this has made a user')
  })
})

test('SCIM takes a change only of what the client has read, where it says what that was', async () => {
  await journey(async (story) => {
    const scim = await scimClient(story)
    const made = await scim.send('POST', '/Users', { body: USER })
    const at = `/Users/${String(made.body['id'])}`
    const first = String(made.headers.get('etag'))
    const change = patch({ op: 'replace', path: 'title', value: 'Guide' })
    const changed = await scim.send('PATCH', at, { body: change, headers: { 'if-match': first } })
    const second = String(changed.headers.get('etag'))
    assert.deepEqual([changed.status, first === second], [200, false])
    for (const [method, body] of [
      ['PATCH', change],
      ['PUT', USER],
      ['DELETE', undefined],
    ] as const) {
      const stale = await scim.send(method, at, { body, headers: { 'if-match': first } })
      assert.equal(stale.status, 412, method)
    }
    const held = await scim.send('GET', at, { headers: { 'if-none-match': `W/"99", ${second}` } })
    assert.deepEqual([held.status, held.headers.get('etag')], [304, second])
    assert.equal((await scim.send('GET', at, { headers: { 'if-none-match': first } })).status, 200)
    assert.equal((await scim.send('DELETE', at, { headers: { 'if-match': '*' } })).status, 204)
  })
})

test('SCIM reaches only what it made: callers and groups of an operator cannot be seen, changed, joined or taken', async () => {
  await journey(async (story) => {
    const scim = await scimClient(story)
    await story.key('robot')
    const local = await story.json('caller', 'list')
    const robot = (local['callers'] as readonly Record<string, unknown>[]).find(
      ({ name }) => name === 'robot',
    )
    const id = String(robot?.['id'])
    assert.match(id, /^\w{8,}$/, 'the list says the id')
    assert.deepEqual(await scim.find('Users', 'userName eq "robot"'), [])
    assert.deepEqual(await scim.find('Users', `id eq "${id}"`), [])
    for (const [method, body] of [
      ['GET', undefined],
      ['PUT', { ...USER, active: false }],
      ['PATCH', patch({ op: 'replace', path: 'active', value: false })],
      ['DELETE', undefined],
    ] as const)
      await scim.expect(404, method, `/Users/${id}`, body)
    await scim.expect(409, 'POST', '/Users', { ...USER, userName: 'Robot' })

    const { id: groupId } = await scim.expect(201, 'POST', '/Groups', {
      schemas: [CORE_GROUP],
      displayName: 'team',
    })
    const join = patch({ op: 'add', path: 'members', value: [{ value: id }] })
    const refused = await scim.expect(400, 'PATCH', `/Groups/${String(groupId)}`, join)
    assert.equal(refused['scimType'], 'invalidValue')

    // One whom an operator puts into the group stays there, whatever SCIM does to the others.
    const ann = await scim.expect(201, 'POST', '/Users', USER)
    await scim.expect(
      204,
      'PATCH',
      `/Groups/${String(groupId)}`,
      patch({ op: 'add', path: 'members', value: [{ value: ann['id'] }] }),
    )
    await asOperator(story, '/admin/groups/add', { name: 'team', members: ['robot'] })
    await scim.expect(200, 'PUT', `/Groups/${String(groupId)}`, {
      schemas: [CORE_GROUP],
      displayName: 'team',
    })
    const shown = await asOperator(story, '/admin/groups/show?name=team')
    assert.match(shown, /robot/)
    assert.doesNotMatch(shown, /ann@example/)

    await asOperator(story, '/admin/groups', { name: 'admins' })
    await scim.expect(409, 'POST', '/Groups', { schemas: [CORE_GROUP], displayName: 'admins' })
    assert.deepEqual(await scim.find('Groups', 'displayName eq "admins"'), [])
  })
})

test('a token of SCIM does nothing else, and nothing else does SCIM', async () => {
  await journey(async (story) => {
    const scim = await scimClient(story)
    const { key } = await story.key('other')
    const other = new ScimClient(scim.base, key)
    const denied = await other.send('GET', '/Users')
    assert.deepEqual([denied.status, denied.body['status']], [403, '403'])
    assert.equal((await new ScimClient(scim.base, 'gate_live_x').send('GET', '/Users')).status, 401)
    const made = await story.json('scim', 'token', '--name', 'again')
    const headers = { authorization: `Bearer ${String(made['key'])}` }
    assert.equal((await fetch(`${story.door().door}/v1/models`, { headers })).status, 403)
    assert.equal((await fetch(`${story.door().admin}/admin/keys`, { headers })).status, 403)
    assert.equal((await fetch(`${story.door().door}/scim/v2/Users`, { headers })).status, 404)
  })
})

/** What the owner of the home does over its socket. */
async function asOperator({ home }: Journey, at: string, body?: object): Promise<string> {
  const method = body === undefined ? 'GET' : 'POST'
  return JSON.stringify(
    await askSocket({ socketPath: path.join(home, 'admin.sock'), method, path: at }, body),
  )
}
