import { Fault } from '../../src/base/fault.ts'
import type { JsonObject, JsonValue } from '../../src/base/json.ts'
import type { StreamedAnswer, StreamFrame } from '../../src/door/stream_frame.ts'

/** A streamed answer whose frames come as a test says, in the smallest format there can be. */
export interface ScriptedStream {
  readonly answer: StreamedAnswer
  /** One more frame, or what goes wrong in its place. */
  push(...frames: readonly (StreamFrame | Error)[]): void
  /** No more frames come. */
  end(): void
  /** How often it was cancelled. */
  cancels(): number
  /** Frames that were asked for. */
  asked(): number
}

/** What frames of this format hold: pieces of texts by channel, and anything else. */
export function frame(
  texts: Readonly<Record<string, string>>,
  ends: StreamFrame['ends'] = [],
  more: JsonObject = {},
): StreamFrame {
  return {
    event: undefined,
    value: { ...more, texts },
    texts: Object.keys(texts).map((channel) => ({ channel, path: ['texts', channel] })),
    ends,
  }
}

export function scriptedStream(...frames: readonly (StreamFrame | Error)[]): ScriptedStream {
  const waiting = [...frames]
  let isEnded = false
  let cancels = 0
  let asked = 0
  let wake = (): void => undefined
  async function* walk(): AsyncGenerator<Iterable<StreamFrame>, void, undefined> {
    for (;;) {
      asked += 1
      if (waiting.length === 0 && !isEnded && cancels === 0)
        await new Promise<void>((resolve) => (wake = resolve))
      const next = waiting.shift()
      if (cancels > 0) throw new Fault('input.aborted', { reason: 'cancelled' })
      if (next instanceof Error) throw next
      if (next === undefined) return
      yield [next]
    }
  }
  return {
    answer: {
      frames: walk(),
      cancel: () => {
        cancels += 1
        wake()
      },
      rest: (channel, text) => frame({ [channel]: text }, [], { rest: channel }),
      refuse: ({ fault, id }) => [{ event: 'refused', data: { code: fault.code, id } }],
      end: 'data: END\n\n',
      facts: () => ({}),
    },
    push: (...more) => {
      waiting.push(...more)
      wake()
    },
    end: () => {
      isEnded = true
      wake()
    },
    cancels: () => cancels,
    asked: () => asked,
  }
}

export interface Heard {
  /** The values of the frames, in order. */
  readonly values: readonly JsonObject[]
  /** The texts of each channel, put together. */
  readonly texts: Readonly<Record<string, string>>
  readonly isEnded: boolean
  readonly refused: JsonValue
}

/** What a client makes of the written form. */
export function hear(wire: string): Heard {
  const texts: Record<string, string> = {}
  const values: JsonObject[] = []
  let isEnded = false
  let refused: JsonValue = null
  for (const event of wire.split('\n\n').filter((text) => text !== '')) {
    const data = event.slice(event.indexOf('data: ') + 'data: '.length)
    if (data === 'END') isEnded = true
    else if (event.startsWith('event: refused')) refused = JSON.parse(data) as JsonValue
    else {
      const value = JSON.parse(data) as JsonObject & { readonly texts: Readonly<Record<string, string>> }
      values.push(value)
      for (const [channel, text] of Object.entries(value.texts))
        texts[channel] = (texts[channel] ?? '') + text
    }
  }
  return { values, texts, isEnded, refused }
}
