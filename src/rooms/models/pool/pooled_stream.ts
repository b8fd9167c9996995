import { asFault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import type { StreamedAnswer, StreamFrame } from '#door/stream_frame.ts'
import type { CallLife } from './call_life.ts'
import type { MemberCall } from './member.ts'
import { eachOf } from '../formats/stream_format.ts'
import { POOL_LIMITS } from './pool_limits.ts'

/** A stream of a member whose first frame is there. */
export interface BegunStream {
  readonly answer: StreamedAnswer
  readonly frames: AsyncIterator<StreamFrame>
  readonly first: IteratorResult<StreamFrame>
}

export interface PooledStreamParts {
  readonly call: MemberCall
  readonly life: CallLife
  /** Throws when policy no longer lets the caller use the member. */
  readonly recheck: () => void
  readonly facts: Readonly<Record<string, JsonValue>>
}

/** Waits for the first frame: until then nothing was handed on, and another member may still be asked. */
export async function beginStream(answer: StreamedAnswer): Promise<BegunStream> {
  const frames = eachOf(answer.frames)
  try {
    return { answer, frames, first: await frames.next() }
  } catch (thrown) {
    answer.cancel()
    throw thrown
  }
}

/** The stream of a member as one of the pool. From here on it ends as it ends: nobody else is asked. */
export function pooledStream(begun: BegunStream, parts: PooledStreamParts): StreamedAnswer {
  const { answer } = begun
  const { call, life, recheck, facts } = parts
  const timer = setInterval(() => {
    try {
      recheck()
    } catch (thrown) {
      life.stop(asFault(thrown))
    }
  }, POOL_LIMITS.recheckMs)
  const close = (): void => {
    clearInterval(timer)
    call.end()
    life.end()
  }
  const cancel = (): void => {
    answer.cancel()
    close()
  }
  life.onStop(cancel)
  return {
    frames: walk(begun, parts, close),
    cancel,
    rest: (channel, text) => answer.rest(channel, text),
    refuse: (refusal) => answer.refuse(refusal),
    end: answer.end,
    secret: answer.secret,
    facts: () => ({ ...answer.facts(), ...facts }),
  }
}

async function* walk(
  { frames, first }: BegunStream,
  { call, life }: PooledStreamParts,
  close: () => void,
): AsyncGenerator<readonly StreamFrame[], void, undefined> {
  try {
    for (let next = first; next.done !== true; next = await frames.next()) {
      if (life.stopped !== undefined) throw life.stopped
      yield [next.value]
    }
    if (life.stopped !== undefined) throw life.stopped
    call.succeeded()
  } catch (thrown) {
    const fault = life.stopped ?? asFault(thrown)
    call.failed(fault)
    throw fault
  } finally {
    close()
    await frames.return?.()
  }
}
