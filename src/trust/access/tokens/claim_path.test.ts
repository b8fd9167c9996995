import assert from 'node:assert/strict'
import { test } from 'node:test'
import { claimAt, parseClaimPath } from './claim_path.ts'

for (const [why, text, path] of [
  ['one name', 'sub', ['sub']],
  ['names joined by dots', 'realm_access.roles', ['realm_access', 'roles']],
  ['a hyphen is part of a name', 'x-groups', ['x-groups']],
  ['a URL could be read in more than one way', 'https://example.com/groups', undefined],
  ['an empty name is none', 'a..b', undefined],
  ['nor is one at the end', 'a.', undefined],
  ['an empty text is none', '', undefined],
  ['white space is none', 'a b', undefined],
] as const)
  test(`parseClaimPath reads ${JSON.stringify(text)}: ${why}`, () =>
    assert.deepEqual(parseClaimPath(text), path))

const CLAIMS = {
  sub: 'alice',
  'https://example.com/groups': ['a'],
  'a.b': 'dotted',
  a: { b: 'nested', n: null },
  list: ['x'],
}

for (const [why, path, value] of [
  ['a member', ['sub'], 'alice'],
  ['a URL as a name', ['https://example.com/groups'], ['a']],
  ['a dot in a name is no way inwards', ['a.b'], 'dotted'],
  ['two names are', ['a', 'b'], 'nested'],
  ['null stands for nothing', ['a', 'n'], undefined],
  ['nothing is inside a text', ['sub', 'length'], undefined],
  ['nothing is inside a list', ['list', '0'], undefined],
  ['what objects have of themselves is no claim', ['constructor'], undefined],
  ['nor is it inside', ['a', 'toString'], undefined],
] as const)
  test(`claimAt finds ${path.join(' > ')}: ${why}`, () => assert.deepEqual(claimAt(CLAIMS, path), value))
