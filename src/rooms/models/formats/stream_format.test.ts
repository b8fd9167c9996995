import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { allOf } from '../../../../test/support/stream_scene.ts'
import { ChatStream } from './chat_stream.ts'
import { eachOf, framesOf, streamedAnswer } from './stream_format.ts'

const CHUNK = `data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n`
const USAGE = `data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n`

const chat = (): ChatStream => new ChatStream({ model: 'm', isUsageAsked: false })

/** Pieces, and what was asked of them. */
function source(...texts: readonly string[]): {
  readonly asked: string[]
  readonly pieces: AsyncIterable<Uint8Array>
  readonly cancel: () => void
} {
  const asked: string[] = []
  return {
    asked,
    pieces: (async function* () {
      try {
        for (const text of texts) {
          asked.push('next')
          yield Buffer.from(text)
        }
      } finally {
        asked.push('over')
      }
    })(),
    cancel: () => asked.push('cancel'),
  }
}

test('framesOf asks for no more than it gives, and ends the exchange with the answer', async () => {
  const { asked, pieces } = source(CHUNK, CHUNK, 'data: [DONE]\n\n', CHUNK)
  const frames = eachOf(framesOf(chat(), pieces))
  assert.deepEqual(asked, [])
  await frames.next()
  assert.deepEqual(asked, ['next'])
  await frames.next()
  assert.deepEqual(asked, ['next', 'next'])
  assert.equal((await frames.next()).value?.ends, 'all')
  assert.equal((await frames.next()).done, true)
  assert.deepEqual(asked, ['next', 'next', 'next', 'over'])
})

test('framesOf ends the exchange when nobody reads on, and when the upstream breaks its format', async () => {
  const left = source(CHUNK, CHUNK)
  for await (const _ of framesOf(chat(), left.pieces)) break
  assert.deepEqual(left.asked, ['next', 'over'])

  const broken = source('data: x\n\n', CHUNK)
  await assert.rejects(allOf(eachOf(framesOf(chat(), broken.pieces))), { code: 'upstream.invalid' })
  assert.deepEqual(broken.asked, ['next', 'over'])
})

test('framesOf tells whether a stream was cut inside an event', async () => {
  for (const [texts, isInside] of [
    [[], false],
    [[CHUNK], false],
    [[CHUNK, CHUNK.slice(0, 9)], true],
  ] as const) {
    await assert.rejects(allOf(eachOf(framesOf(chat(), source(...texts).pieces))), (thrown) => {
      assert.ok(thrown instanceof Fault)
      assert.deepEqual(
        [thrown.code, thrown.detail],
        ['upstream.failed', { reason: 'cut', in_event: isInside }],
      )
      return true
    })
  }
})

test('streamedAnswer joins facts of the call and usage, and hands on the rest', async () => {
  const { asked, pieces, cancel } = source(CHUNK, USAGE, 'data: [DONE]\n\n')
  const answer = streamedAnswer(chat(), { pieces, cancel }, { provider: 'p', region: 'eu' })
  assert.deepEqual(answer.facts(), { provider: 'p', region: 'eu' })
  const frames = await allOf(eachOf(answer.frames))
  assert.equal(frames.length, 2)
  assert.deepEqual(answer.facts(), { provider: 'p', region: 'eu', tokens_in: 1, tokens_out: 2 })
  assert.equal(answer.end, 'data: [DONE]\n\n')
  assert.equal(answer.rest('0.content', 'x').texts[0]?.channel, '0.content')
  const [refusal] = answer.refuse({ fault: new Fault('upstream.slow'), id: 'entry00000000001' })
  assert.ok(JSON.stringify(refusal).includes('upstream.slow'))
  answer.cancel()
  assert.equal(asked.at(-1), 'cancel')
})
