import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { invalidAnswer } from '../http_provider.ts'
import { countsOfMessages, printChatUsage } from '../token_counts.ts'
import { Given } from './given.ts'
import { explanationOf, finishReasonOf, type ChatFrame } from './message_to_chat_answer.ts'
import type { StreamTranslator } from './stream_translator.ts'

export interface ChatStreamFrame extends ChatFrame {
  /** Whether the caller wants a last chunk with the usage of tokens. */
  readonly isUsageAsked: boolean
}

/** The events of Anthropic's Messages as chunks of OpenAI's chat completions. */
export class MessageStreamToChat implements StreamTranslator {
  readonly #frame: ChatStreamFrame
  #id = ''
  /** The call that is being made, and whether it has had arguments. */
  #call: { readonly index: number; hasArguments: boolean } | undefined
  #calls = 0
  #usage: JsonObject = {}
  #isFinished = false
  #isStopped = false

  constructor(frame: ChatStreamFrame) {
    this.#frame = frame
  }

  push(event: JsonObject): readonly JsonObject[] {
    switch (event['type']) {
      case 'message_start':
        return [this.#start(event['message'])]
      case 'content_block_start':
        return this.#startBlock(objectOf(event, 'content_block'))
      case 'content_block_delta':
        return this.#delta(objectOf(event, 'delta'))
      case 'content_block_stop':
        return this.#stopBlock()
      case 'message_delta':
        return this.#finish(event)
      case 'message_stop':
        this.#isStopped = true
        return []
      case 'ping':
        return []
      default:
        throw apiUnsupported('An event of the answer')
    }
  }

  end(): readonly JsonObject[] {
    if (!this.#isStopped || !this.#isFinished) throw invalidAnswer('stream_unfinished')
    const usage = countsOfMessages(this.#usage)
    if (!this.#frame.isUsageAsked || usage === undefined) return []
    return [{ ...this.#chunk([]), usage: printChatUsage(usage) }]
  }

  #start(message: JsonValue | undefined): JsonObject {
    if (!isJsonObject(message)) throw invalidAnswer('stream_message')
    const { id, usage } = message
    this.#id = typeof id === 'string' ? id : ''
    this.#readUsage(usage)
    return this.#choice({ role: 'assistant', content: '' })
  }

  #startBlock(block: Given): readonly JsonObject[] {
    const type = block.neededText('type')
    if (type === 'tool_use') return [this.#startCall(block)]
    if (type !== 'text') return block.refuse('type')
    if (this.#calls > 0) throw apiUnsupported('A text after a call of a tool')
    const text = block.text('text') ?? ''
    block.onlyEmpty('citations')
    block.done()
    return text === '' ? [] : [this.#choice({ content: text })]
  }

  #startCall(block: Given): JsonObject {
    const caller = block.object('caller')
    caller?.onlyAt('type', 'direct')
    caller?.done()
    block.onlyEmpty('input')
    const id = block.neededText('id')
    const called = { name: block.neededText('name'), arguments: '' }
    block.done()
    const index = this.#calls
    this.#call = { index, hasArguments: false }
    this.#calls += 1
    return this.#choice({ tool_calls: [{ index, id, type: 'function', function: called }] })
  }

  #delta(delta: Given): readonly JsonObject[] {
    const type = delta.neededText('type')
    if (type === 'text_delta') {
      const text = delta.neededText('text')
      delta.done()
      return [this.#choice({ content: text })]
    }
    if (type !== 'input_json_delta' || this.#call === undefined) return delta.refuse('type')
    const json = delta.neededText('partial_json')
    delta.done()
    if (json === '') return []
    this.#call.hasArguments = true
    return [this.#arguments(this.#call.index, json)]
  }

  #stopBlock(): readonly JsonObject[] {
    const call = this.#call
    this.#call = undefined
    // No arguments at all are an object for Anthropic's clients; OpenAI's read a text as JSON.
    return call === undefined || call.hasArguments ? [] : [this.#arguments(call.index, '{}')]
  }

  #finish(event: JsonObject): readonly JsonObject[] {
    this.#readUsage(event['usage'])
    const { delta } = event
    const reason = isJsonObject(delta) ? delta['stop_reason'] : undefined
    if (!isJsonObject(delta) || typeof reason !== 'string') return []
    this.#isFinished = true
    const refusal = reason === 'refusal' ? explanationOf(delta['stop_details']) : null
    return [
      ...(refusal === null || refusal === '' ? [] : [this.#choice({ refusal })]),
      this.#choice({}, finishReasonOf(reason)),
    ]
  }

  /** Later events tell sums, and only of what has changed. */
  #readUsage(usage: JsonValue | undefined): void {
    if (!isJsonObject(usage)) return
    const told = Object.entries(usage).filter(([, value]) => value !== null)
    this.#usage = { ...this.#usage, ...Object.fromEntries(told) }
  }

  #arguments(index: number, json: string): JsonObject {
    return this.#choice({ tool_calls: [{ index, function: { arguments: json } }] })
  }

  #choice(delta: JsonObject, finishReason: string | null = null): JsonObject {
    return this.#chunk([{ index: 0, delta, logprobs: null, finish_reason: finishReason }])
  }

  #chunk(choices: readonly JsonObject[]): JsonObject {
    const { model, created } = this.#frame
    return { id: this.#id, object: 'chat.completion.chunk', created, model, choices }
  }
}

function objectOf(event: JsonObject, name: string): Given {
  const value = event[name]
  if (!isJsonObject(value)) throw invalidAnswer('stream_block')
  return new Given(value, name)
}
