import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findLeaks, findResolved, leakPatterns } from './leaks.ts'

const slashes = (...parts: readonly string[]): string => parts.join('/')
const dots = (...parts: readonly string[]): string => parts.join('.')

const CASES: readonly (readonly [why: string, text: string, isLeak: boolean])[] = [
  ['a workplace', `see ${slashes('', 'work', 'main', 'src')}`, true],
  ['a shared folder', slashes('', 'work', 'shared'), true],
  ['a hidden folder', slashes('', 'work', '.mirror'), true],
  ['the fixtures beside the project', '../shared/fixtures', false],
  ['another path', '/work/of/art', false],
  ['a public registry', `https://${dots('registry', 'npmjs', 'org')}/zod`, true],
  ['the registry in use', `http://${dots('packages', 'corp', 'example')}:4873/`, true],
  ['a kind of registry', `https://example.org/${['art', 'ifactory'].join('')}/api/npm`, true],
  ['a word', 'the nexus of it all', false],
]

test('findLeaks finds where the project was made', () => {
  const patterns = leakPatterns(`http://${dots('packages', 'corp', 'example')}:4873/`)
  for (const [why, text, isLeak] of CASES)
    assert.equal(findLeaks('a.md', text, patterns).length, isLeak ? 1 : 0, why)
})

test('findResolved fails: a lockfile with addresses', () => {
  assert.equal(findResolved('{"resolved": "https://example.org/a.tgz"}').length, 1)
  assert.equal(findResolved('{"integrity": "sha512-x"}').length, 0)
})
