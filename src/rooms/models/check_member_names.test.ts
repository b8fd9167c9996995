import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import { LIMITS } from '#base/limits.ts'
import { checkChatRequest, unknownChatField } from './chat_request.ts'

const SEED = 20_261_122
const MESSAGE = { role: 'user', content: 'hello' }
const BASE = { model: 'm', messages: [MESSAGE] }

function sayOf(value: JsonValue): string {
  try {
    checkChatRequest(value)
  } catch (thrown) {
    assert.ok(thrown instanceof Fault && thrown.code === 'input.invalid', String(thrown))
    return thrown.say ?? ''
  }
  return 'accepted'
}

const withMessage = (extra: JsonObject): JsonObject => ({
  ...BASE,
  messages: [MESSAGE, { ...MESSAGE, ...extra }],
})
const withPart = (extra: JsonObject): JsonObject =>
  withMessage({ content: [{ type: 'text', text: 'x', ...extra }] })
const withTool = (extra: JsonObject): JsonObject => ({
  ...BASE,
  tools: [{ type: 'function', function: { name: 'f' }, ...extra }],
})

const LOOK_ALIKES: readonly (readonly [why: string, value: JsonValue, path: string])[] = [
  ['upper case', { ...BASE, MODEL: 'other' }, 'model'],
  ['one letter', { ...BASE, Stream: true }, 'stream'],
  ['the long s', { ...BASE, 'me\u017f\u017fages': [] }, 'messages'],
  ['the Kelvin sign', { ...BASE, 'max_to\u212aens': 9 }, 'max_tokens'],
  ['full width', { ...BASE, '\uff4dodel': 'other' }, 'model'],
  ['camel case', { ...BASE, maxTokens: 9 }, 'max_tokens'],
  ['dashes', { ...BASE, 'max-tokens': 9 }, 'max_tokens'],
  ['dots', { ...BASE, 'max.tokens': 9 }, 'max_tokens'],
  ['a namespace of nothing', { ...BASE, '::model': 'other' }, 'model'],
  ['a slash', { ...BASE, '/model': 'other' }, 'model'],
  ['a zero-width space', { ...BASE, 'mo\u200bdel': 'other' }, 'model'],
  ['a field that is not sent itself', { ...BASE, Tools: [] }, 'tools'],
  ['in a message', withMessage({ Content: 'other' }), 'messages[1].content'],
  ['in a message, the role', withMessage({ ROLE: 'system' }), 'messages[1].role'],
  ['in a part', withPart({ Text: 'other' }), 'messages[1].content[0].text'],
  [
    'in the address of a picture',
    withPart({ image_url: { url: 'https://a/', URL: 'https://b/' } }),
    'messages[1].content[0].image_url.url',
  ],
  [
    'in the call of a tool',
    withMessage({
      tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{}', Arguments: '{}' } }],
    }),
    'messages[1].tool_calls[0].function.arguments',
  ],
  ['in a tool', withTool({ Function: { name: 'g' } }), 'tools[0].function'],
  ['in the function of a tool', withTool({ function: { name: 'f', Name: 'g' } }), 'tools[0].function.name'],
  [
    'in the choice of a tool',
    { ...BASE, tool_choice: { type: 'function', function: { name: 'f', NAME: 'g' } } },
    'tool_choice.function.name',
  ],
  [
    'in what a prediction says',
    { ...BASE, prediction: { type: 'content', content: [{ type: 'text', text: 'x', TEXT: 'y' }] } },
    'prediction.content[0].text',
  ],
  [
    'in the options of a stream',
    { ...BASE, stream_options: { Include_Usage: true } },
    'stream_options.include_usage',
  ],
]

for (const [why, value, path] of LOOK_ALIKES) {
  test(`checkMemberNames refuses another form of a known name: ${why}`, () => {
    assert.equal(sayOf(value), `${path} must be written exactly so.`)
  })
}

