import assert from 'node:assert/strict'
import { test } from 'node:test'
import { linkTemplate } from './link_template.ts'
import { parsePolicies } from './parse_policy.ts'
import { hasSlot, type Policy } from './syntax.ts'
import { bareTree } from '../../../test/support/cedar_tree.ts'

function parse(text: string): Policy {
  return parsePolicies(text).policies[0] ?? assert.fail(text)
}

test('linkTemplate fills the slots of a template', () => {
  const template = parse(
    'permit (principal is User in ?principal, action, resource == ?resource) when { true };',
  )
  assert.ok(hasSlot(template))
  const linked = linkTemplate(template, {
    principal: { type: 'Group', id: 'g' },
    resource: { type: 'Doc', id: 'd' },
  })
  const same = parse('permit (principal is User in Group::"g", action, resource == Doc::"d") when { true };')
  assert.ok(!hasSlot(linked))
  assert.deepEqual(bareTree(linked), bareTree(same))
  assert.deepEqual(linkTemplate(same, {}), same)
  assert.throws(() => linkTemplate(template, { principal: { type: 'Group', id: 'g' } }), TypeError)
})
