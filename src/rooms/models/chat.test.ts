import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { FaultCode } from '#base/fault_table.ts'
import { deepFreeze, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { Sealed } from '#base/sealed.ts'
import { NO_POSSESSION } from '#door/route.ts'
import { Permit } from '#trust/access/authorize.ts'
import { KEY_ECHOES, startFakeUpstream, type FakeUpstream } from '../../../test/fakes/upstream.ts'
import { CALLER, ENDLESS } from '../../../test/support/door_parts.ts'
import { ask, modelsScene, type ModelsScene, type Said } from '../../../test/support/models_scene.ts'
import { plantedSecrets } from '../../../test/support/planted_secrets.ts'
import { inferRoute } from './infer_route.ts'
import { CHAT } from './infer_routes.ts'

const SEED = 20_261_122
const KEY = ['the', 'key/of', 'the', 'provider'].join('-')
const PRESENT = { kind: 'present', secret: new Sealed(KEY) } as const
const ACT_ONLY = {
  id: 'entry00000000001',
  caller: CALLER,
  address: '127.0.0.1',
  possession: NO_POSSESSION,
  memory: ENDLESS,
  onAbort: () => {},
}

let fake: FakeUpstream
let scene: ModelsScene

before(async () => {
  fake = await startFakeUpstream()
  const baseUrl = `${fake.origin}/v1`
  const behaving = (name: string, timeoutMs = 2_000) => ({
    name,
    model: name,
    baseUrl,
    key: PRESENT,
    timeoutMs,
  })
  scene = modelsScene({
    models: [
      { name: 'echo', provider: 'echo' },
      { name: 'house', model: 'upstream-name', baseUrl, key: PRESENT, region: 'eu' },
      { name: 'strict', model: 'upstream-name', baseUrl, extensions: 'refuse' },
      { name: 'keyless', model: 'ok', baseUrl: `${fake.origin}/v1/` },
      { name: 'unresolved', model: 'ok', baseUrl, key: { kind: 'unresolved' } },
      {
        name: 'azure',
        baseUrl: `${fake.origin}/openai/deployments/d?api-version=2026-01-01`,
        key: PRESENT,
        auth: 'api-key',
      },
      { name: 'down', baseUrl: 'http://127.0.0.1:1/v1' },
      ...KEY_ECHOES.map((name) => behaving(name)),
      { ...behaving('crowded'), maxAnswerBytes: 10_000_000 },
      { ...behaving('detailed'), maxAnswerBytes: 10_000_000 },
      { name: 'small_echo', provider: 'echo', maxAnswerBytes: 4_000 },
      ...BAD.map(([name]) => behaving(name, name.startsWith('stall') || name === 'drip' ? 200 : 2_000)),
      behaving('parrot'),
      behaving('limited_oddly'),
      behaving('limited_for_ever'),
      { ...behaving('leaving', 60_000), model: 'stall_headers' },
    ],
  })
})

after(async () => {
  await scene.close()
  await fake.close()
})

function chat(body: unknown, onAbort?: (listener: () => void) => void): Promise<Said> {
  return ask(scene, inferRoute(scene.catalogue, CHAT), onAbort === undefined ? { body } : { body, onAbort })
}

const saying = (model: string, content = 'hello'): JsonObject => ({
  model,
  messages: [{ role: 'user', content }],
})

function parsed(said: Said): JsonObject {
  assert.ok(
    said.kind === 'answer',
    said.kind === 'refusal' ? `${said.stage}: ${said.code} ${JSON.stringify(said.fault.detail)}` : '',
  )
  return JSON.parse(said.json) as JsonObject
}

test('chat answers from the echo: deterministic, labelled, with counted tokens', async () => {
  const body = {
    model: 'echo',
    n: 2,
    messages: [
      { role: 'system', content: 'be brief' },
      { role: 'user', content: 'first' },
      { role: 'assistant', content: null },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'one' },
          { type: 'image_url', image_url: 'x' },
          { type: 'text', text: 'two' },
        ],
      },
      { role: 'tool', content: 'result' },
    ],
  }
  const answer = parsed(await chat(body))
  assert.deepEqual(answer, parsed(await chat(body)))
  assert.equal(answer['id'], 'chatcmpl-echo-entry00000000001')
  assert.equal(answer['created'], 1_790_000_000)
  assert.equal(answer['system_fingerprint'], 'gatehouse-echo')
  assert.deepEqual(
    (answer['choices'] as JsonObject[]).map((choice) => (choice['message'] as JsonObject)['content']),
    ['echo: one\ntwo', 'echo: one\ntwo'],
  )
  assert.deepEqual(answer['usage'], { prompt_tokens: 8, completion_tokens: 8, total_tokens: 16 })
})

