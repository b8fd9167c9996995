import type { Clock } from '#base/clock.ts'
import { Fault } from '#base/fault.ts'
import { deepFreeze, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { ModelSettings, Provider, ProviderAnswer } from '../provider.ts'

/** Says back the last text of the user. Built in, so that a fresh door can be tried without any provider. */
export const echo: Provider = {
  id: 'echo',
  why: 'A first governed answer needs no account, no key and no network.',
  open: (settings, { clock }) => ({
    complete: async (_permit, request, { id }) => answer(settings, clock, request, id),
    close: async () => {},
  }),
}

const NO_TEXT = '(no text from the user)'

function answer(settings: ModelSettings, clock: Clock, request: JsonObject, id: string): ProviderAnswer {
  const messages = asArray(request['messages'])
  const content = `echo: ${lastUserText(messages)}`
  const choices = typeof request['n'] === 'number' ? request['n'] : 1
  const tokensIn = messages.reduce<number>((sum, message) => sum + countTokens(textOf(message)), 0)
  const tokensOut = choices * countTokens(content)
  const frame: JsonObject = {
    id: `chatcmpl-echo-${id}`,
    object: 'chat.completion',
    created: Math.floor(clock.now() / 1_000),
    model: settings.name,
    choices: [],
    usage: {
      prompt_tokens: tokensIn,
      completion_tokens: tokensOut,
      total_tokens: tokensIn + tokensOut,
    },
    // Nobody should take this for a model.
    system_fingerprint: 'gatehouse-echo',
  }
  // Every choice repeats the text: an answer of many times the size of the request is refused before it is made.
  const bytes = bytesOf(frame) + choices * (bytesOf(choice(choices, content)) + 1)
  if (bytes > settings.maxAnswerBytes) throw new Fault('upstream.oversized', { reason: 'answer_bytes' })
  const body = { ...frame, choices: Array.from({ length: choices }, (_, index) => choice(index, content)) }
  return { status: 200, body: deepFreeze(body), usage: { tokens_in: tokensIn, tokens_out: tokensOut } }
}

function choice(index: number, content: string): JsonObject {
  const message = { role: 'assistant', content, refusal: null }
  return { index, message, logprobs: null, finish_reason: 'stop' }
}

function bytesOf(value: JsonValue): number {
  return Buffer.byteLength(JSON.stringify(value))
}

function lastUserText(messages: readonly JsonValue[]): string {
  const message = messages.findLast((one) => isJsonObject(one) && one['role'] === 'user')
  const text = message === undefined ? '' : textOf(message)
  return text === '' ? NO_TEXT : text
}

function textOf(message: JsonValue): string {
  if (!isJsonObject(message)) return ''
  const content = message['content']
  if (typeof content === 'string') return content
  return asArray(content)
    .map((part) => (isJsonObject(part) && typeof part['text'] === 'string' ? part['text'] : ''))
    .filter((text) => text !== '')
    .join('\n')
}

/** About right for English, and always the same. */
function countTokens(text: string): number {
  return Math.ceil(text.length / 4)
}

function asArray(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : []
}