test('checkMemberNames refuses siblings that differ in form only, in every object of known shape', () => {
  const twins = { top_k: 1, Top_K: 2 }
  for (const value of [{ ...BASE, ...twins }, withMessage(twins), withPart(twins), withTool(twins)]) {
    assert.match(sayOf(value), /^Two members of one object/)
  }
})

const NOT_PLAIN: readonly (readonly [why: string, name: string])[] = [
  ['a NUL at the end', 'model\u0000'],
  ['a NUL within', 'mod\u0000el'],
  ['a space at the end', 'model '],
  ['a space before', ' api_base'],
  ['a line break', 'model\n'],
  ['a tab', '\tmodel'],
  ['a space of another kind', 'api\u00a0base'],
  ['a next line control', 'model\u0085'],
  ['an escape', 'model\u001b'],
  ['a Cyrillic letter', 'mod\u0435l'],
  ['brackets', 'model[]'],
  ['a quote', 'model"'],
  ['a dollar', '$model'],
  ['nothing', ''],
]

for (const [why, name] of NOT_PLAIN) {
  test(`checkMemberNames refuses an unknown name that is not plain: ${why}`, () => {
    const twist = { [name]: 'x' }
    for (const value of [{ ...BASE, ...twist }, withMessage(twist), withPart(twist), withTool(twist)])
      assert.match(sayOf(value), /^A member that is not known has a name/)
    assert.equal(sayOf({ ...BASE, metadata: twist }), 'accepted')
  })
}

const FREE: readonly (readonly [why: string, value: JsonValue])[] = [
  [
    'parameters of a tool',
    withTool({
      function: {
        name: 'f',
        parameters: { type: 'object', properties: { a: {}, A: {}, MODEL: {}, api_key: {} } },
      },
    }),
  ],
  [
    'the schema of an answer',
    { ...BASE, response_format: { type: 'json_schema', json_schema: { a: 1, A: 2 } } },
  ],
  ['metadata', { ...BASE, metadata: { a: '1', A: '2', Model: '3', provider: '4', route: '/x' } }],
  [
    'plain unknown members',
    { ...BASE, top_k: 1, 'x-vendor': 1, 'vendor::field.a/b': 1, enableThinking: true },
  ],
  ['what is inside an unknown member', { ...BASE, vendor: { a: 1, A: 2, MODEL: 'x', api_base: 'y' } }],
  [
    'unknown members of many messages',
    { ...BASE, messages: Array.from({ length: 1_000 }, () => ({ ...MESSAGE, cache: 1 })) },
  ],
]

for (const [why, value] of FREE) {
  test(`checkMemberNames leaves names to the caller: ${why}`, () => {
    assert.equal(sayOf(value), 'accepted')
  })
}

const REROUTING: readonly (readonly [name: string, said?: string])[] = [
  ['models'],
  ['Models', 'models'],
  ['route'],
  ['provider'],
  ['providerOptions', 'provider_options'],
  ['fallbacks'],
  ['content_policy_fallbacks'],
  ['custom_llm_provider'],
  ['model_list'],
  ['deployment_id'],
  ['prompt_id'],
  ['preset'],
  ['lora_path'],
  ['user_config'],
  ['api_base'],
  ['apiBase', 'api_base'],
  ['API_KEY', 'api_key'],
  ['base_url'],
  ['extra_headers'],
  ['extra_body'],
  ['data_sources'],
  ['dataSources', 'data_sources'],
  ['plugins'],
  ['kv_transfer_params'],
  ['bootstrap_host'],
  ['mcp_servers'],
  ['api.base', 'api_base'],
  ['api:base', 'api_base'],
  ['draft_model'],
  ['safety_model'],
  ['compound_custom'],
  ['connector_id'],
  ['connectors'],
  ['tensorzero::extra_body', 'tensorzero…'],
  ['tensorzero::credentials', 'tensorzero…'],
  ['TensorZero.Extra_Headers', 'tensorzero…'],
  ['aws_bedrock_runtime_endpoint', 'aws_…'],
  ['vertex_credentials', 'vertex_…'],
  ['azure_endpoint', 'azure…'],
  ['litellm_params', 'litellm_…'],
  ['langfuse_host', 'langfuse_…'],
]