test('chat answers from the echo: without any text of the user', async () => {
  const answer = parsed(await chat({ model: 'echo', messages: [{ role: 'system', content: 'x' }] }))
  assert.match(JSON.stringify(answer), /echo: \(no text from the user\)/)
})

test('chat sends what was asked under the name of the provider, and answers under the public one', async () => {
  const body = { ...saying('house'), top_k: 7, user: 'u', seed: 3, vendor: { nested: ['kept', 1.5, null] } }
  const answer = parsed(await chat(body))
  const arrived = fake.received.at(-1)
  assert.deepEqual(JSON.parse(arrived?.body ?? ''), { ...body, model: 'upstream-name' })
  assert.equal(arrived?.url, '/v1/chat/completions')
  assert.equal(arrived.headers['authorization'], `Bearer ${KEY}`)
  assert.equal(arrived.headers['accept-encoding'], 'identity')
  assert.equal(answer['model'], 'house')
  assert.deepEqual(answer['vendor_extension'], { kept: true })
})

test('chat records facts of the call', async () => {
  await chat(saying('house'))
  const outcome = scene.recorder.entries.at(-1)
  assert.equal(outcome?.kind, 'outcome')
  assert.deepEqual(
    ['provider', 'region', 'tokens_in', 'tokens_out', 'status'].map((name) => outcome.fields[name]),
    ['openai', 'eu', 9, 4, 200],
  )
})

test('chat calls a provider without a key without one', async () => {
  parsed(await chat(saying('keyless')))
  assert.equal(fake.received.at(-1)?.headers['authorization'], undefined)
  assert.equal(fake.received.at(-1)?.url, '/v1/chat/completions')
})

test('chat keeps the query of the base URL and sends the key as Azure wants it', async () => {
  parsed(await chat(saying('azure')))
  const arrived = fake.received.at(-1)
  assert.equal(arrived?.url, '/openai/deployments/d/chat/completions?api-version=2026-01-01')
  assert.equal(arrived.headers['api-key'], KEY)
  assert.equal(arrived.headers['authorization'], undefined)
})

const REFUSED: readonly (readonly [why: string, body: unknown, code: FaultCode, stage: string])[] = [
  ['an unknown model', saying('nobody'), 'action.denied', 'authorize'],
  ['an empty body', '', 'input.invalid', 'parse'],
  ['a body that is not JSON', 'model=echo', 'input.invalid', 'parse'],
  ['nested 10,000 deep', `${'['.repeat(10_000)}${']'.repeat(10_000)}`, 'input.invalid', 'parse'],
  ['model twice', '{"model":"echo","model":"house","messages":[]}', 'input.invalid', 'parse'],
  ['max_tokens of 10^9', { ...saying('echo'), max_tokens: 1_000_000_000 }, 'input.invalid', 'parse'],
  ['another list of models', { ...saying('echo'), models: ['house'] }, 'input.invalid', 'parse'],
  ['a model without its key', saying('unresolved'), 'upstream.unconfigured', 'act'],
  ['a provider that is not there', saying('down'), 'upstream.failed', 'act'],
  [
    'an extension that the model does not take',
    { ...saying('strict'), top_k: 1 },
    'extension.refused',
    'act',
  ],
]

for (const [why, body, code, stage] of REFUSED) {
  test(`chat refuses with ${code} at ${stage}, and calls nobody: ${why}`, async () => {
    const before = fake.received.length
    const said = await chat(body)
    assert.deepEqual(said.kind === 'refusal' && [said.code, said.stage], [code, stage])
    assert.equal(fake.received.length, before)
  })
}

