import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import type { JsonObject } from '#base/json.ts'
import { writeEvent } from '#base/sse.ts'
import { authorize } from '#trust/access/authorize.ts'
import {
  events,
  startFakeMessagesUpstream,
  type FakeMessagesUpstream,
} from '../../../../test/fakes/messages_upstream.ts'
import { CALLER, decider, ENDLESS, StillClock } from '../../../../test/support/door_parts.ts'
import type { ModelConnection, ModelSettings } from '../provider.ts'
import { anthropic } from '../providers/anthropic.ts'
import { openai } from '../providers/openai.ts'
import { messagesToChat } from './messages_to_chat.ts'
import { TranslatingConnection } from './translating_connection.ts'
import { eachOf } from '../formats/stream_format.ts'

/** The clients that people use read what we translate, without a door between. */

const PERMIT = authorize(
  { current: () => decider(() => true) },
  {
    caller: CALLER,
    action: 'model:infer',
    target: { ref: { type: 'Model', id: 'house' }, entities: [] },
    findings: [],
  },
)
const CONTEXT = { id: 'entry00000000001', memory: ENDLESS, onAbort: () => {} }
const PARTS = { clock: new StillClock(), redact: (text: string) => text }

const USE = { type: 'tool_use', id: 'toolu_1', name: 'weather', input: {} }
const CALL = { id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } }
const chunk = (delta: object, finish_reason: string | null = null): object => ({
  id: 'chatcmpl-1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'theirs',
  choices: [{ index: 0, delta, finish_reason }],
})
const calling = (json: string): object => chunk({ tool_calls: [{ index: 0, function: { arguments: json } }] })

let fake: FakeMessagesUpstream
let server: Server
let origin: string
let connections: Readonly<Record<string, ModelConnection>>

before(async () => {
  fake = await startFakeMessagesUpstream({
    messaging: events(
      {
        type: 'message_start',
        message: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          content: [],
          usage: { input_tokens: 9, output_tokens: 1 },
        },
      },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Let me ' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'look.' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'content_block_start', index: 1, content_block: USE },
      {
        type: 'content_block_delta',
        index: 1,
        delta: { type: 'input_json_delta', partial_json: '{"city":' },
      },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '"Bern"}' } },
      { type: 'content_block_stop', index: 1 },
      {
        type: 'message_delta',
        delta: { stop_reason: 'tool_use', stop_sequence: null },
        usage: { output_tokens: 7 },
      },
      { type: 'message_stop' },
    ),
    chatting: events(
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'Let me ' }),
      chunk({ content: 'look.' }),
      chunk({ tool_calls: [{ index: 0, ...CALL }] }),
      calling('{"city":'),
      calling('"Bern"}'),
      chunk({}, 'tool_calls'),
      { ...chunk({}), choices: [], usage: { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 } },
      '[DONE]',
    ),
  })
  const inner = openai.open(settingsOf('chatting'), PARTS)
  connections = {
    '/v1/chat/completions': anthropic.open(settingsOf('messaging'), PARTS),
    '/v1/messages': new TranslatingConnection(inner, messagesToChat({ model: 'house' })),
  }
  server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})

after(async () => {
  await Promise.all(Object.values(connections).map((connection) => connection.close()))
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
  await fake.close()
})

function settingsOf(model: string): ModelSettings {
  return {
    name: 'house',
    provider: 'any',
    baseUrl: fake.origin,
    model,
    key: { kind: 'none' },
    auth: 'bearer',
    region: undefined,
    extensions: 'pass',
    timeoutMs: 2_000,
    maxAnswerBytes: 100_000,
  }
}

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const chunks: Buffer[] = []
  for await (const piece of request) chunks.push(piece as Buffer)
  const asked = JSON.parse(Buffer.concat(chunks).toString()) as JsonObject
  const connection = connections[request.url ?? '']
  assert.ok(connection)
  const api = request.url === '/v1/messages' ? 'messages' : 'chat'
  const stream = await connection.stream(api, PERMIT, asked, CONTEXT)
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  for await (const { event, value } of eachOf(stream.frames))
    response.write(writeEvent(event, JSON.stringify(value)))
  response.end(stream.end)
}

test('the client of OpenAI reads a stream of Anthropics', async () => {
  const client = new OpenAI({ apiKey: 'any', baseURL: `${origin}/v1` })
  const stream = client.chat.completions.stream({
    model: 'house',
    messages: [{ role: 'user', content: 'How is the weather in Bern?' }],
    stream_options: { include_usage: true },
  })
  const said = await stream.finalChatCompletion()
  const [choice] = said.choices
  assert.equal(said.model, 'house')
  assert.equal(choice?.message.content, 'Let me look.')
  assert.equal(choice.finish_reason, 'tool_calls')
  const [call] = choice.message.tool_calls ?? []
  assert.ok(call?.type === 'function')
  assert.deepEqual(
    [call.id, call.function.name, call.function.arguments],
    ['toolu_1', 'weather', '{"city":"Bern"}'],
  )
  assert.deepEqual(said.usage, { prompt_tokens: 9, completion_tokens: 7, total_tokens: 16 })
})

test('the client of Anthropic reads a stream of OpenAIs', async () => {
  const client = new Anthropic({ apiKey: 'any', baseURL: origin })
  const stream = client.messages.stream({
    model: 'house',
    max_tokens: 99,
    messages: [{ role: 'user', content: 'How is the weather in Bern?' }],
  })
  const said = await stream.finalMessage()
  assert.equal(said.model, 'house')
  assert.equal(said.stop_reason, 'tool_use')
  const [text, use] = said.content
  assert.ok(text?.type === 'text' && use?.type === 'tool_use')
  assert.equal(text.text, 'Let me look.')
  assert.deepEqual([use.id, use.name, use.input], ['call_1', 'weather', { city: 'Bern' }])
  assert.deepEqual([said.usage.input_tokens, said.usage.output_tokens], [9, 7])
})
