import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sha256Hex } from '#base/crypto.ts'
import { manifestOf, setHash } from './policy_manifest.ts'

const FILES = ['c.cedar', 'a.cedar', 'd.cedar', 'b.cedar'].map((name) => ({ name, text: `// ${name}` }))

test('manifestOf gives the hashes in the order of the names, whatever the order of the files', () => {
  const wanted = ['a.cedar', 'b.cedar', 'c.cedar', 'd.cedar'].map((name) => ({
    name,
    hash: sha256Hex(`// ${name}`),
  }))
  assert.deepEqual(manifestOf(FILES), wanted)
  assert.deepEqual(manifestOf(FILES.toReversed()), wanted)
})

test('setHash tells apart names, texts and schemas, and nothing else', () => {
  const [first, ...others] = FILES
  assert.ok(first !== undefined)
  const hash = setHash(FILES, 'schema')
  assert.equal(setHash(FILES.toReversed(), 'schema'), hash)
  assert.notEqual(setHash(FILES, 'another schema'), hash)
  assert.notEqual(setHash([{ ...first, name: 'z.cedar' }, ...others], 'schema'), hash)
  assert.notEqual(setHash([{ ...first, text: '' }, ...others], 'schema'), hash)
  assert.notEqual(setHash(others, 'schema'), hash)
})