for (const [name, said = name] of REROUTING) {
  test(`checkMemberNames refuses what could lead a request elsewhere: ${name}`, () => {
    const say = (path: string): string =>
      `${path}${said} is not accepted: only model says which model is called, and nothing says where.`
    assert.equal(sayOf({ ...BASE, [name]: 'x' }), say(''))
    assert.equal(sayOf(withTool({ [name]: 'x' })), say('tools[0].'))
  })
}

test('checkMemberNames refuses a model inside of a tool', () => {
  assert.match(sayOf(withTool({ model: 'other' })), /^tools\[0\]\.model is not accepted/)
})

test('checkMemberNames refuses addresses and keys in metadata', () => {
  for (const name of ['api_base', 'Api_Base', 'user_config', 'langfuse_host', 'LangSmith_Base_URL']) {
    assert.match(
      sayOf({ ...BASE, metadata: { [name]: 'https://elsewhere.example' } }),
      /^metadata\.\w+…? is not/,
    )
  }
})

test('checkMemberNames repeats no name that the caller made up', () => {
  const values: readonly JsonValue[] = [
    { ...BASE, 'planted-value': 1, plantedvalue: 2 },
    { ...BASE, aws_planted: 1 },
    { ...BASE, metadata: { langfuse_planted: 1 } },
    { ...BASE, ['planted'.repeat(10)]: 1 },
  ]
  for (const value of values) {
    const say = sayOf(value)
    assert.notEqual(say, 'accepted')
    assert.ok(!say.includes('planted'), say)
  }
})

test('checkMemberNames bounds what folding costs: long names, many names, and names that grow', () => {
  assert.match(sayOf({ ...BASE, ['x'.repeat(65)]: 1 }), /more than 64 characters/)
  const many = Object.fromEntries(Array.from({ length: 257 }, (_, index) => [`x${index}y`, 1]))
  assert.match(sayOf({ ...BASE, ...many }), /More than 256 members/)
  const growing = Array.from({ length: 10_000 }, (_, index) => ({
    ...MESSAGE,
    ['\ufdfa'.repeat(60) + String(index)]: 1,
  }))
  const startedAt = performance.now()
  assert.match(sayOf({ ...BASE, messages: growing }), /^A member that is not known has a name/)
  assert.ok(performance.now() - startedAt < 1_000)
})

test(`checkMemberNames leaves one reading only: what a reader blind to case and form takes is what was checked (seed ${SEED})`, () => {
  const disguise = fc.constantFrom(
    (name: string) => name,
    (name: string) => name.toUpperCase(),
    (name: string) => name.replace('s', '\u017f'),
    (name: string) => name.replace('k', '\u212a'),
    (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    (name: string) => `${name}x`,
  )
  const field = fc.constantFrom('model', 'messages', 'stream', 'tools', 'max_tokens', 'top_k', 'user')
  const extra = fc.array(fc.tuple(field, disguise), { maxLength: 4 })
  fc.assert(
    fc.property(extra, (members) => {
      const text = members.map(([name, change]) => `,${JSON.stringify(change(name))}:"other"`).join('')
      let value: JsonValue
      try {
        value = parseStrictJson(
          Buffer.from(`{"model":"m","messages":[{"role":"user","content":"x"}]${text}}`),
          LIMITS,
        )
      } catch {
        return
      }
      if (sayOf(value) !== 'accepted') return
      // As encoding/json of Go: exact or by simple folding, the last one wins.
      const bound = Object.entries(value as JsonObject).filter(([name]) => /^model$/iu.test(name))
      assert.deepEqual(bound, [['model', 'm']])
      assert.equal(
        Object.keys(value as JsonObject).filter((name) => /^(?:messages|stream|tools)$/iu.test(name)).length,
        1,
      )
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('unknownChatField still names unknown members, and none where all are known', () => {
  const value: JsonValue = withPart({ video: 1 })
  checkChatRequest(value)
  assert.equal(unknownChatField(value), 'messages[1].content[0].video')
})
