import type { Route } from '#door/route.ts'
import type { Catalogue } from './catalogue.ts'
import { checkChatRequest, unknownChatField } from './chat_request.ts'
import { checkCountTokensRequest, unknownCountTokensField } from './count_tokens_request.ts'
import { checkEmbeddingsRequest, unknownEmbeddingsField } from './embeddings_request.ts'
import { inferRoute, type ModelCall, type ModelRequest } from './infer_route.ts'
import { checkMessagesRequest, unknownMessagesField } from './messages_request.ts'
import { checkResponsesRequest, unknownResponsesField } from './responses_request.ts'

/** As OpenAI's clients send it. */
export const CHAT: ModelCall = {
  name: 'chat',
  path: '/v1/chat/completions',
  api: 'chat',
  envelope: 'openai',
  streams: true,
  check: checkChatRequest,
  unknownField: unknownChatField,
}

export const RESPONSES: ModelCall = {
  name: 'responses',
  path: '/v1/responses',
  api: 'responses',
  envelope: 'openai',
  streams: true,
  check: checkResponsesRequest,
  unknownField: unknownResponsesField,
}

export const EMBEDDINGS: ModelCall = {
  name: 'embeddings',
  path: '/v1/embeddings',
  api: 'embeddings',
  envelope: 'openai',
  streams: false,
  check: checkEmbeddingsRequest,
  unknownField: unknownEmbeddingsField,
}

/** As Anthropic's clients send it. */
export const MESSAGES: ModelCall = {
  name: 'messages',
  path: '/v1/messages',
  api: 'messages',
  envelope: 'anthropic',
  streams: true,
  check: checkMessagesRequest,
  unknownField: unknownMessagesField,
}

export const COUNT_TOKENS: ModelCall = {
  name: 'count_tokens',
  path: '/v1/messages/count_tokens',
  api: 'count_tokens',
  envelope: 'anthropic',
  streams: false,
  check: checkCountTokensRequest,
  unknownField: unknownCountTokensField,
}

/** Every way to ask a model something. */
export function inferRoutes(catalogue: Catalogue): readonly Route<ModelRequest>[] {
  return [CHAT, RESPONSES, EMBEDDINGS, MESSAGES, COUNT_TOKENS].map((call) => inferRoute(catalogue, call))
}
