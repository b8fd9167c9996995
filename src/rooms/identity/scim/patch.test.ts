import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { reasonOf } from '../../../../test/support/fault_reason.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { MEMBERS } from './group_attributes.ts'
import { MemberList } from './member_list.ts'
import { applyPatch } from './patch.ts'
import { readOperations } from './patch_request.ts'
import { readResource } from './read_value.ts'
import { GROUP, USER } from './resource_type.ts'

const SEED = 20_261_122
const CORE = 'urn:ietf:params:scim:schemas:core:2.0:User'
const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

const WORK = { value: 'w@example.com', type: 'work', primary: true }
const HOME = { value: 'h@example.com', type: 'home' }
const USER_BEFORE: JsonObject = {
  userName: 'bj@example.com',
  active: true,
  name: { givenName: 'Barbara', familyName: 'Jensen' },
  emails: [WORK, HOME],
  [ENTERPRISE]: { department: 'Tours', manager: { value: 'm-1' } },
}

function patched(operations: JsonValue, before = USER_BEFORE): JsonObject {
  const body = { schemas: [PATCH_OP], Operations: operations }
  return applyPatch({ type: USER, resource: before }, readOperations(body))
}

const { emails: _emails, ...WITHOUT_EMAILS } = USER_BEFORE

const CASES: readonly (readonly [why: string, operations: JsonValue, after: JsonObject])[] = [
  ['add a text', [{ op: 'add', path: 'title', value: 'Guide' }], { ...USER_BEFORE, title: 'Guide' }],
  [
    'op and path in any case',
    [{ OP: 'Add', Path: 'TITLE', Value: 'Guide' }],
    { ...USER_BEFORE, title: 'Guide' },
  ],
  [
    'replace what is not there',
    [{ op: 'replace', path: 'title', value: 'x' }],
    { ...USER_BEFORE, title: 'x' },
  ],
  [
    'a part',
    [{ op: 'replace', path: 'name.familyName', value: 'J.' }],
    { ...USER_BEFORE, name: { givenName: 'Barbara', familyName: 'J.' } },
  ],
  [
    'parts that are not named stay',
    [{ op: 'replace', path: 'name', value: { familyName: 'J.', honorificPrefix: 'Dr.' } }],
    { ...USER_BEFORE, name: { givenName: 'Barbara', familyName: 'J.', honorificPrefix: 'Dr.' } },
  ],
  [
    'a part that is null goes',
    [{ op: 'replace', path: 'name', value: { familyName: null } }],
    { ...USER_BEFORE, name: { givenName: 'Barbara' } },
  ],
  [
    'without a path',
    [{ op: 'replace', value: { active: false, name: { familyName: 'J.' } } }],
    { ...USER_BEFORE, active: false, name: { givenName: 'Barbara', familyName: 'J.' } },
  ],
  [
    'without a path: names that are paths, as Entra sends them',
    [{ op: 'Add', value: { 'name.familyName': 'J.', [`${ENTERPRISE}:department`]: 'Sales', TITLE: 'x' } }],
    {
      ...USER_BEFORE,
      name: { givenName: 'Barbara', familyName: 'J.' },
      title: 'x',
      [ENTERPRISE]: { department: 'Sales', manager: { value: 'm-1' } },
    },
  ],
  [
    'without a path: what is not kept and what only we set is left out',
    [{ op: 'replace', value: { id: 'x', password: 'secret', nobody: 1, schemas: [], meta: {}, title: 'x' } }],
    { ...USER_BEFORE, title: 'x' },
  ],
  [
    'disable, as Entra sends it',
    [{ op: 'Replace', path: 'active', value: 'False' }],
    { ...USER_BEFORE, active: false },
  ],
  [
    'disable, as Okta sends it',
    [{ op: 'replace', value: { active: false } }],
    { ...USER_BEFORE, active: false },
  ],
  [
    'disable, a text in an object',
    [{ op: 'replace', value: { active: 'FALSE' } }],
    { ...USER_BEFORE, active: false },
  ],
  ['enable again', [{ op: 'Replace', path: 'active', value: 'true' }], USER_BEFORE],
  [
    'remove a text',
    [
      { op: 'add', path: 'title', value: 'x' },
      { op: 'remove', path: 'title' },
    ],
    USER_BEFORE,
  ],
  ['remove what is not there', [{ op: 'remove', path: 'title' }], USER_BEFORE],
  [
    'null takes away',
    [{ op: 'replace', path: 'name.givenName', value: null }],
    { ...USER_BEFORE, name: { familyName: 'Jensen' } },
  ],
  [
    'the last part takes the whole away',
    [
      { op: 'remove', path: 'name.givenName' },
      { op: 'remove', path: 'name.familyName' },
    ],
    Object.fromEntries(Object.entries(USER_BEFORE).filter(([name]) => name !== 'name')),
  ],
  [
    'add a value',
    [{ op: 'add', path: 'emails', value: [{ value: 'x@example.com', type: 'other' }] }],
    { ...USER_BEFORE, emails: [WORK, HOME, { value: 'x@example.com', type: 'other' }] },
  ],
  [
    'add a value that is there: once, with what is new',
    [{ op: 'add', path: 'emails', value: { value: 'h@example.com', type: 'HOME', display: 'H' } }],
    { ...USER_BEFORE, emails: [WORK, { ...HOME, type: 'HOME', display: 'H' }] },
  ],
  [
    'a new primary one makes the old one an ordinary one',
    [{ op: 'add', path: 'emails', value: [{ value: 'x@example.com', primary: 'True' }] }],
    {
      ...USER_BEFORE,
      emails: [{ ...WORK, primary: false }, HOME, { value: 'x@example.com', primary: true }],
    },
  ],
  [
    'make another one primary',
    [{ op: 'replace', path: 'emails[type eq "home"].primary', value: true }],
    {
      ...USER_BEFORE,
      emails: [
        { ...WORK, primary: false },
        { ...HOME, primary: true },
      ],
    },
  ],
  [
    'replace all values',
    [{ op: 'replace', path: 'emails', value: [HOME] }],
    { ...USER_BEFORE, emails: [HOME] },
  ],
  ['replace all with nothing', [{ op: 'replace', path: 'emails', value: [] }], WITHOUT_EMAILS],
  [
    'replace a part of one value',
    [{ op: 'Replace', path: 'emails[type eq "work"].value', value: 'n@example.com' }],
    { ...USER_BEFORE, emails: [{ ...WORK, value: 'n@example.com' }, HOME] },
  ],
  [
    'replace one value: other parts stay',
    [{ op: 'replace', path: 'emails[type eq "work"]', value: { value: 'n@example.com' } }],
    { ...USER_BEFORE, emails: [{ ...WORK, value: 'n@example.com' }, HOME] },
  ],
  [
    'add a part of a value that is not there: it is made, as Entra wants it',
    [{ op: 'Add', path: 'phoneNumbers[type eq "mobile"].value', value: '+1' }],
    { ...USER_BEFORE, phoneNumbers: [{ type: 'mobile', value: '+1' }] },
  ],
  [
    'add parts of a value that is not there, one after the other',
    [
      { op: 'Add', path: 'addresses[type eq "work"].locality', value: 'Bonn' },
      { op: 'Add', path: 'addresses[type eq "work"].country', value: 'DE' },
    ],
    { ...USER_BEFORE, addresses: [{ type: 'work', locality: 'Bonn', country: 'DE' }] },
  ],
  [
    'remove one value',
    [{ op: 'remove', path: 'emails[type eq "home"]' }],
    { ...USER_BEFORE, emails: [WORK] },
  ],
  [
    'remove its only part',
    [{ op: 'remove', path: 'emails[type eq "home"].value' }],
    { ...USER_BEFORE, emails: [WORK] },
  ],
  ['remove all values', [{ op: 'remove', path: 'emails' }], WITHOUT_EMAILS],
  [
    'remove values that are named, as Entra does for members',
    [{ op: 'Remove', path: 'emails', value: [{ value: 'h@example.com' }] }],
    { ...USER_BEFORE, emails: [WORK] },
  ],
  ['remove no value of those that are named', [{ op: 'remove', path: 'emails', value: [] }], USER_BEFORE],
  ['remove what no value matches', [{ op: 'remove', path: 'emails[type eq "fax"]' }], USER_BEFORE],
  [
    'an attribute of an extension',
    [{ op: 'add', path: `${ENTERPRISE}:costCenter`, value: '7' }],
    { ...USER_BEFORE, [ENTERPRISE]: { department: 'Tours', manager: { value: 'm-1' }, costCenter: '7' } },
  ],
  [
    'the manager as a text, as Entra sends it',
    [{ op: 'Add', path: `${ENTERPRISE}:manager`, value: 'm-2' }],
    { ...USER_BEFORE, [ENTERPRISE]: { department: 'Tours', manager: { value: 'm-2' } } },
  ],
  [
    'a whole extension: what is not named stays',
    [{ op: 'replace', value: { [ENTERPRISE]: { department: 'Sales' } } }],
    { ...USER_BEFORE, [ENTERPRISE]: { department: 'Sales', manager: { value: 'm-1' } } },
  ],
  [
    'remove a whole extension',
    [{ op: 'remove', path: ENTERPRISE }],
    Object.fromEntries(Object.entries(USER_BEFORE).filter(([name]) => name !== ENTERPRISE)),
  ],
  [
    'the core schema in front',
    [{ op: 'add', path: `${CORE}:title`, value: 'x' }],
    { ...USER_BEFORE, title: 'x' },
  ],
]

