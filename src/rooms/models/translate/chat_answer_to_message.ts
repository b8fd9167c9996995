import type { JsonObject, JsonValue } from '#base/json.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { invalidAnswer } from '../http_provider.ts'
import { countsOfChat, printMessagesUsage } from '../token_counts.ts'
import { Given } from './given.ts'
import { readArguments } from './tool_arguments.ts'

/**
 * An answer of OpenAI's chat completions as one of Anthropic's Messages. Throws `api.unsupported` for content that has no
 * equal, and `upstream.invalid` for arguments of a tool that are no JSON object. Facts about how it was served are left out.
 */
export function chatAnswerToMessage(answer: JsonObject, { model }: { readonly model: string }): JsonObject {
  const given = new Given(answer)
  const [choice, ...others] = given.objects('choices') ?? given.refuse('choices')
  if (choice === undefined) throw invalidAnswer('answer_shape')
  if (others.length > 0) given.refuse('choices')
  const message = choice.object('message') ?? choice.refuse('message')
  const finishReason = choice.text('finish_reason')
  choice.onlyAt('logprobs')
  // Some servers say here which stop sequence it was; the field has no fixed meaning.
  choice.leaveOut('index', 'stop_reason')
  choice.done()
  const calls = message.objects('tool_calls')?.map(blockOfCall) ?? []
  const refusal = message.text('refusal')
  const content = [...blocksOfText(message), ...calls]
  finishMessage(message)
  const usage = countsOfChat(answer['usage'])
  return {
    id: given.text('id') ?? '',
    type: 'message',
    role: 'assistant',
    model,
    content,
    ...printStop(stopOf({ finishReason, hasCalls: calls.length > 0, refusal })),
    usage: printMessagesUsage(usage ?? NO_COUNTS),
  }
}

/** Of a server that counts nothing. Anthropic's clients need numbers. */
export const NO_COUNTS = {
  prompt: 0,
  completion: 0,
  cached: undefined,
  written: undefined,
  thought: undefined,
} as const

/** Why an answer ended. */
export interface Stop {
  readonly reason: string
  /** What the model said instead of an answer. */
  readonly refusal: string | undefined
}

const STOP_REASONS: Readonly<Record<string, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
  content_filter: 'refusal',
}

export interface Ending {
  readonly finishReason: string | undefined
  readonly hasCalls: boolean
  readonly refusal: string | undefined
}

/**
 * Throws `api.unsupported` for a reason that Anthropic does not have. A call that was forced ends with `stop`, and is a call
 * all the same.
 */
export function stopOf({ finishReason, hasCalls, refusal }: Ending): Stop {
  if (finishReason === undefined) throw invalidAnswer('answer_unfinished')
  if (refusal !== undefined && refusal !== '') return { reason: 'refusal', refusal }
  if (hasCalls && finishReason === 'stop') return { reason: 'tool_use', refusal: undefined }
  const reason = Object.hasOwn(STOP_REASONS, finishReason) ? STOP_REASONS[finishReason] : undefined
  if (reason === undefined) throw apiUnsupported('finish_reason')
  return { reason, refusal: undefined }
}

/** The members of a message, or of its last delta, that say so. */
export function printStop({ reason, refusal }: Stop): JsonObject {
  const details: JsonValue =
    reason === 'refusal' ? { type: 'refusal', category: null, explanation: refusal ?? null } : null
  return { stop_reason: reason, stop_sequence: null, stop_details: details }
}

function blocksOfText(message: Given): readonly JsonObject[] {
  const text = message.text('content')
  return text === undefined || text === '' ? [] : [{ type: 'text', text, citations: null }]
}

/** Nothing else may be said in a message: not the sources of a text, no sound, no thoughts. */
function finishMessage(message: Given): void {
  message.leaveOut('role')
  message.onlyEmpty('annotations')
  message.onlyEmpty('reasoning_content')
  message.onlyEmpty('reasoning')
  message.done()
}

/** The model itself called the tool, no code that it wrote. */
export const DIRECT = { type: 'direct' } as const

function blockOfCall(call: Given): JsonObject {
  call.onlyAt('type', 'function')
  const called = call.object('function') ?? call.refuse('function')
  const input = readArguments(called.neededText('arguments'))
  if (input === undefined) throw invalidAnswer('answer_arguments')
  const [id, name] = [call.neededText('id'), called.neededText('name')]
  called.done()
  call.leaveOut('index')
  call.done()
  return { type: 'tool_use', id, name, input, caller: DIRECT }
}