test('chat refuses any query, and repeats none of it', async () => {
  for (const query of [[['model', 'house']], [['planted', 'planted']]] as const) {
    const said = await ask(scene, inferRoute(scene.catalogue, CHAT), { body: saying('echo'), query })
    assert.ok(said.kind === 'refusal')
    assert.equal(said.code, 'input.invalid')
    assert.ok(!said.fault.message.includes('planted'))
  }
})

test('chat lets fields that a strict model knows pass', async () => {
  parsed(await chat({ ...saying('strict'), temperature: 1, metadata: { any: 'thing' } }))
})

const BAD: readonly (readonly [behaviour: string, code: FaultCode])[] = [
  ['stall_headers', 'upstream.slow'],
  ['stall_body', 'upstream.slow'],
  ['drip', 'upstream.slow'],
  ['early_close', 'upstream.failed'],
  ['close_without_answer', 'upstream.failed'],
  ['garbage', 'upstream.invalid'],
  ['two_lengths', 'upstream.invalid'],
  ['not_json', 'upstream.invalid'],
  ['not_utf8', 'upstream.invalid'],
  ['wrong_shape', 'upstream.invalid'],
  ['error_with_200', 'upstream.invalid'],
  ['nested', 'upstream.invalid'],
  ['empty', 'upstream.invalid'],
  ['redirect', 'upstream.invalid'],
  ['gzip', 'upstream.invalid'],
  ['huge_header', 'upstream.invalid'],
  ['echo_key', 'upstream.invalid'],
  ['endless', 'upstream.oversized'],
  ['too_long', 'upstream.oversized'],
  ['limited', 'upstream.limited'],
  ['unauthorized', 'upstream.unauthorized'],
  ['forbidden', 'upstream.unauthorized'],
  ['rejecting', 'upstream.rejected'],
  ['rejecting_oddly', 'upstream.rejected'],
  ['rejecting_with_key', 'upstream.rejected'],
  ['missing', 'upstream.rejected'],
  ['teapot', 'upstream.rejected'],
  ['failing', 'upstream.failed'],
]

for (const [behaviour, code] of BAD) {
  test(`chat refuses with ${code}, keeps the key to itself, and goes on: ${behaviour}`, async () => {
    const said = await chat({ ...saying(behaviour), user: 'planted-user' })
    assert.ok(said.kind === 'refusal')
    assert.deepEqual([said.code, said.stage], [code, 'act'])
    const seen = JSON.stringify([
      said.fault.message,
      said.fault.say,
      said.fault.detail,
      scene.recorder.entries,
    ])
    assert.ok(!seen.includes(KEY))
    assert.ok(!`${said.fault.message}${said.fault.say}`.includes('planted'))
    assert.deepEqual(scene.recorder.entries.at(-1)?.fields['code'], code)
    parsed(await chat(saying('house')))
  })
}

for (const behaviour of KEY_ECHOES) {
  test(`chat gives out and records nothing of an answer that holds the key in disguise: ${behaviour}`, async () => {
    const said = await chat(saying(behaviour))
    assert.ok(said.kind === 'refusal')
    const isError = behaviour.startsWith('disguised_error')
    assert.equal(said.code, isError ? 'upstream.rejected' : 'upstream.invalid')
    assert.deepEqual(
      said.fault.detail,
      isError ? { upstream_status: 400, upstream_message: '' } : { reason: 'answer_holds_key' },
    )
    const outcome = scene.recorder.entries.at(-1)
    assert.equal(outcome?.kind, 'outcome')
    assert.equal(outcome.fields['upstream_message'] ?? '', '')
  })
}

test('chat refuses an answer of more values than it holds in memory', async () => {
  const said = await chat(saying('crowded'))
  assert.deepEqual(said.kind === 'refusal' && [said.code, said.fault.detail['reason']], [
    'upstream.invalid',
    'answer_unreadable',
  ])
})

