import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import type { StreamedAnswer, StreamFrame } from '#door/stream_frame.ts'
import { allOf } from '../../../../test/support/stream_scene.ts'
import { eachOf } from '../formats/stream_format.ts'
import { CallLife } from './call_life.ts'
import { MemberCall } from './member.ts'
import { beginStream, pooledStream } from './pooled_stream.ts'

const FRAME: StreamFrame = { event: undefined, value: {}, texts: [], ends: [] }

interface Told {
  readonly stream: StreamedAnswer
  readonly life: CallLife
  /** What the member and the stream were told, in order. */
  readonly told: string[]
}

/** A stream of one frame that goes on until it is cancelled, and then ends as if all were well. */
async function begun(timeoutMs: number): Promise<Told> {
  const told: string[] = []
  const cancelled = Promise.withResolvers<void>()
  const answer: StreamedAnswer = {
    frames: (async function* frames() {
      yield [FRAME]
      await cancelled.promise
    })(),
    cancel: () => {
      told.push('cancel')
      cancelled.resolve()
    },
    rest: () => FRAME,
    refuse: () => [],
    end: '',
    facts: () => ({ tokens_in: 1, model: 'own' }),
  }
  const note = (word: string) => () => void told.push(word)
  const pass = {
    begun: note('begun'),
    succeeded: note('succeeded'),
    failed: note('failed'),
    left: note('left'),
  }
  const call = new MemberCall(pass, { took: () => undefined, cool: () => undefined, end: note('end') })
  const life = new CallLife({ onAbort: () => undefined }, timeoutMs)
  const parts = { call, life, recheck: () => undefined, facts: { model: 'a' } }
  return { stream: pooledStream(await beginStream(answer), parts), life, told }
}

test('pooledStream ends with why it was stopped, also where its source then ends well', async () => {
  const { stream, life, told } = await begun(60_000)
  setTimeout(() => life.stop(new Fault('action.denied')), 5)
  await assert.rejects(allOf(eachOf(stream.frames)), { code: 'action.denied' })
  assert.deepEqual(told, ['cancel', 'left', 'end'])
})

test('pooledStream lets go of its member when its time is over, though nobody ever reads it', async () => {
  const { told } = await begun(5)
  while (!told.includes('end')) await new Promise((resolve) => setTimeout(resolve, 2))
  assert.deepEqual(told, ['cancel', 'left', 'end'])
})

test('pooledStream lets go of its member when its reader leaves, and says so once', async () => {
  const { stream, told } = await begun(60_000)
  for await (const frame of eachOf(stream.frames)) {
    assert.equal(frame, FRAME)
    stream.cancel()
    break
  }
  stream.cancel()
  assert.deepEqual(
    told.filter((word) => word !== 'cancel'),
    ['left', 'end'],
  )
})

test('pooledStream puts the facts of the pool over those of its member', async () => {
  const { stream } = await begun(60_000)
  assert.deepEqual(stream.facts(), { tokens_in: 1, model: 'a' })
  stream.cancel()
})
