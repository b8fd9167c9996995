import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SCIM } from './config_scim.ts'

test('the part of SCIM has defaults: names as they are sent, the default space, locations that are paths', () => {
  assert.deepEqual(SCIM.parse(undefined), { user_prefix: '', space: 'default' })
})

for (const [why, part] of [
  ['a base URL without the path', { base_url: 'https://gate.example.com' }],
  ['a base URL that goes on', { base_url: 'https://gate.example.com/scim/v2/' }],
  ['a base URL with a query', { base_url: 'https://gate.example.com/scim/v2?x=1' }],
  ['a base URL with a user', { base_url: 'https://me@gate.example.com/scim/v2' }],
  ['another scheme', { base_url: 'ftp://gate.example.com/scim/v2' }],
  ['no URL', { base_url: 'gate.example.com/scim/v2' }],
  ['a space in the prefix', { user_prefix: 'a b' }],
  ['a long prefix', { user_prefix: 'x'.repeat(65) }],
  ['no name of a space', { space: 'Not A Space' }],
  ['an unknown member', { token: 'x' }],
] as const) {
  test(`the part of SCIM is refused: ${why}`, () => {
    assert.equal(SCIM.safeParse(part).success, false)
  })
}

test('the part of SCIM takes a base URL behind a path of a proxy', () => {
  const base_url = 'https://example.com/gate/scim/v2'
  assert.equal(SCIM.parse({ base_url }).base_url, base_url)
})