for (const [why, operations, after] of CASES) {
  test(`applyPatch does what an operation says: ${why}`, () => {
    const before = canonicalJson(USER_BEFORE)
    assert.equal(canonicalJson(patched(operations)), canonicalJson(after))
    assert.equal(canonicalJson(USER_BEFORE), before, 'the resource before stays as it is')
  })
}

const REFUSALS: readonly (readonly [why: string, operations: JsonValue, reason: string])[] = [
  ['no operations', [], 'invalidSyntax'],
  ['no list', { op: 'add' }, 'invalidSyntax'],
  ['no object', ['add'], 'invalidSyntax'],
  ['no op', [{ path: 'title', value: 'x' }], 'invalidSyntax'],
  ['another op', [{ op: 'move', path: 'title', value: 'x' }], 'invalidSyntax'],
  ['an op twice', [{ op: 'add', OP: 'remove', path: 'title', value: 'x' }], 'invalidSyntax'],
  ['too many', Array.from({ length: 1_001 }, () => ({ op: 'remove', path: 'title' })), 'invalidSyntax'],
  ['a path that is none', [{ op: 'add', path: 'a b', value: 'x' }], 'invalidPath'],
  ['a path that is no text', [{ op: 'add', path: 1, value: 'x' }], 'invalidPath'],
  ['an attribute that is not kept', [{ op: 'add', path: 'nobody', value: 'x' }], 'invalidPath'],
  ['a password', [{ op: 'add', path: 'password', value: 'x' }], 'invalidPath'],
  ['roles, which open nothing', [{ op: 'add', path: 'roles', value: [{ value: 'admin' }] }], 'invalidPath'],
  ['another schema', [{ op: 'add', path: 'urn:x:y:title', value: 'x' }], 'invalidPath'],
  ['brackets on one value', [{ op: 'add', path: 'name[givenName eq "x"]', value: {} }], 'invalidPath'],
  ['the id', [{ op: 'replace', path: 'id', value: 'x' }], 'mutability'],
  ['the version', [{ op: 'replace', path: 'meta.version', value: 'x' }], 'mutability'],
  ['the groups', [{ op: 'add', path: 'groups', value: [{ value: 'x' }] }], 'mutability'],
  ['remove the userName', [{ op: 'remove', path: 'userName' }], 'mutability'],
  ['a userName of null', [{ op: 'replace', value: { userName: null } }], 'mutability'],
  ['remove active: nobody is let in by an omission', [{ op: 'remove', path: 'active' }], 'mutability'],
  ['remove nothing', [{ op: 'remove' }], 'noTarget'],
  [
    'replace a value that is not there',
    [{ op: 'replace', path: 'emails[type eq "fax"].value', value: 'x' }],
    'noTarget',
  ],
  [
    'replace a whole value that is not there',
    [{ op: 'replace', path: 'emails[type eq "fax"]', value: {} }],
    'noTarget',
  ],
  [
    'add to a value that cannot be made',
    [{ op: 'add', path: 'emails[type co "fax"].value', value: 'x' }],
    'noTarget',
  ],
  ['no value', [{ op: 'add', path: 'title' }], 'invalidValue'],
  ['no path and no object', [{ op: 'replace', value: 'x' }], 'invalidValue'],
  ['neither true nor false', [{ op: 'replace', path: 'active', value: 'maybe' }], 'invalidValue'],
  ['a number for a text', [{ op: 'replace', path: 'title', value: 1 }], 'invalidValue'],
  ['a list for a text', [{ op: 'replace', path: 'title', value: ['x'] }], 'invalidValue'],
  ['a text for parts', [{ op: 'replace', path: 'name', value: 'x' }], 'invalidValue'],
  ['a long text', [{ op: 'replace', path: 'title', value: 'x'.repeat(1_025) }], 'invalidValue'],
  ['a control character', [{ op: 'replace', path: 'title', value: '\u001b[2J' }], 'invalidValue'],
  [
    'two primary ones',
    [
      {
        op: 'replace',
        path: 'emails',
        value: [
          { value: 'a', primary: true },
          { value: 'b', primary: true },
        ],
      },
    ],
    'invalidValue',
  ],
  [
    'too many values',
    [{ op: 'add', path: 'emails', value: Array.from({ length: 65 }, (_, at) => ({ value: String(at) })) }],
    'invalidValue',
  ],
  [
    'the second of two: the first is not made either',
    [
      { op: 'replace', path: 'title', value: 'x' },
      { op: 'remove', path: 'userName' },
    ],
    'mutability',
  ],
]

