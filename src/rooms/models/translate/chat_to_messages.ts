import type { Clock } from '#base/clock.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { ChatStream } from '../formats/chat_stream.ts'
import { chatRequestToMessages, type AnswerLength } from './chat_request_to_messages.ts'
import { MessageStreamToChat } from './message_stream_to_chat.ts'
import { messageToChatAnswer } from './message_to_chat_answer.ts'
import type { Translation } from './translation.ts'

export interface ChatToMessagesParts extends AnswerLength {
  /** The public name. */
  readonly model: string
  readonly clock: Clock
}

/** OpenAI's chat completions, answered by a provider that speaks Anthropic's Messages. */
export function chatToMessages({ model, clock, maxTokens }: ChatToMessagesParts): Translation {
  const created = (): number => Math.floor(clock.now() / 1_000)
  return {
    from: 'chat',
    to: 'messages',
    request: (request) => chatRequestToMessages(request, { maxTokens }),
    answer: (answer) => messageToChatAnswer(answer, { model, created: created() }),
    stream: (request) => {
      const isUsageAsked = asksForUsage(request)
      return {
        translator: new MessageStreamToChat({ model, created: created(), isUsageAsked }),
        format: new ChatStream({ model, isUsageAsked }),
        last: '[DONE]',
      }
    },
  }
}

function asksForUsage({ stream_options: options }: JsonObject): boolean {
  return isJsonObject(options) && options['include_usage'] === true
}
