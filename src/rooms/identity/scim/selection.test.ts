import assert from 'node:assert/strict'
import { test } from 'node:test'
import { USER } from './resource_type.ts'
import { isSelected, select } from './selection.ts'

const ENTERPRISE = 'urn:ietf:params:scim:schemas:extension:enterprise:2.0:User'
const ANN = {
  schemas: ['urn:ietf:params:scim:schemas:core:2.0:User'],
  id: '1',
  userName: 'ann',
  name: { givenName: 'Ann', familyName: 'Ong' },
  emails: [
    { value: 'a', type: 'work' },
    { value: 'b', type: 'home' },
  ],
  [ENTERPRISE]: { department: 'Sales', manager: { value: 'm', $ref: 'r' } },
}
const { schemas, id } = ANN

test('select keeps what is asked for, and always the id and the schemas', () => {
  for (const [names, kept] of [
    [['userName'], { userName: 'ann' }],
    [['USERNAME', ' name.givenName '], { userName: 'ann', name: { givenName: 'Ann' } }],
    [['emails.type'], { emails: [{ type: 'work' }, { type: 'home' }] }],
    [['emails', 'emails.type'], { emails: ANN.emails }],
    [[ENTERPRISE], { [ENTERPRISE]: ANN[ENTERPRISE] }],
    [[`${ENTERPRISE}:manager.value`], { [ENTERPRISE]: { manager: { value: 'm' } } }],
    [['nobody', 'a b'], {}],
  ] as const)
    assert.deepEqual(
      select(USER, ANN, { attributes: names, excluded: undefined }),
      { schemas, id, ...kept },
      String(names),
    )
})

test('select leaves out what is not wanted, but never the id and the schemas', () => {
  const { emails: _emails, ...rest } = ANN
  const without = (...names: readonly string[]) =>
    select(USER, ANN, { attributes: undefined, excluded: names })
  assert.deepEqual(without('emails', 'id', 'schemas', 'nobody'), rest)
  assert.deepEqual(without('name.familyName', 'emails.value'), {
    ...ANN,
    name: { givenName: 'Ann' },
    emails: [{ type: 'work' }, { type: 'home' }],
  })
  assert.deepEqual(without(`${ENTERPRISE}:manager`)[ENTERPRISE], { department: 'Sales' })
})

test('isSelected tells what need not be worked out', () => {
  const is = (attributes: string[] | undefined, excluded: string[] | undefined): boolean =>
    isSelected(USER, 'emails', { attributes, excluded })
  assert.deepEqual(
    [
      is(undefined, undefined),
      is(['emails.value'], undefined),
      is(['id'], undefined),
      is(undefined, ['emails']),
      is(undefined, ['emails.type']),
    ],
    [true, true, false, false, true],
  )
})
