import { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseStrictJson } from '#base/strict_json.ts'
import type { ActContext, Acted, RawRequest, Route } from '#door/route.ts'
import { checkPermit, type Permit } from '#trust/access/authorize.ts'
import type { Catalogue } from './catalogue.ts'
import { checkChatRequest, unknownField, type ChatRequest } from './chat_request.ts'

const ACTION = 'model:infer'

/** `POST /v1/chat/completions`, as OpenAI's clients send it. */
export function chatRoute(catalogue: Catalogue): Route<ChatRequest> {
  return {
    name: 'chat',
    listener: 'door',
    method: 'POST',
    path: '/v1/chat/completions',
    envelope: 'openai',
    action: ACTION,
    record: 'grouped',
    inspect: { request: 'all', response: 'all' },
    parse,
    target: (request) => catalogue.target(request.model),
    act: (permit, request, context) => act(catalogue, permit, request, context),
  }
}

function parse({ query, body }: RawRequest): ChatRequest {
  // A query could say something else than the body, so there is none; and its names are the caller's: none is said.
  if (query.length > 0) {
    throw new Fault(
      'input.invalid',
      {},
      { say: 'This route takes no query parameters; all fields are in the body.' },
    )
  }
  const value = parseStrictJson(body, LIMITS)
  checkChatRequest(value)
  return value
}

async function act(
  catalogue: Catalogue,
  permit: Permit,
  request: ChatRequest,
  { id, memory, onAbort }: ActContext,
): Promise<Acted> {
  const model = catalogue.find(request.model)
  checkPermit(permit, ACTION, catalogue.target(request.model).ref)
  if (model === undefined) throw new Fault('model.unknown')
  const { settings, connection } = model
  if (settings.extensions === 'refuse') checkExtensions(request)
  const { status, body, usage } = await connection.complete(permit, request, { id, memory, onAbort })
  const facts: Record<string, JsonValue> = { provider: settings.provider, ...usage }
  if (settings.region !== undefined) facts['region'] = settings.region
  return { status, body, facts }
}

function checkExtensions(request: ChatRequest): void {
  const unknown = unknownField(request)
  if (unknown !== undefined)
    throw new Fault('extension.refused', {}, { say: `The model does not take ${unknown}.` })
}
