import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '#base/json.ts'
import { randomFractions } from '../../../../test/support/planted_secrets.ts'
import { protectedValues } from '../../../../test/support/protected_values.ts'
import { through, wireOf, type Sent } from '../../../../test/support/split_channels.ts'
import { ChatStream } from './chat_stream.ts'
import { ResponsesStream } from './responses_stream.ts'
import type { StreamFormat } from './stream_format.ts'

type Padded = (at: number, text: string, obfuscation: string) => JsonObject

const chunk: Padded = (_at, content, obfuscation) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: { content }, finish_reason: null }],
  obfuscation,
})
const delta: Padded = (at, text, obfuscation) => ({
  type: 'response.output_text.delta',
  sequence_number: at,
  item_id: 'i',
  output_index: 0,
  content_index: 0,
  delta: text,
  obfuscation,
})
const COMPLETED = { type: 'response.completed', sequence_number: 99, response: { output: [] } }

const FORMATS: readonly (readonly [name: string, make: () => StreamFormat, padded: Padded, end: Sent])[] = [
  ['chat', () => new ChatStream({ model: 'm', isUsageAsked: true }), chunk, [undefined, '[DONE]']],
  ['responses', () => new ResponsesStream('m'), delta, ['response.completed', COMPLETED]],
]

const KEY =
  protectedValues()
    .find(({ kind }) => kind === 'GitHub personal token')
    ?.make(randomFractions(20_270_401)) ?? assert.fail()

for (const [name, make, padded, end] of FORMATS) {
  const read = async (said: readonly (readonly [text: string, padding: string])[]): Promise<JsonObject[]> => {
    const events = said.map(([text, padding], at): Sent => {
      const data = padded(at, text, padding)
      return [typeof data['type'] === 'string' ? data['type'] : undefined, data]
    })
    const pieces = [...events, end].map((event) => Buffer.from(wireOf([event])))
    return [...(await through(make(), pieces))]
  }

  test(`withOwnPadding of ${name}: as long as it was, and of our own characters`, async () => {
    const said = ['aB3', '', 'Zk9qLmW', 'aB3'].map((padding) => ['a word ', padding] as const)
    const got = (await read(said)).map(({ obfuscation }) => obfuscation)
    assert.deepEqual(got.slice(0, 4), ['xxx', '', 'xxxxxxx', 'xxx'])
  })

  test(`withOwnPadding of ${name}: nothing is said by the side of the text, whole or over many frames`, async () => {
    const whole = Array.from({ length: 4 }, (_, at) => ['a word ', at === 2 ? KEY : 'pad'] as const)
    const split = Array.from(KEY, (character) => ['a word ', character] as const)
    for (const said of [whole, split]) {
      const sent = await read(said)
      const paddings = sent
        .map(({ obfuscation }) => (typeof obfuscation === 'string' ? obfuscation : ''))
        .join('')
      assert.match(paddings, /^x+$/)
      assert.ok(!JSON.stringify(sent).includes(KEY))
    }
  })

  test(`withOwnPadding of ${name}: what is no text there is looked at like all else`, async () => {
    const [first] = await read([['a word ', [KEY] as unknown as string]])
    assert.ok(first !== undefined && Array.isArray(first['obfuscation']))
    assert.ok(!JSON.stringify(first).includes(KEY))
  })
}

test('withOwnPadding of responses: in every event, also in one that brings no text', async () => {
  const events = Array.from(KEY, (obfuscation, at): Sent => {
    const type = at % 2 === 0 ? 'response.in_progress' : 'response.output_text.annotation.added'
    return [type, { type, sequence_number: at, obfuscation, ...(at % 2 === 0 && { response: {} }) }]
  })
  const last: Sent = ['response.completed', { ...COMPLETED, obfuscation: KEY }]
  const sent = await through(new ResponsesStream('m'), [Buffer.from(wireOf([...events, last]))])
  assert.deepEqual(
    sent.map(({ obfuscation }) => obfuscation),
    [...Array.from(KEY, () => 'x'), 'x'.repeat(KEY.length)],
  )
})
