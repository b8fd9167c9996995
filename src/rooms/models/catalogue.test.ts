import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertFrozen } from '../../../test/support/assert_frozen.ts'
import { modelsScene } from '../../../test/support/models_scene.ts'

test('Catalogue gives the facts of a model to policy', () => {
  const { catalogue } = modelsScene({
    models: [
      { name: 'a', provider: 'echo', region: 'eu' },
      { name: 'b', provider: 'echo' },
    ],
  })
  const ref = { type: 'Model', id: 'a' }
  const parents = [{ type: 'Space', id: 'default' }]
  assert.deepEqual(catalogue.target('a'), {
    ref,
    entities: [{ ref, attributes: { provider: 'echo', region: 'eu' }, parents }],
    known: true,
  })
  assert.deepEqual(catalogue.target('b').entities[0]?.attributes, { provider: 'echo' })
})

test('Catalogue gives the same facts of a model each time, frozen all through', () => {
  const { catalogue } = modelsScene({ models: [{ name: 'a', provider: 'echo', region: 'eu' }] })
  const target = catalogue.target('a')
  assert.equal(catalogue.target('a'), target)
  assert.equal(catalogue.find('a')?.target, target)
  assertFrozen(target)
})

test('Catalogue gives no facts of a name that is no model', () => {
  const { catalogue } = modelsScene({ models: [{ name: 'a', provider: 'echo' }] })
  for (const name of ['b', '', 'constructor', '__proto__', 'A']) {
    assert.deepEqual(catalogue.target(name), { ref: { type: 'Model', id: name }, entities: [], known: false })
    assert.equal(catalogue.find(name), undefined)
  }
})

const UNACCEPTABLE: readonly (readonly [why: string, baseUrl: string | undefined])[] = [
  ['none', undefined],
  ['not a URL', 'example.org/v1'],
  ['another scheme', 'ftp://example.org/v1'],
  ['a file', 'file:///etc/passwd'],
  ['a user', 'https://user@example.org/v1'],
  ['a password', 'https://:secret@example.org/v1'],
  ['a fragment', 'https://example.org/v1#x'],
]

for (const [why, baseUrl] of UNACCEPTABLE) {
  test(`Catalogue refuses a base URL: ${why}`, () => {
    assert.throws(() => modelsScene({ models: [{ name: 'a', baseUrl }] }), { code: 'config.invalid' })
  })
}

test('Catalogue refuses a provider that there is not', () => {
  assert.throws(() => modelsScene({ models: [{ name: 'a', provider: 'nobody' }] }), {
    code: 'config.invalid',
  })
})
