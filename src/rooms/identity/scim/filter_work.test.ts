import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reasonOf } from '../../../../test/support/fault_reason.ts'
import type { JsonObject } from '#base/json.ts'
import { MEMBERS } from './group_attributes.ts'
import { MemberList } from './member_list.ts'
import { applyPatch } from './patch.ts'
import { readOperations } from './patch_request.ts'
import { GROUP, USER } from './resource_type.ts'

const PATCH_OP = 'urn:ietf:params:scim:api:messages:2.0:PatchOp'

function operationsOf(count: number, one: (at: number) => JsonObject): ReturnType<typeof readOperations> {
  return readOperations({
    schemas: [PATCH_OP],
    Operations: Array.from({ length: count }, (_, at) => one(at)),
  })
}

function termsOf(name: string): string {
  return Array.from({ length: 60 }, (_, at) => `${name} co "${at}"`).join(' or ')
}

test('a PATCH of a user compares so many values at most: all of it happens in one turn', () => {
  const emails = Array.from({ length: 64 }, (_, at) => ({ value: 'x'.repeat(900), type: `t${at}` }))
  const resource = { userName: 'a', active: true, emails }
  const path = `emails[${termsOf('value')} or type pr].display`
  const changed = (count: number): unknown =>
    applyPatch(
      { type: USER, resource },
      operationsOf(count, () => ({ op: 'replace', path, value: 'a' })),
    )
  assert.equal(
    reasonOf(() => changed(64)),
    'none',
  )
  assert.equal(
    reasonOf(() => changed(65)),
    'invalidFilter',
  )
})

test('a PATCH of a group compares so many members at most, and none where it names them', () => {
  const before = Array.from({ length: 5_000 }, (_, at) => ({ value: String(at), $ref: `/Users/${at}` }))
  const removed = (count: number, path: (at: number) => string): ReadonlySet<string> => {
    const members = new MemberList(MEMBERS, () => before)
    const lists = new Map([['members', members]])
    const operations = operationsOf(count, (at) => ({ op: 'remove', path: path(at) }))
    applyPatch({ type: GROUP, resource: { displayName: 'g' }, lists }, operations)
    return members.removed
  }
  assert.equal(removed(50, () => 'members[not ($ref ew "7")]').size, 4_500)
  assert.equal(
    reasonOf(() => removed(51, () => 'members[$ref eq "x"]')),
    'invalidFilter',
  )
  assert.equal(removed(1_000, (at) => `members[value eq "${at}"]`).size, 1_000)
})
