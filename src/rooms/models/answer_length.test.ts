import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { startFakeUpstream } from '../../../test/fakes/upstream.ts'
import { limitsScene } from '../../../test/support/limits_scene.ts'
import { ask, modelsScene } from '../../../test/support/models_scene.ts'
import { withAnswerLength } from './answer_length.ts'
import { CHAT, MESSAGES, RESPONSES } from './infer_routes.ts'
import { inferRoute } from './infer_route.ts'
import type { ModelApi } from './provider.ts'

const CASES: readonly (readonly [why: string, api: ModelApi, body: JsonValue, field: string | undefined])[] =
  [
    ['chat has a field of its own', 'chat', { model: 'sized' }, 'max_completion_tokens'],
    ['messages', 'messages', { model: 'sized' }, 'max_tokens'],
    ['responses', 'responses', { model: 'sized' }, 'max_output_tokens'],
    ['embeddings have none', 'embeddings', { model: 'sized' }, undefined],
    ['null says nothing', 'chat', { model: 'sized', max_tokens: null }, 'max_completion_tokens'],
    ['the older field of chat says it', 'chat', { model: 'sized', max_tokens: 5 }, undefined],
    ['the caller says it', 'chat', { model: 'sized', max_completion_tokens: 5 }, undefined],
    ['what is wrong is left to be refused', 'chat', { model: 'sized', max_tokens: 'x' }, undefined],
    ['another model', 'chat', { model: 'other' }, undefined],
    ['no model', 'chat', {}, undefined],
    ['no object', 'chat', 'text', undefined],
  ]

for (const [why, api, body, field] of CASES)
  test(`withAnswerLength says how long an answer may be where the request does not: ${why}`, () => {
    const given = withAnswerLength(api, body, (model) => (model === 'sized' ? 77 : undefined))
    assert.deepEqual(given, field === undefined ? body : { ...(body as JsonObject), [field]: 77 })
    if (field === undefined) assert.equal(given, body)
  })

test('the length that a model has is what its provider is told', async () => {
  const upstream = await startFakeUpstream()
  const at = { baseUrl: `${upstream.origin}/v1` }
  const limits = limitsScene([{ terms: { tokens_per_day: 1_000_000 } }]).limiter
  const scene = modelsScene({
    limits,
    models: [
      { name: 'sized', ...at, maxOutputTokens: 77 },
      { name: 'short', ...at, maxOutputTokens: 33 },
      { name: 'open', ...at },
      { name: 'pool', provider: 'pool', pool: poolOf('sized', 'short') },
    ],
  })
  try {
    const messages = [{ role: 'user', content: 'hi' }]
    const dispatched = async (model: string): Promise<unknown> => {
      await ask(scene, inferRoute(scene.catalogue, CHAT), { body: { model, messages } })
      return JSON.parse(upstream.received.at(-1)?.body ?? '{}').max_completion_tokens
    }
    assert.equal(await dispatched('sized'), 77)
    assert.equal(await dispatched('pool'), 33, 'the shortest that a member has')
    const [intent] = scene.recorder.entries
    assert.ok(Number(intent?.fields['tokens_reserved']) >= 77)
    const before = upstream.received.length
    const refused = await ask(scene, inferRoute(scene.catalogue, CHAT), { body: { model: 'open', messages } })
    assert.equal(refused.kind === 'refusal' && refused.code, 'limit.unbounded')
    assert.equal(upstream.received.length, before)
    for (const [call, body] of [
      [MESSAGES, { model: 'sized', messages }],
      [RESPONSES, { model: 'sized', input: 'hi' }],
    ] as const) {
      const said = await ask(scene, inferRoute(scene.catalogue, call), { body })
      assert.ok(said.kind !== 'refusal' || said.code !== 'input.invalid', call.name)
    }
  } finally {
    await scene.close()
    await upstream.close()
  }
})

function poolOf(...names: readonly string[]) {
  const breaker = { failures: 5, failurePercent: 50, windowMs: 1_000, openMs: 1_000 }
  const members = names.map((model) => ({ model, weight: 1, probe: undefined }))
  return { choose: 'order', tries: 1, members, breaker } as const
}
