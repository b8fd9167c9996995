import type { JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { Fault } from '#base/fault.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { invalidAnswer } from '../http_provider.ts'
import { countsOfChat, printMessagesUsage, type TokenCounts } from '../token_counts.ts'
import { DIRECT, NO_COUNTS, printStop, stopOf } from './chat_answer_to_message.ts'
import { Given } from './given.ts'
import type { StreamTranslator } from './stream_translator.ts'

/** What is being said: Anthropic's blocks come one after the other. */
interface Block {
  readonly kind: 'text' | 'call'
  readonly index: number
  /** OpenAI's index of the call. */
  readonly call: number | undefined
}

/** Chunks of OpenAI's chat completions as the events of Anthropic's Messages. */
export class ChatStreamToMessage implements StreamTranslator {
  readonly #model: string
  #hasStarted = false
  #block: Block | undefined
  #blocks = 0
  readonly #calls = new Set<number>()
  #finishReason: string | undefined
  #refusal = ''
  #counts: TokenCounts = NO_COUNTS

  /** `model` is the public name. */
  constructor({ model }: { readonly model: string }) {
    this.#model = model
  }

  push(chunk: JsonObject): readonly JsonObject[] {
    const given = new Given(chunk)
    this.#counts = countsOfChat(chunk['usage']) ?? this.#counts
    const events: JsonObject[] = this.#hasStarted ? [] : [this.#start(given.text('id') ?? '')]
    for (const choice of given.objects('choices') ?? []) events.push(...this.#read(choice))
    return events
  }

  end(): readonly JsonObject[] {
    const stop = stopOf({
      finishReason: this.#finishReason,
      hasCalls: this.#calls.size > 0,
      refusal: this.#refusal,
    })
    return [
      ...this.#stopBlock(),
      { type: 'message_delta', delta: printStop(stop), usage: printMessagesUsage(this.#counts) },
      { type: 'message_stop' },
    ]
  }

  /** What the request cost is not known yet: the counts come with the last event but one. */
  #start(id: string): JsonObject {
    this.#hasStarted = true
    const message = {
      id,
      type: 'message',
      role: 'assistant',
      model: this.#model,
      content: [],
      stop_reason: null,
      stop_sequence: null,
      stop_details: null,
      usage: printMessagesUsage(NO_COUNTS),
    }
    return { type: 'message_start', message }
  }

  #read(choice: Given): readonly JsonObject[] {
    if ((choice.number('index') ?? 0) !== 0) choice.refuse('index')
    const delta = choice.object('delta')
    this.#finishReason = choice.text('finish_reason') ?? this.#finishReason
    choice.onlyAt('logprobs')
    choice.leaveOut('stop_reason')
    choice.done()
    return delta === undefined ? [] : this.#readDelta(delta)
  }

  #readDelta(delta: Given): readonly JsonObject[] {
    const text = delta.text('content') ?? ''
    const calls = delta.objects('tool_calls') ?? []
    this.#keepRefusal(delta.text('refusal') ?? '')
    delta.leaveOut('role')
    delta.onlyEmpty('annotations')
    delta.onlyEmpty('reasoning_content')
    delta.onlyEmpty('reasoning')
    delta.done()
    return [
      ...(text === '' ? [] : this.#text(text)),
      ...calls.flatMap((call, at) => this.#call(call, call.number('index') ?? at)),
    ]
  }

  /** Anthropic says it once, at the end. */
  #keepRefusal(text: string): void {
    this.#refusal += text
    if (this.#refusal.length > MOST_REFUSAL) throw new Fault('upstream.oversized', { reason: 'refusal' })
  }

  #text(text: string): readonly JsonObject[] {
    const before =
      this.#block?.kind === 'text'
        ? []
        : this.#startBlock({ kind: 'text', call: undefined }, { type: 'text', text: '', citations: null })
    return [...before, this.#delta({ type: 'text_delta', text })]
  }

  #call(call: Given, index: number): readonly JsonObject[] {
    const id = call.text('id')
    call.onlyAt('type', 'function')
    const called = call.object('function')
    const name = called?.text('name')
    const json = called?.text('arguments') ?? ''
    called?.done()
    call.done()
    const before = this.#block?.call === index ? [] : this.#startCall(index, { id, name })
    return json === '' ? before : [...before, this.#delta({ type: 'input_json_delta', partial_json: json })]
  }

  #startCall(
    index: number,
    { id, name }: { readonly id: string | undefined; readonly name: string | undefined },
  ): readonly JsonObject[] {
    // A block that has ended does not go on: calls that are made in turns cannot be said.
    if (this.#calls.has(index)) throw apiUnsupported('Calls of tools whose arguments come in turns')
    if (id === undefined || name === undefined || name === '') throw invalidAnswer('stream_call')
    if (this.#calls.size >= LIMITS.streamCalls) throw invalidAnswer('stream_calls')
    this.#calls.add(index)
    return this.#startBlock(
      { kind: 'call', call: index },
      { type: 'tool_use', id, name, input: {}, caller: DIRECT },
    )
  }

  #startBlock(block: Omit<Block, 'index'>, content: JsonObject): readonly JsonObject[] {
    const before = this.#stopBlock()
    const index = this.#blocks
    this.#blocks += 1
    this.#block = { ...block, index }
    return [...before, { type: 'content_block_start', index, content_block: content }]
  }

  #stopBlock(): readonly JsonObject[] {
    const block = this.#block
    this.#block = undefined
    return block === undefined ? [] : [{ type: 'content_block_stop', index: block.index }]
  }

  #delta(delta: JsonObject): JsonObject {
    return { type: 'content_block_delta', index: this.#block?.index ?? 0, delta }
  }
}

/** Characters of a refusal, which is a sentence or two, and is kept until the end. */
const MOST_REFUSAL = 65_536