for (const [why, operations, reason] of REFUSALS) {
  test(`applyPatch refuses with ${reason}: ${why}`, () => {
    assert.equal(
      reasonOf(() => patched(operations)),
      reason,
    )
  })
}

test('readOperations wants the schema of a PATCH', () => {
  const Operations = [{ op: 'remove', path: 'title' }]
  assert.equal(
    reasonOf(() => readOperations({ Operations })),
    'invalidSyntax',
  )
  assert.equal(
    reasonOf(() => readOperations({ schemas: ['urn:x'], Operations })),
    'invalidSyntax',
  )
  assert.equal(
    reasonOf(() => readOperations({ SCHEMAS: [PATCH_OP.toLowerCase()], Operations })),
    'none',
  )
})

function memberEdits(operations: JsonValue): { cleared: boolean; added: string[]; removed: string[] } {
  const before = ['1', '2', '3'].map((value) => ({ value, $ref: `/scim/v2/Users/${value}` }))
  const members = new MemberList(MEMBERS, () => before)
  const lists = new Map([['members', members]])
  const body = { schemas: [PATCH_OP], Operations: operations }
  applyPatch({ type: GROUP, resource: { displayName: 'g' }, lists }, readOperations(body))
  return { cleared: members.isCleared, added: [...members.added], removed: [...members.removed] }
}

