import { Fault } from '#base/fault.ts'
import { deepFreeze, isJsonObject, type JsonObject } from '#base/json.ts'
import type { StreamedAnswer, StreamFrame } from '#door/stream_frame.ts'
import type { Permit } from '#trust/access/authorize.ts'
import { invalidAnswer } from '../http_provider.ts'
import type { StreamFormat } from '../formats/stream_format.ts'
import type { CallContext, ModelApi, ModelConnection, ProviderAnswer } from '../provider.ts'
import type { Translation } from './translation.ts'

/** A connection that also answers requests of one more API, by way of one that it speaks. */
export class TranslatingConnection implements ModelConnection {
  readonly #inner: ModelConnection
  readonly #translation: Translation

  constructor(inner: ModelConnection, translation: Translation) {
    this.#inner = inner
    this.#translation = translation
  }

  async call(
    api: ModelApi,
    permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<ProviderAnswer> {
    const { from, to } = this.#translation
    if (api !== from) return this.#inner.call(api, permit, request, context)
    const asked = this.#translation.request(request)
    const answer = await this.#inner.call(to, permit, asked, context)
    if (!isJsonObject(answer.body)) throw invalidAnswer('answer_shape')
    try {
      return { ...answer, body: deepFreeze(this.#translation.answer(answer.body)) }
    } catch (thrown) {
      throw withUsage(thrown, answer)
    }
  }

  async stream(
    api: ModelApi,
    permit: Permit,
    request: JsonObject,
    context: CallContext,
  ): Promise<StreamedAnswer> {
    const { from, to } = this.#translation
    if (api !== from) return this.#inner.stream(api, permit, request, context)
    const asked = this.#translation.request(request)
    const inner = await this.#inner.stream(to, permit, asked, context)
    const spoken = this.#translation.stream(request)
    const { format } = spoken
    return {
      frames: translated(inner.frames, spoken),
      cancel: () => inner.cancel(),
      rest: (channel, text) => format.rest(channel, text),
      refuse: (refusal) => format.refuse(refusal),
      end: format.end,
      secret: inner.secret,
      facts: () => inner.facts(),
    }
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}

/** The model has answered, so the ledger is told what that cost, as far as the model told it. */
function withUsage(thrown: unknown, { usage }: ProviderAnswer): unknown {
  if (!(thrown instanceof Fault)) return thrown
  const { code, detail, say } = thrown
  return new Fault(code, { ...detail, ...usage, taken: true }, say === undefined ? {} : { say })
}

async function* translated(
  batches: AsyncIterable<Iterable<StreamFrame>>,
  { translator, format, last }: ReturnType<Translation['stream']>,
): AsyncGenerator<Iterable<StreamFrame>, void, undefined> {
  for await (const batch of batches) yield inOther(batch)
  yield atEnd()

  function* inOther(frames: Iterable<StreamFrame>): Generator<StreamFrame, void, undefined> {
    for (const { value } of frames)
      for (const event of translator.push(value)) yield* read(format, JSON.stringify(event))
  }

  function* atEnd(): Generator<StreamFrame, void, undefined> {
    for (const event of translator.end()) yield* read(format, JSON.stringify(event))
    if (last !== undefined) yield* read(format, last)
  }
}

function read(format: StreamFormat, data: string): readonly StreamFrame[] {
  return format.read({ event: undefined, data })
}