test('chat takes an answer of more values than a request may have', async () => {
  const answer = parsed(await chat(saying('detailed')))
  assert.equal(Array.isArray(answer['bytes']) && answer['bytes'].length > LIMITS.jsonNodes, true)
})

test('chat bounds the answer of the echo as that of any provider', async () => {
  const body = (n: number, length: number): JsonObject => ({ ...saying('small_echo', 'x'.repeat(length)), n })
  for (const [n, length] of [
    [1, 4_000],
    [16, 200],
    [2, 1_900],
  ] as const) {
    const said = await chat(body(n, length))
    assert.deepEqual(said.kind === 'refusal' && [said.code, said.stage], ['upstream.oversized', 'act'])
  }
  let largest = 0
  for (let length = 0; length < 4_000; length += 50) {
    for (const n of [1, 3, 16]) {
      const said = await chat(body(n, length))
      if (said.kind === 'answer') largest = Math.max(largest, Buffer.byteLength(said.json))
    }
  }
  assert.ok(largest > 3_800 && largest <= 4_000, String(largest))
})

test('chat tells what the provider rejected in words of our own, and keeps its text for the ledger', async () => {
  const said = await chat(saying('rejecting'))
  assert.ok(said.kind === 'refusal')
  assert.equal(
    said.fault.say,
    'The model provider rejected the request (context_length_exceeded); it names the field max_tokens.',
  )
  assert.match(JSON.stringify(said.fault.detail['upstream_message']), /^"You sent: /)
  assert.equal(said.fault.detail['upstream_status'], 400)
})

test('chat records no half of a credential out of a long message of the provider', async () => {
  const lenient = modelsScene({
    models: [{ name: 'm', model: 'rejecting_at_length', baseUrl: `${fake.origin}/v1` }],
    request: 'pass',
  })
  const [secret = ''] = SECRETS.filter(({ rule }) => rule === 'credential.pem')
    .map((one) => one.secret)
    .sort((left, right) => right.length - left.length)
  assert.ok(secret.length > 500)
  // What comes first shrinks when it is redacted, so that the end of what was read is among what is kept.
  for (let padding = 0; padding < secret.length; padding += 100) {
    const user = `${'x'.repeat(padding)}\n${`${secret}\n`.repeat(20_000 / secret.length)}`
    const said = await ask(lenient, inferRoute(lenient.catalogue, CHAT), { body: { ...saying('m'), user } })
    assert.ok(said.kind === 'refusal' && said.code === 'upstream.rejected')
    assert.doesNotMatch(JSON.stringify(said.fault.detail), /BEGIN/)
  }
  await lenient.close()
})

const WAITS: readonly (readonly [behaviour: string, seconds: number | undefined])[] = [
  ['limited', 7],
  ['limited_oddly', undefined],
  ['limited_for_ever', 3_600],
]

for (const [behaviour, seconds] of WAITS) {
  test(`chat hands on how long to wait, within bounds: ${behaviour}`, async () => {
    const said = await chat(saying(behaviour))
    assert.ok(said.kind === 'refusal')
    assert.equal(said.code, 'upstream.limited')
    assert.equal(said.fault.retryAfterSeconds, seconds)
  })
}

test('chat hangs up on the provider when the caller goes away', async () => {
  let leave = (): void => {}
  const arrived = fake.nextRequest()
  const hungUp = fake.nextHangUp()
  const said = chat(saying('leaving'), (listener) => (leave = listener))
  await arrived
  leave()
  const outcome = await said
  assert.equal(outcome.kind === 'refusal' && outcome.code, 'input.aborted')
  await hungUp
})

test('chat acts only with a permit for this model', async () => {
  const route = inferRoute(scene.catalogue, CHAT)
  const forged: unknown = Object.create(Permit.prototype)
  const before = fake.received.length
  const request = deepFreeze({ model: 'house', messages: [] })
  for (const permit of [forged, {}, undefined]) {
    await assert.rejects(async () => route.act(permit as Permit, request, ACT_ONLY), { code: 'internal.bug' })
  }
  assert.equal(fake.received.length, before)
})

test('chat finds no model although a policy permits what is none', async () => {
  const open = modelsScene({ models: [], allows: () => true })
  const said = await ask(open, inferRoute(open.catalogue, CHAT), { body: saying('nobody') })
  assert.deepEqual(said.kind === 'refusal' && [said.code, said.stage], ['model.unknown', 'act'])
})

/** The same body with the text in the place of each string that may be any. */
function everywhere(text: string): readonly JsonObject[] {
  const message = (extra: JsonObject): JsonObject => ({
    model: 'parrot',
    messages: [{ role: 'user', content: 'x', ...extra }],
  })
  return [
    message({ content: text }),
    message({ content: [{ type: 'text', text }] }),
    message({ content: [{ type: 'image_url', image_url: { url: text } }] }),
    message({ name: text.slice(0, 256) }),
    message({ unknown_member: { deep: [text] } }),
    message({
      tool_calls: [
        { id: 'c', type: 'function', function: { name: 'f', arguments: JSON.stringify({ key: text }) } },
      ],
    }),
    { ...message({}), stop: [text] },
    { ...message({}), user: text },
    { ...message({}), metadata: { note: text } },
    { ...message({}), response_format: { type: 'json_schema', json_schema: { description: text } } },
    {
      ...message({}),
      tools: [
        { type: 'function', function: { name: 'f', description: text, parameters: { default: text } } },
      ],
    },
    { ...message({}), vendor: [{ any: text }] },
  ]
}

const SECRETS = plantedSecrets(SEED)

for (const { kind, text, secret } of SECRETS) {
  test(`chat keeps a planted secret from the provider, the answer and the ledger: ${kind}`, async () => {
    const needles = [secret.trim(), JSON.stringify(secret.trim()).slice(1, -1)]
    const isSafe = (seen: unknown): boolean =>
      !needles.some((needle) => (JSON.stringify(seen) + String(seen)).includes(needle))
    for (const body of everywhere(text)) {
      if (JSON.stringify(body).length > 0 && !JSON.stringify(body).includes(needles[1] ?? '')) continue
      const said = await chat(body)
      assert.ok(said.kind === 'answer', said.kind === 'refusal' ? said.code : '')
      assert.ok(isSafe(fake.received.at(-1)?.body), 'the provider')
      assert.ok(isSafe(said.json), 'the answer')
    }
    assert.ok(isSafe(scene.recorder.entries), 'the ledger')
  })
}

test('chat blocks instead when it is told to, in each direction', async () => {
  const [{ text }] = SECRETS as [(typeof SECRETS)[number]]
  const models = [{ name: 'parrot', model: 'parrot', baseUrl: `${fake.origin}/v1` }]
  const request = modelsScene({ models, request: 'block' })
  const before = fake.received.length
  const refused = await ask(request, inferRoute(request.catalogue, CHAT), { body: saying('parrot', text) })
  assert.deepEqual(refused.kind === 'refusal' && [refused.code, refused.stage], [
    'content.blocked',
    'inspect_request',
  ])
  assert.equal(fake.received.length, before)

  const response = modelsScene({ models, request: 'pass', response: 'block' })
  const withheld = await ask(response, inferRoute(response.catalogue, CHAT), { body: saying('parrot', text) })
  assert.deepEqual(withheld.kind === 'refusal' && [withheld.code, withheld.stage], [
    'content.blocked',
    'inspect_response',
  ])
  assert.ok(withheld.kind === 'refusal' && !withheld.fault.message.includes(text))
  await request.close()
  await response.close()
})

test('chat redacts what only the answer holds', async () => {
  const models = [{ name: 'parrot', model: 'parrot', baseUrl: `${fake.origin}/v1` }]
  const lenient = modelsScene({ models, request: 'pass', response: 'redact' })
  for (const { text, secret, rule } of SECRETS) {
    const said = await ask(lenient, inferRoute(lenient.catalogue, CHAT), { body: saying('parrot', text) })
    assert.ok(said.kind === 'answer')
    assert.ok(!said.json.includes(JSON.stringify(secret.trim()).slice(1, -1)))
    assert.ok(said.json.includes(`[redacted:${rule}]`))
  }
  await lenient.close()
})
