import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { printRef } from '#base/decider.ts'
import { LIMITS } from '#base/limits.ts'
import { assertFrozen } from '../../../test/support/assert_frozen.ts'
import { DirectoryScene } from '../../../test/support/directory_scene.ts'
import type { CallerFacts, Change, ChangeRecord, Directory, TokenUser } from './directory.ts'

function drawn({ entities }: CallerFacts): readonly string[] {
  return entities.map(({ ref, parents }) => `${printRef(ref)} in ${parents.map(printRef).join(' ')}`)
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'done'
  } catch (thrown) {
    return String((thrown as { readonly code?: unknown }).code)
  }
}

suite('directory', () => {
  test('factsOf says all that a caller is in, and only what is inherited of spaces', (t) => {
    const scene = new DirectoryScene(t)
    const { directory } = scene
    directory.createTenant('acme').make()
    directory.createSpace({ name: 'top', tenant: 'acme' }).make()
    directory.createSpace({ name: 'middle', parent: 'top', inherits: true }).make()
    directory.createSpace({ name: 'low', parent: 'middle' }).make()
    const [staff, lab] = [scene.group('staff'), scene.group('lab')]
    directory.nest(lab, staff).make()
    directory.giveRole(staff, 'reader').make()
    const ann = scene.user('ann@example.org')
    directory.addMembers(lab, [ann]).make()
    directory.giveRole(ann, 'author').make()
    directory.setSpace(ann, 'middle').make()
    const facts = directory.factsOf(ann)
    assert.deepEqual(drawn(facts), [
      'User::"ann@example.org" in Space::"middle" Group::"lab" Role::"author"',
      'Group::"lab" in Group::"staff"',
      'Group::"staff" in Role::"reader"',
      'Role::"reader" in ',
      'Role::"author" in ',
      'Space::"middle" in Tenant::"acme" Space::"top"',
      'Space::"top" in Tenant::"acme"',
      'Tenant::"acme" in ',
    ])
    assert.equal(facts.space, 'middle')
    assertFrozen(facts)
    assert.equal(directory.factsOf(ann), facts, 'worked out once')
    directory.setSpace(ann, 'low').make()
    assert.deepEqual(drawn(directory.factsOf(ann)).slice(-2), [
      'Space::"low" in Tenant::"acme"',
      'Tenant::"acme" in ',
    ])
  })

  test('factsOf shares what is said of groups and spaces among all that are in them', (t) => {
    const scene = new DirectoryScene(t)
    const staff = scene.group('staff')
    const [ann, ben] = [scene.user('ann'), scene.user('ben')]
    scene.directory.addMembers(staff, [ann, ben]).make()
    const [, ...ofAnn] = scene.directory.factsOf(ann).entities
    const [, ...ofBen] = scene.directory.factsOf(ben).entities
    assert.ok(ofAnn.length === 3 && ofAnn.every((facts, at) => facts === ofBen[at]))
  })

  const CHANGES: readonly (readonly [
    why: string,
    seen: 'changed' | 'same',
    change: (scene: DirectoryScene) => Change<unknown>,
  ])[] = [
    ['it is disabled', 'changed', ({ directory }) => directory.setActive(ann(directory), false)],
    [
      'it is put into a group',
      'changed',
      ({ directory }) => directory.addMembers(group(directory), [ann(directory)]),
    ],
    ['it gets a role', 'changed', ({ directory }) => directory.giveRole(ann(directory), 'r')],
    ['a group gets a role', 'changed', ({ directory }) => directory.giveRole(group(directory), 'r')],
    [
      'a group is renamed',
      'changed',
      ({ directory }) => directory.changeGroup(group(directory), { display: 'x' }),
    ],
    ['a group is deleted', 'changed', ({ directory }) => directory.deleteGroup(group(directory))],
    ['it is in another space', 'changed', ({ directory }) => directory.setSpace(ann(directory), 'lab')],
    [
      'a space inherits',
      'changed',
      ({ directory }) => directory.changeSpace(space(directory), { parent: 'default', inherits: true }),
    ],
    [
      'it gets limits',
      'changed',
      ({ directory }) => directory.setLimits({ type: 'User', id: 'ann' }, { a: 1 }),
    ],
    [
      'it has another name',
      'changed',
      ({ directory }) => directory.changeUser(ann(directory), { name: 'anna' }),
    ],
    ['it is deleted', 'changed', ({ directory }) => directory.deleteCaller(ann(directory))],
    [
      'another one is put into a group',
      'same',
      ({ directory }) => directory.addMembers(group(directory), [directory.find('ben') ?? ann(directory)]),
    ],
    ['a group is made', 'same', ({ directory }) => directory.createGroup({ display: 'new' })],
    [
      'another one is made',
      'same',
      ({ directory }) => directory.createCaller({ name: 'cem', kind: 'User', createdBy: 'test' }),
    ],
  ]
  const ann = (directory: Directory) => directory.find('ann') ?? assert.fail()
  const group = (directory: Directory) => directory.findGroup('staff') ?? assert.fail()
  const space = (directory: Directory) => directory.findSpace('lab') ?? assert.fail()

  for (const [why, seen, change] of CHANGES)
    test(`epochOf is ${seen === 'same' ? 'the same' : 'another one'}: ${why}`, (t) => {
      const scene = new DirectoryScene(t)
      scene.user('ann')
      scene.user('ben')
      scene.group('staff')
      scene.space('lab')
      const before = scene.directory.epochOf('ann')
      change(scene).make()
      assert.equal(scene.directory.epochOf('ann') === before, seen === 'same')
    })

  test('epochOf of a name that nobody has changes when somebody gets it, or one like it', (t) => {
    const scene = new DirectoryScene(t)
    for (const [asked, made] of [
      ['dora', 'dora'],
      ['EVE', 'eve'],
    ] as const) {
      const before = scene.directory.epochOf(asked)
      scene.user(made)
      assert.notEqual(scene.directory.epochOf(asked), before)
    }
  })

  const TOKENS: readonly (readonly [why: string, user: TokenUser, expected: string | readonly string[]])[] = [
    [
      'a user whom nobody knows, with a group that is known and one that is not',
      { name: 'zoe', groups: ['lab', 'others'], roles: ['guest'] },
      [
        'User::"zoe" in Space::"default" Group::"lab" Group::"others" Role::"guest"',
        'Group::"lab" in Group::"staff"',
        'Group::"staff" in Role::"reader"',
        'Role::"reader" in ',
        'Group::"others" in ',
        'Role::"guest" in ',
        'Space::"default" in Tenant::"default"',
        'Tenant::"default" in ',
      ],
    ],
    [
      'a known user, with what the token adds',
      { name: 'ann', groups: ['staff'], roles: ['reader'], tenant: 'default' },
      [
        'User::"ann" in Space::"default" Group::"lab" Group::"staff" Role::"reader"',
        'Group::"lab" in Group::"staff"',
        'Group::"staff" in Role::"reader"',
        'Role::"reader" in ',
        'Space::"default" in Tenant::"default"',
        'Tenant::"default" in ',
      ],
    ],
    ['one who is disabled', { name: 'off' }, 'caller.disabled'],
    ['the name of a service', { name: 'batch' }, 'caller.service'],
    ['a name that looks like another', { name: 'ANN' }, 'caller.alike'],
    ['a name with a space', { name: 'a b' }, 'caller.malformed'],
    ['no name', { name: '' }, 'caller.malformed'],
    ['a group that is no name', { name: 'zoe', groups: ['/lab'] }, 'group.malformed'],
    ['a role that is no name', { name: 'zoe', roles: ['a b'] }, 'role.malformed'],
    ['a space that is not there', { name: 'zoe', space: 'nowhere' }, 'space.unknown'],
    ['another space than the directory says', { name: 'ann', space: 'beside' }, 'space.other'],
    ['a tenant that is not the one of the space', { name: 'zoe', tenant: 'acme' }, 'tenant.other'],
    [
      'too many groups',
      { name: 'zoe', groups: Array.from({ length: 1_001 }, (_, at) => `g${at}`) },
      'group.malformed',
    ],
  ]

  for (const [why, user, expected] of TOKENS)
    test(`factsFor ${typeof expected === 'string' ? 'refuses' : 'gives frozen facts'}: ${why}`, (t) => {
      const scene = new DirectoryScene(t)
      const { directory } = scene
      const [staff, lab] = [scene.group('staff'), scene.group('lab')]
      directory.nest(lab, staff).make()
      directory.giveRole(staff, 'reader').make()
      directory.addMembers(lab, [scene.user('ann')]).make()
      directory.setActive(scene.user('off'), false).make()
      scene.service('batch')
      scene.space('beside')
      const found = directory.factsFor(user)
      if (found.kind === 'refused') return assert.equal(found.reason, expected)
      assert.deepEqual(drawn(found.facts), expected)
      assertFrozen(found.facts)
      assert.equal(found.known, directory.find(user.name))
    })

  test('factsFor gives a known user the very facts of the directory where the token adds nothing', (t) => {
    const scene = new DirectoryScene(t)
    const ann = scene.user('ann')
    const found = scene.directory.factsFor({ name: 'ann' })
    assert.ok(found.kind === 'facts' && found.facts === scene.directory.factsOf(ann))
  })

  test('a deleted caller is nobody: keys revoked, groups left, name free for one with another id', (t) => {
    const scene = new DirectoryScene(t)
    const { directory, callers } = scene
    const { key, kid } = callers.createKey({ name: 'demo', createdBy: 'test' })
    const demo = directory.find('demo') ?? assert.fail()
    const staff = scene.group('staff')
    directory.addMembers(staff, [demo]).make()
    const { version } = staff
    directory.deleteCaller(demo).make()
    assert.ok(staff.version > version, 'members are part of a group')
    const prove = () => callers.authenticate({ kind: 'bearer', token: key }, '127.0.0.1')
    assert.throws(prove, { code: 'caller.unknown', detail: { reason: 'key.revoked', kid } })
    const again = scene.service('demo')
    assert.notEqual(again.id, demo.id)
    assert.throws(prove, { detail: { reason: 'key.revoked', kid } }, 'the new one has no part in it')
    for (const { directory: each, ...rest } of [callers, scene.again()]) {
      assert.equal(each.findById(demo.id), undefined)
      assert.equal(each.find('demo')?.id, again.id)
      assert.equal(each.findGroup('staff')?.members.size, 0)
      assert.ok(rest)
    }
    assert.equal(scene.again().listKeys().items[0]?.state, 'revoked')
    assert.equal(
      codeOf(() => directory.setActive(demo, true)),
      'caller.missing',
    )
  })

  test('changeUser renames a user with all that it has; a service keeps its name', (t) => {
    const scene = new DirectoryScene(t)
    const { directory } = scene
    const ann = scene.user('ann')
    const staff = scene.group('staff')
    directory.addMembers(staff, [ann]).make()
    directory.changeUser(ann, { name: 'anna', externalId: 'e1', profile: { title: 'Dr' } }).make()
    for (const each of [directory, scene.again().directory]) {
      assert.equal(each.find('ann'), undefined)
      const found = each.find('anna')
      assert.deepEqual([found?.id, found?.version, found?.profile], [ann.id, 2, { title: 'Dr' }])
      assert.equal(each.findByExternalId('e1'), found)
      assert.deepEqual(
        [...(found?.groups ?? [])].map(({ name }) => name),
        ['staff'],
      )
    }
    assert.equal(
      codeOf(() => directory.changeUser(scene.service('batch'), { name: 'new' })),
      'directory.conflicting',
    )
    assert.equal(
      codeOf(() => directory.changeUser(ann, { name: 'Batch' })),
      'resource.conflicting',
    )
    assert.equal(
      codeOf(() => directory.changeUser(ann, { name: 'ANNA' })),
      'done',
      'its own name, spelled otherwise',
    )
  })

  test('groups hold their form: names, cycles, depth, members', (t) => {
    const scene = new DirectoryScene(t)
    const { directory } = scene
    const chain = Array.from({ length: LIMITS.belongingDepth }, (_, at) => scene.group(`g${at}`))
    for (const [at, group] of chain.entries()) directory.nest(group, chain[at - 1]).make()
    const [top, last] = [chain[0] ?? assert.fail(), chain.at(-1) ?? assert.fail()]
    const more = scene.group('more')
    const rows: readonly (readonly [why: string, change: () => unknown, code: string])[] = [
      ['in itself', () => directory.nest(top, top), 'directory.conflicting'],
      ['in one that is in it', () => directory.nest(top, last), 'directory.conflicting'],
      ['too deep', () => directory.nest(more, last), 'directory.conflicting'],
      ['above too much', () => directory.nest(top, more), 'directory.conflicting'],
      ['as deep as it may be', () => directory.nest(more, chain.at(-2)), 'done'],
      ['a name that is taken', () => directory.createGroup({ display: 'more' }), 'resource.conflicting'],
      [
        'a display that comes to a name that is taken',
        () => directory.createGroup({ display: ' more!' }),
        'resource.conflicting',
      ],
      ['nothing of a name', () => directory.createGroup({ display: '…' }), 'input.invalid'],
      ['control characters', () => directory.createGroup({ display: 'a\u0007b' }), 'input.invalid'],
      ['a role that is no name', () => directory.giveRole(more, 'a b'), 'input.invalid'],
    ]
    for (const [why, change, code] of rows) assert.equal(codeOf(change), code, why)
    const named = directory.createGroup({ display: 'ML Engineers (EU)' }).make()
    assert.deepEqual([named.name, named.display], ['ML-Engineers-EU', 'ML Engineers (EU)'])
    directory.deleteGroup(top).make()
    assert.equal(scene.again().directory.findGroup('g1')?.parent, undefined)
  })

  test('spaces hold their form: tenants, parents, inheritance, depth', (t) => {
    const scene = new DirectoryScene(t)
    const { directory } = scene
    directory.createTenant('acme').make()
    directory.createSpace({ name: 'theirs', tenant: 'acme' }).make()
    const lab = scene.space('lab', 'default')
    const rows: readonly (readonly [why: string, change: () => unknown, code: string])[] = [
      [
        'nothing to inherit',
        () => directory.createSpace({ name: 'x', inherits: true }),
        'directory.conflicting',
      ],
      [
        'a parent of another tenant',
        () => directory.changeSpace(lab, { parent: 'theirs' }),
        'directory.conflicting',
      ],
      ['itself', () => directory.changeSpace(lab, { parent: 'lab' }), 'directory.conflicting'],
      [
        'a cycle',
        () => directory.changeSpace(directory.findSpace('default') ?? lab, { parent: 'lab' }),
        'directory.conflicting',
      ],
      ['no such parent', () => directory.changeSpace(lab, { parent: 'x' }), 'space.missing'],
      ['no such tenant', () => directory.createSpace({ name: 'x', tenant: 'x' }), 'tenant.missing'],
      ['a name that is taken', () => directory.createSpace({ name: 'lab' }), 'resource.conflicting'],
      ['a name in capitals', () => directory.createSpace({ name: 'Lab' }), 'input.invalid'],
      ['a tenant that is there', () => directory.createTenant('acme'), 'resource.conflicting'],
    ]
    for (const [why, change, code] of rows) assert.equal(codeOf(change), code, why)
    directory.changeSpace(lab, { parent: undefined }).make()
    assert.deepEqual([lab.parent, lab.inherits], [undefined, false], 'who has no parent inherits nothing')
  })

  test('limits of a caller hold: groups and roles', (t) => {
    const scene = new DirectoryScene(t)
    const { directory } = scene
    const ann = scene.user('ann')
    for (let at = 0; at < LIMITS.rolesPerCaller; at += 1) directory.giveRole(ann, `r${at}`).make()
    assert.equal(
      codeOf(() => directory.giveRole(ann, 'one-more')),
      'directory.conflicting',
    )
    assert.equal(
      codeOf(() => directory.giveRole(ann, 'r7').make()),
      'done',
      'what it has already',
    )
    const profile = { text: 'x'.repeat(LIMITS.keptObjectCharacters) }
    assert.equal(
      codeOf(() => directory.changeUser(ann, { profile })),
      'input.invalid',
    )
  })

  test('records of many members are many: an entry of the ledger keeps the names of a bounded number', (t) => {
    const scene = new DirectoryScene(t)
    const staff = scene.group('staff')
    const users = Array.from({ length: LIMITS.membersPerEntry + 1 }, (_, at) => scene.user(`u${at}`))
    const { records } = scene.directory.setMembers(staff, users)
    assert.deepEqual(
      records.map(({ what, fields }) => [what, (fields['names'] as readonly string[]).length]),
      [
        ['group:add', LIMITS.membersPerEntry],
        ['group:add', 1],
      ],
    )
    assert.deepEqual(scene.directory.addMembers(staff, []).records, [])
  })

  test('carryOut makes one change after the other, and none that cannot be recorded', async (t) => {
    const scene = new DirectoryScene(t)
    const { directory } = scene
    const told: string[] = []
    const record = async ({ what, fields }: ChangeRecord): Promise<void> => {
      const { name } = fields
      assert.ok(typeof name === 'string')
      told.push(`${what} ${name}`)
      assert.equal(directory.find(name), undefined, 'first on record')
      await new Promise((resolve) => void setImmediate(resolve))
    }
    const make = async (name: string) =>
      directory.carryOut(record, () => directory.createCaller({ name, kind: 'User', createdBy: 'test' }))
    const results = await Promise.allSettled([make('ann'), make('ANN'), make('ben')])
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected', 'fulfilled'],
    )
    assert.deepEqual(told, ['caller:create ann', 'caller:create ben'])
    const refuse = async () => Promise.reject(new Error('full'))
    await assert.rejects(directory.carryOut(refuse, () => directory.createTenant('acme')))
    assert.equal(directory.findTenant('acme'), undefined)
  })
})
