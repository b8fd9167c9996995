import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { Fault } from '#base/fault.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { checkMessagesRequest } from '../messages_request.ts'
import { chatRequestToMessages } from './chat_request_to_messages.ts'
import { messagesRequestToChat } from './messages_request_to_chat.ts'

const SEED = 20_261_122
const SCHEMA = { type: 'object', properties: { a: { type: 'string' } } }

const toMessages = (request: JsonObject): JsonObject => chatRequestToMessages(request, { maxTokens: 4_096 })

const text = fc.string({ minLength: 1, maxLength: 12 })
const word = fc.string({ minLength: 1, maxLength: 8, unit: fc.constantFrom('a', 'b', 'c', '_', '0', '9') })
const textBlock = text.map((one): JsonObject => ({ type: 'text', text: one }))
const textBlocks = fc.array(textBlock, { minLength: 1, maxLength: 3 })
const texts: fc.Arbitrary<JsonValue> = fc.oneof(text, textBlocks)
const input = fc
  .dictionary(word, fc.oneof(text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(text)))
  .map((members): JsonObject => ({ ...members }))
const use = fc
  .record({ id: word, name: word, input })
  .map((members): JsonObject => ({ type: 'tool_use', ...members }))
const picture = fc.constantFrom<JsonObject>(
  { type: 'image', source: { type: 'base64', media_type: 'image/webp', data: 'QUJD' } },
  { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } },
  { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'QUJD' }, title: 'a' },
)
const userTurn = fc
  .oneof(texts, fc.array(fc.oneof(textBlock, picture), { minLength: 1, maxLength: 3 }))
  .map((content): JsonObject => ({ role: 'user', content }))
const result = fc
  .record({ tool_use_id: word, content: texts })
  .map((members): JsonObject => ({ type: 'tool_result', ...members }))
const toolTurns = fc
  .tuple(fc.array(textBlock, { maxLength: 2 }), fc.array(use, { minLength: 1, maxLength: 3 }))
  .chain(([said, uses]) =>
    fc.array(result, { minLength: 1, maxLength: 3 }).map((results): readonly JsonObject[] => [
      { role: 'assistant', content: [...said, ...uses] },
      { role: 'user', content: results },
    ]),
  )
const otherTurns = fc.oneof(
  texts.map((content): JsonObject => ({ role: 'assistant', content })),
  texts.map((content): JsonObject => ({ role: 'system', content })),
  userTurn,
)
const conversation = fc
  .tuple(userTurn, fc.array(fc.oneof(toolTurns, fc.tuple(otherTurns)), { maxLength: 5 }), userTurn)
  .map(([first, between, last]) => [first, ...between.flat(), last])
const settings = fc.record(
  {
    system: texts,
    stop_sequences: fc.array(text, { minLength: 1, maxLength: 3 }),
    temperature: fc.double({ min: 0, max: 1, noNaN: true }),
    top_p: fc.double({ min: 0, max: 1, noNaN: true }),
    metadata: text.map((user_id) => ({ user_id })),
    stream: fc.boolean(),
    output_config: fc.constant({ format: { type: 'json_schema', schema: SCHEMA } }),
    service_tier: fc.constantFrom('auto', 'standard_only'),
  },
  { requiredKeys: [] },
)
const tools = fc
  .tuple(
    fc.array(fc.record({ name: word, description: text, input_schema: fc.constant(SCHEMA) }), {
      minLength: 1,
      maxLength: 3,
    }),
    fc.constantFrom<JsonObject>(
      { type: 'auto' },
      { type: 'any' },
      { type: 'none' },
      { type: 'tool', name: 'f' },
      { type: 'any', disable_parallel_tool_use: true },
    ),
  )
  .map(([list, choice]): JsonObject => ({ tools: list, tool_choice: choice }))
const messagesRequest = fc
  .tuple(conversation, settings, fc.option(tools), fc.integer({ min: 1, max: 9_999 }))
  .map(([messages, rest, some, max_tokens]): JsonObject =>
    structuredClone({ model: 'm', max_tokens, messages, ...rest, ...some }),
  )

test('chatRequestToMessages undoes messagesRequestToChat', () => {
  fc.assert(
    fc.property(messagesRequest, (request) => {
      checkMessagesRequest(request)
      const chat = messagesRequestToChat(request)
      assert.deepEqual(toMessages(chat), request)
      // And once there, nothing changes any more.
      assert.deepEqual(messagesRequestToChat(toMessages(chat)), chat)
    }),
    { seed: SEED, numRuns: 500 },
  )
})

test('both translations refuse any member that they do not know, wherever it stands', () => {
  fc.assert(
    fc.property(messagesRequest, fc.nat(), (request, at) => {
      const chat = messagesRequestToChat(request)
      assert.throws(() => toMessages(planted(chat, at)), isUnsupported)
      assert.throws(() => messagesRequestToChat(planted(request, at)), isUnsupported)
    }),
    { seed: SEED, numRuns: 300 },
  )
})

test('both translations make a fault of anything, and nothing else', () => {
  const anything = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('{}', [], {}, [{}], [null], -1))
  fc.assert(
    fc.property(messagesRequest, fc.nat(), anything, (request, at, value) => {
      for (const [asked, translate] of [
        [request, messagesRequestToChat],
        [messagesRequestToChat(request), toMessages],
      ] as const) {
        const spoilt = replaced(asked, at, value as JsonValue)
        try {
          translate(spoilt)
        } catch (thrown) {
          assert.ok(isUnsupported(thrown), `${String(thrown)} of ${JSON.stringify(spoilt)}`)
        }
      }
    }),
    { seed: SEED, numRuns: 2_000 },
  )
})

/** The value with another value at one of its places. */
function replaced(request: JsonObject, at: number, value: JsonValue): JsonObject {
  const copy = structuredClone(request) as Record<string, unknown>
  const places: Record<string, unknown>[] = []
  collect(copy, places)
  const place = places[at % places.length] ?? copy
  const names = Object.keys(place)
  place[names[at % names.length] ?? 'text'] = value
  return copy as JsonObject
}

function isUnsupported(thrown: unknown): boolean {
  return thrown instanceof Fault && thrown.code === 'api.unsupported'
}

/** The value with a member more in one of its objects, but not in one of the caller's own. */
function planted(request: JsonObject, at: number): JsonObject {
  const copy = structuredClone(request) as Record<string, unknown>
  const places: Record<string, unknown>[] = []
  collect(copy, places)
  const place = places[at % places.length] ?? copy
  place['unheard_of'] = 1
  return copy as JsonObject
}

const OWN = new Set(['input', 'input_schema', 'parameters', 'schema'])

function collect(value: unknown, places: Record<string, unknown>[]): void {
  if (typeof value !== 'object' || value === null) return
  if (!Array.isArray(value)) places.push(value as Record<string, unknown>)
  for (const [name, inner] of Object.entries(value)) if (!OWN.has(name)) collect(inner, places)
}
