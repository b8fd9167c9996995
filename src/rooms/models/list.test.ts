import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Question } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { CALLER, proven } from '../../../test/support/door_parts.ts'
import { assertFrozen } from '../../../test/support/assert_frozen.ts'
import { ask, modelsScene, type ModelsScene } from '../../../test/support/models_scene.ts'
import { listRoute, modelRoute } from './list.ts'

const MODELS = ['open', 'closed', 'other'].map((name) => ({ name, provider: 'echo' }))

/** May list, and may use all models but `closed`. */
const ALLOWS = ({ action, resource, entities }: Question): boolean =>
  action.id === 'model:list' || (entities.flat().length > 0 && resource.id !== 'closed')

function routes(scene: ModelsScene): {
  list: ReturnType<typeof listRoute>
  one: ReturnType<typeof modelRoute>
} {
  const { policies } = scene.parts
  return { list: listRoute(scene.catalogue, policies), one: modelRoute(scene.catalogue, policies) }
}

test('listRoute names only the models that the caller may infer with', async () => {
  const scene = modelsScene({ models: MODELS, allows: ALLOWS })
  const said = await ask(scene, routes(scene).list)
  assert.ok(said.kind === 'answer')
  assert.deepEqual(JSON.parse(said.json), {
    object: 'list',
    data: ['open', 'other'].map((id) => ({ id, object: 'model', created: 0, owned_by: 'echo' })),
  })
})

test('listRoute and modelRoute aim at one target, frozen all through', () => {
  const { list, one } = routes(modelsScene({ models: MODELS }))
  const target = list.target({}, CALLER)
  assertFrozen(target)
  assert.equal(one.target({ model: 'open' }, CALLER), target)
  assert.equal(list.target({}, CALLER), target)
})

test('listRoute keeps to the scope of the key', async () => {
  const scene = modelsScene({ models: MODELS, allows: () => true })
  const scoped = { ...CALLER, scope: { models: ['other'], actions: undefined } }
  const parts = {
    ...scene.parts,
    authenticator: { authenticate: () => proven(scoped), looksReal: () => true },
  }
  const said = await ask({ ...scene, parts }, routes(scene).list)
  assert.ok(said.kind === 'answer')
  assert.deepEqual(
    (JSON.parse(said.json) as { data: { id: string }[] }).data.map(({ id }) => id),
    ['other'],
  )
})

test('modelRoute shows a model that the caller may infer with', async () => {
  const scene = modelsScene({ models: MODELS, allows: ALLOWS })
  const said = await ask(scene, routes(scene).one, { params: { model: 'open' } })
  assert.ok(said.kind === 'answer')
  assert.equal((JSON.parse(said.json) as { id: string }).id, 'open')
})

test('modelRoute says the same of a model that is closed, one that does not exist, and names of all objects', async () => {
  const scene = modelsScene({ models: MODELS, allows: ALLOWS })
  const said = await Promise.all(
    ['closed', 'nobody', '', 'constructor', '__proto__'].map(async (model) => {
      const one = await ask(scene, routes(scene).one, { params: { model } })
      assert.ok(one.kind === 'refusal')
      return [one.code, one.status, one.stage, one.fault.say, one.fault.message]
    }),
  )
  assert.equal(said[0]?.[0], 'model.unknown')
  for (const one of said) assert.deepEqual(one, said[0])
})

test('listRoute and modelRoute refuse a caller that may not list, and any query', async () => {
  const scene = modelsScene({ models: MODELS, allows: ({ action }) => action.id === 'model:infer' })
  const { list, one } = routes(scene)
  for (const said of [await ask(scene, list), await ask(scene, one, { params: { model: 'open' } })]) {
    assert.deepEqual(said.kind === 'refusal' && [said.code, said.stage], ['action.denied', 'authorize'])
  }
  const query = [['model', 'x']] as const
  for (const said of [await ask(scene, list, { query }), await ask(scene, one, { query })]) {
    assert.equal(said.kind === 'refusal' && said.code, 'input.invalid')
  }
})

test('listRoute fails rather than hides all models when policy becomes unavailable', async () => {
  const scene = modelsScene({ models: MODELS })
  let asked = 0
  const policies = {
    current: () => {
      asked += 1
      if (asked > 2) throw new Fault('policy.unavailable')
      return scene.parts.policies.current()
    },
  }
  const said = await ask(
    { ...scene, parts: { ...scene.parts, policies } },
    listRoute(scene.catalogue, policies),
  )
  assert.equal(said.kind === 'refusal' && said.code, 'policy.unavailable')
})
