import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { countsOfMessages, printChatUsage } from '../token_counts.ts'
import { Given } from './given.ts'
import { callOf } from './messages_conversation_to_chat.ts'

/** What an answer says that is not the provider's to say. */
export interface ChatFrame {
  /** The public name. */
  readonly model: string
  /** Seconds since 1970. */
  readonly created: number
}

/**
 * An answer of Anthropic's Messages as one of OpenAI's chat completions. Throws `api.unsupported` for content that has no
 * equal. Facts about how it was served (tiers, containers, diagnostics) are not content and are left out.
 */
export function messageToChatAnswer(answer: JsonObject, { model, created }: ChatFrame): JsonObject {
  const given = new Given(answer)
  const texts: string[] = []
  const calls: JsonObject[] = []
  for (const block of given.objects('content') ?? given.refuse('content')) {
    if (block.any('type') === 'tool_use') calls.push(callOf(block))
    else if (calls.length > 0) throw apiUnsupported(`${block.at('type')}: a text after a call of a tool`)
    else texts.push(textOf(block))
  }
  const stopReason = given.neededText('stop_reason')
  const message = {
    role: 'assistant',
    content: texts.length === 0 && calls.length > 0 ? null : texts.join(''),
    refusal: stopReason === 'refusal' ? explanationOf(answer['stop_details']) : null,
    ...(calls.length === 0 ? {} : { tool_calls: calls }),
  }
  const usage = countsOfMessages(answer['usage'])
  return {
    id: given.text('id') ?? '',
    object: 'chat.completion',
    created,
    model,
    choices: [{ index: 0, message, logprobs: null, finish_reason: finishReasonOf(stopReason) }],
    ...(usage === undefined ? {} : { usage: printChatUsage(usage) }),
  }
}

const FINISH_REASONS: Readonly<Record<string, string>> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  tool_use: 'tool_calls',
  refusal: 'content_filter',
}

/** Throws `api.unsupported` for a reason that OpenAI does not have, as for a turn that the client is to go on with. */
export function finishReasonOf(stopReason: string): string {
  const reason = Object.hasOwn(FINISH_REASONS, stopReason) ? FINISH_REASONS[stopReason] : undefined
  if (reason === undefined) throw apiUnsupported('stop_reason')
  return reason
}

/** Why the model refused, where it says so. */
export function explanationOf(stopDetails: JsonValue | undefined): string | null {
  const explanation = isJsonObject(stopDetails) ? stopDetails['explanation'] : undefined
  return typeof explanation === 'string' ? explanation : null
}

function textOf(block: Given): string {
  if (block.neededText('type') !== 'text') block.refuse('type')
  const text = block.neededText('text')
  block.onlyEmpty('citations')
  block.done()
  return text
}
