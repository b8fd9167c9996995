import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { journey } from '../support/journey.ts'
import { CORE_GROUP, CORE_USER, ENTERPRISE_USER, patch, scimClient } from '../support/scim_client.ts'

/** Requests of the shapes that two large identity providers send, against a door that runs. */

test('Microsoft Entra ID keeps users and groups', async () => {
  await journey(async (story) => {
    const entra = await scimClient(story, 'entra')

    // Test connection: a user that cannot be there, looked for before anything is.
    assert.deepEqual(await entra.find('Users', `userName eq "${randomUUID()}"`), [])
    const none = await entra.expect(
      200,
      'GET',
      `/Users?filter=userName+eq+%22${randomUUID()}%22&aadOptscim062020`,
    )
    assert.equal(none['totalResults'], 0)
    assert.deepEqual(none['Resources'], [])

    const sent = {
      schemas: [CORE_USER, ENTERPRISE_USER],
      externalId: 'ann.ong',
      userName: 'Ann.Ong@example.com',
      active: true,
      emails: [{ primary: true, type: 'work', value: 'ann.ong@example.com' }],
      meta: { resourceType: 'User' },
      name: { formatted: 'Ann Ong', familyName: 'Ong', givenName: 'Ann' },
      roles: [],
      [ENTERPRISE_USER]: { employeeNumber: '701984', department: 'Sales' },
    }
    const made = await entra.send('POST', '/Users', { body: sent })
    assert.equal(made.status, 201)
    const id = String(made.body['id'])
    assert.equal(made.headers.get('location'), (made.body['meta'] as Record<string, unknown>)['location'])
    assert.match(String(made.headers.get('etag')), /^W\/"\d+"$/)
    assert.deepEqual(made.body['schemas'], [CORE_USER, ENTERPRISE_USER])
    assert.equal('roles' in made.body, false)

    // Cycles of provisioning: by userName, in whatever letter cases; a second create must not harm the first.
    const found = await entra.find('Users', 'userName eq "ANN.ong@EXAMPLE.com"')
    assert.deepEqual(found, [made.body])
    const again = await entra.send('POST', '/Users', {
      body: { schemas: [CORE_USER], userName: 'ann.ong@example.com', active: false },
    })
    assert.deepEqual([again.status, again.body['scimType'], again.body['status']], [409, 'uniqueness', '409'])
    assert.deepEqual(await entra.expect(200, 'GET', `/Users/${id}`), made.body)

    const changed = await entra.expect(
      200,
      'PATCH',
      `/Users/${id}`,
      patch(
        { op: 'Replace', path: 'emails[type eq "work"].value', value: 'a.ong@example.com' },
        { op: 'Replace', path: 'name.familyName', value: 'Ong-Lim' },
        { op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+65 1234' },
        { op: 'Add', path: `${ENTERPRISE_USER}:manager`, value: 'manager-1' },
        { op: 'Add', path: 'title', value: 'Lead' },
        { op: 'Remove', path: `${ENTERPRISE_USER}:employeeNumber` },
      ),
    )
    assert.deepEqual(changed['emails'], [{ primary: true, type: 'work', value: 'a.ong@example.com' }])
    assert.deepEqual(changed['name'], { formatted: 'Ann Ong', familyName: 'Ong-Lim', givenName: 'Ann' })
    assert.deepEqual(changed['phoneNumbers'], [{ type: 'mobile', value: '+65 1234' }])
    assert.deepEqual(changed[ENTERPRISE_USER], { department: 'Sales', manager: { value: 'manager-1' } })

    const renamed = await entra.expect(
      200,
      'PATCH',
      `/Users/${id}`,
      patch({ op: 'Replace', value: { userName: 'ann.lim@example.com', displayName: 'Ann Lim' } }),
    )
    assert.deepEqual([renamed['userName'], renamed['id']], ['ann.lim@example.com', id])

    const off = await entra.expect(
      200,
      'PATCH',
      `/Users/${id}`,
      patch({ op: 'Replace', path: 'active', value: 'False' }),
    )
    assert.equal(off['active'], false)
    const on = await entra.expect(
      200,
      'PATCH',
      `/Users/${id}`,
      patch({ op: 'Replace', path: 'active', value: 'True' }),
    )
    assert.equal(on['active'], true)

    // Groups: made empty, looked for without members, filled and emptied by PATCH.
    const group = await entra.expect(201, 'POST', '/Groups', {
      schemas: [CORE_GROUP, 'http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group'],
      externalId: randomUUID(),
      displayName: 'All Sales (EU)',
      meta: { resourceType: 'Group' },
    })
    const groupId = String(group['id'])
    const listed = await entra.find(
      'Groups',
      'displayName eq "all sales (eu)"',
      '&excludedAttributes=members',
    )
    assert.deepEqual(
      listed.map((each) => each['id']),
      [groupId],
    )
    const add = patch({ op: 'Add', path: 'members', value: [{ $ref: null, value: id }] })
    await entra.expect(204, 'PATCH', `/Groups/${groupId}`, add)
    await entra.expect(204, 'PATCH', `/Groups/${groupId}`, add)
    assert.equal(
      (await entra.find('Groups', `id eq "${groupId}" and members eq "${id}"`, '&attributes=id')).length,
      1,
    )
    const member = await entra.expect(200, 'GET', `/Users/${id}`)
    assert.deepEqual(
      (member['groups'] as readonly Record<string, unknown>[]).map(({ value, display }) => [value, display]),
      [[groupId, 'All Sales (EU)']],
    )
    const remove = patch({ op: 'Remove', path: 'members', value: [{ $ref: null, value: id }] })
    await entra.expect(204, 'PATCH', `/Groups/${groupId}`, remove)
    assert.equal((await entra.find('Groups', `id eq "${groupId}" and members eq "${id}"`)).length, 0)
    await entra.expect(204, 'PATCH', `/Groups/${groupId}`, remove)
    await entra.expect(
      204,
      'PATCH',
      `/Groups/${groupId}`,
      patch({ op: 'Replace', path: 'displayName', value: 'Sales' }),
    )
    const whole = await entra.expect(200, 'GET', `/Groups/${groupId}?excludedAttributes=members`)
    assert.equal(whole['displayName'], 'Sales')

    await entra.expect(204, 'DELETE', `/Groups/${groupId}`)
    await entra.expect(404, 'GET', `/Groups/${groupId}`)
    await entra.expect(204, 'DELETE', `/Users/${id}`)
    await entra.expect(404, 'DELETE', `/Users/${id}`)
    await entra.expect(201, 'POST', '/Users', { schemas: [CORE_USER], userName: 'ann.lim@example.com' })
  })
})

test('Okta keeps users and groups', async () => {
  await journey(async (story) => {
    const okta = await scimClient(story, 'okta')

    const config = await okta.expect(200, 'GET', '/ServiceProviderConfig')
    assert.deepEqual(
      ['patch', 'bulk', 'filter', 'sort', 'etag', 'changePassword'].map(
        (name) => (config[name] as Record<string, unknown>)['supported'],
      ),
      [true, false, true, true, true, false],
    )
    const probe = await okta.expect(200, 'GET', '/Users?startIndex=1&count=2')
    assert.deepEqual([probe['totalResults'], probe['itemsPerPage']], [0, 0])
    await okta.expect(200, 'GET', '/Groups?startIndex=1&count=100')

    assert.deepEqual(
      await okta.find('Users', 'userName eq "test.user@okta.local"', '&startIndex=1&count=100'),
      [],
    )
    const sent = {
      schemas: [CORE_USER],
      userName: 'test.user@okta.local',
      name: { givenName: 'Test', familyName: 'User' },
      emails: [{ primary: true, value: 'test.user@okta.local', type: 'work' }],
      displayName: 'Test User',
      locale: 'en-US',
      externalId: '00ujl29u0le5T6Aj10h7',
      groups: [],
      password: '1mz050nq',
      active: true,
    }
    const made = await okta.expect(201, 'POST', '/Users', sent)
    const id = String(made['id'])
    assert.equal(JSON.stringify(made).includes('1mz050nq'), false)
    assert.equal('password' in made, false)

    // The whole resource, as it was read, with one change; the same again changes nothing.
    const read = await okta.send('GET', `/Users/${id}`)
    const wanted = { ...read.body, name: { givenName: 'Another', familyName: 'User' }, title: 'Guide' }
    const put = await okta.send('PUT', `/Users/${id}`, { body: wanted })
    assert.equal(put.status, 200)
    assert.notEqual(put.headers.get('etag'), read.headers.get('etag'))
    const same = await okta.send('PUT', `/Users/${id}`, { body: put.body })
    assert.deepEqual(
      [same.status, same.headers.get('etag'), same.body],
      [200, put.headers.get('etag'), put.body],
    )
    const { title: _title, ...without } = put.body
    assert.equal('title' in (await okta.expect(200, 'PUT', `/Users/${id}`, without)), false)

    const off = await okta.expect(
      200,
      'PATCH',
      `/Users/${id}`,
      patch({ op: 'replace', value: { active: false } }),
    )
    assert.equal(off['active'], false)
    const { active: _active, ...silent } = off
    assert.equal(
      (await okta.expect(200, 'PUT', `/Users/${id}`, silent))['active'],
      false,
      'an omission lets nobody in',
    )
    const on = await okta.expect(200, 'PUT', `/Users/${id}`, { ...silent, active: true })
    assert.equal(on['active'], true)

    const more = await Promise.all(
      ['b', 'c', 'd'].map(async (name) =>
        okta.expect(201, 'POST', '/Users', { schemas: [CORE_USER], userName: `${name}@okta.local` }),
      ),
    )
    const ids = more.map((each) => String(each['id']))
    const group = await okta.expect(201, 'POST', '/Groups', {
      schemas: [CORE_GROUP],
      displayName: 'Test SCIMv2',
      members: [{ value: id, display: 'test.user@okta.local' }],
    })
    const groupId = String(group['id'])
    const memberIds = async (): Promise<readonly string[]> => {
      const { members = [] } = await okta.expect(200, 'GET', `/Groups/${groupId}`)
      return (members as readonly Record<string, unknown>[]).map(({ value }) => String(value)).sort()
    }
    await okta.expect(
      204,
      'PATCH',
      `/Groups/${groupId}`,
      patch(
        { op: 'remove', path: `members[value eq "${id}"]` },
        {
          op: 'add',
          path: 'members',
          value: [{ value: ids[0], display: 'b@okta.local' }, { value: ids[1] }],
        },
      ),
    )
    assert.deepEqual(await memberIds(), ids.slice(0, 2).sort())
    await okta.expect(
      204,
      'PATCH',
      `/Groups/${groupId}`,
      patch({ op: 'replace', value: { id: groupId, displayName: 'Renamed' } }),
    )
    await okta.expect(
      204,
      'PATCH',
      `/Groups/${groupId}`,
      patch({ op: 'replace', path: 'members', value: [{ value: ids[2] }] }),
    )
    assert.deepEqual(await memberIds(), [ids[2]])
    const replaced = await okta.expect(200, 'PUT', `/Groups/${groupId}`, {
      schemas: [CORE_GROUP],
      id: groupId,
      displayName: 'Renamed',
      members: [{ value: ids[0] }, { value: id }],
    })
    assert.equal(replaced['displayName'], 'Renamed')
    assert.deepEqual(await memberIds(), [String(ids[0]), id].sort())
    await okta.expect(200, 'PUT', `/Groups/${groupId}`, {
      schemas: [CORE_GROUP],
      displayName: 'Renamed',
      members: [],
    })
    assert.deepEqual(await memberIds(), [])

    // Everybody, page by page.
    const seen: unknown[] = []
    for (let startIndex = 1; ;) {
      const page = await okta.expect(200, 'GET', `/Users?startIndex=${startIndex}&count=3&sortBy=userName`)
      assert.equal(page['totalResults'], 4)
      const users = page['Resources'] as readonly Record<string, unknown>[]
      if (users.length === 0) break
      seen.push(...users.map(({ userName }) => userName))
      startIndex += users.length
    }
    assert.deepEqual(seen, ['b@okta.local', 'c@okta.local', 'd@okta.local', 'test.user@okta.local'])
    await okta.expect(204, 'DELETE', `/Groups/${groupId}`)
  })
})
