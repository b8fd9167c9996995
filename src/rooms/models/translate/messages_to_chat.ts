import { MessagesStream } from '../formats/messages_stream.ts'
import { chatAnswerToMessage } from './chat_answer_to_message.ts'
import { ChatStreamToMessage } from './chat_stream_to_message.ts'
import { messagesRequestToChat } from './messages_request_to_chat.ts'
import type { Translation } from './translation.ts'

/** Anthropic's Messages, answered by a provider that speaks OpenAI's chat completions. `model` is the public name. */
export function messagesToChat({ model }: { readonly model: string }): Translation {
  return {
    from: 'messages',
    to: 'chat',
    request: messagesRequestToChat,
    answer: (answer) => chatAnswerToMessage(answer, { model }),
    stream: () => ({
      translator: new ChatStreamToMessage({ model }),
      format: new MessagesStream(model),
      last: undefined,
    }),
  }
}