test('applyPatch keeps the members of a group apart, as both providers send them', () => {
  const add = { op: 'Add', path: 'members', value: [{ $ref: null, value: '7' }, { value: '8' }] }
  const okta = { op: 'remove', path: 'members[value eq "2"]' }
  const entra = { op: 'Remove', path: 'members', value: [{ $ref: null, value: '2' }] }
  const gone = { cleared: false, added: [], removed: ['2'] }
  assert.deepEqual(memberEdits([add]), { cleared: false, added: ['7', '8'], removed: [] })
  assert.deepEqual(memberEdits([okta]), gone)
  assert.deepEqual(memberEdits([entra]), gone)
  assert.deepEqual(memberEdits([{ op: 'remove', path: 'members[$ref ew "/2"]' }]), gone)
  assert.deepEqual(memberEdits([{ op: 'remove', path: 'members[value eq "1" or value eq "3"]' }]).removed, [
    '1',
    '3',
  ])
  assert.deepEqual(memberEdits([add, { op: 'remove', path: 'members[value eq "7"]' }]), {
    cleared: false,
    added: ['8'],
    removed: ['7'],
  })
  assert.deepEqual(memberEdits([okta, { op: 'add', value: { members: ['2'] } }]), {
    cleared: false,
    added: ['2'],
    removed: [],
  })
  assert.deepEqual(memberEdits([{ op: 'remove', path: 'members' }]), {
    cleared: true,
    added: [],
    removed: [],
  })
  const replace = { op: 'replace', path: 'members', value: [{ value: '9' }] }
  assert.deepEqual(memberEdits([add, replace]), { cleared: true, added: ['9'], removed: [] })
  const change = { op: 'replace', path: 'members[value eq "1"]', value: { value: '2' } }
  assert.equal(
    reasonOf(() => memberEdits([change])),
    'mutability',
  )
  assert.equal(
    reasonOf(() => memberEdits([{ op: 'replace', path: 'members.value', value: '2' }])),
    'mutability',
  )
  assert.equal(
    reasonOf(() => memberEdits([{ op: 'add', path: 'members', value: [{}] }])),
    'none',
  )
  assert.equal(
    reasonOf(() => memberEdits([{ op: 'remove', path: 'displayName' }])),
    'mutability',
  )
})

const word = fc.stringMatching(/^[a-z]{1,6}$/)
const email = fc.record({ value: word, type: fc.constantFrom('work', 'home') }, { requiredKeys: ['value'] })
const user = fc.record(
  {
    schemas: fc.constant([CORE]),
    userName: word,
    active: fc.boolean(),
    title: word,
    externalId: word,
    name: fc.record({ givenName: word, familyName: word }, { requiredKeys: [] }),
    emails: fc.uniqueArray(email, { maxLength: 4, selector: ({ value }) => value }),
    [ENTERPRISE]: fc.record({ department: word, manager: fc.record({ value: word }) }, { requiredKeys: [] }),
  },
  { requiredKeys: ['schemas', 'userName', 'active'], noNullPrototype: true },
)

test('applyPatch comes to what a PUT comes to: everything removed, then the whole resource replaced', () => {
  const property = fc.property(user, user, fc.constantFrom('add', 'replace'), (before, wanted, op) => {
    const resource = readResource(USER, before)
    const clear = Object.keys(resource)
      .filter((name) => name !== 'userName' && name !== 'active')
      .map((path) => ({ op: 'remove', path }))
    const after = patched([...clear, { op, value: wanted as JsonObject }], resource)
    assert.equal(canonicalJson(after), canonicalJson(readResource(USER, wanted as JsonObject)))
  })
  fc.assert(property, { seed: SEED, numRuns: 1_000 })
})

test('applyPatch changes nothing more when it is applied again', () => {
  const property = fc.property(user, user, (before, wanted) => {
    const resource = readResource(USER, before)
    for (const op of ['add', 'replace']) {
      const once = patched([{ op, value: wanted as JsonObject }], resource)
      assert.equal(canonicalJson(patched([{ op, value: wanted as JsonObject }], once)), canonicalJson(once))
    }
  })
  fc.assert(property, { seed: SEED, numRuns: 1_000 })
})
