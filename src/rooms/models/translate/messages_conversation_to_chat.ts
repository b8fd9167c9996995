import type { JsonObject, JsonValue } from '#base/json.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { DOCUMENT, PICTURES } from './chat_media_to_blocks.ts'
import { printDataUrl } from './data_url.ts'
import { defined, type Given } from './given.ts'

/** Instructions become the first message; each result of a tool becomes a message of its own, where it stands. */
export function messagesConversationToChat(
  system: string | readonly Given[] | undefined,
  messages: readonly Given[],
): readonly JsonObject[] {
  const turns = messages.map((message) => ({ message, role: message.neededText('role') }))
  // Anthropic goes on with it, OpenAI would answer it.
  if (turns.at(-1)?.role === 'assistant') throw apiUnsupported('A last message of the assistant')
  const instructions = system === undefined ? [] : [{ role: 'system', content: textsOf(system) }]
  return [...instructions, ...turns.flatMap(({ message, role }) => messagesOf(message, role))]
}

function messagesOf(message: Given, role: string): readonly JsonObject[] {
  const content = message.textOrObjects('content') ?? message.refuse('content')
  message.done()
  if (role === 'system') return [{ role, content: textsOf(content) }]
  if (role !== 'user' && role !== 'assistant') return message.refuse('role')
  if (typeof content === 'string') return [{ role, content }]
  // Nothing at all is for the provider to judge.
  if (content.length === 0) return [{ role, content: [] }]
  return role === 'user' ? userMessagesOf(content) : [assistantMessageOf(content)]
}

function textsOf(content: string | readonly Given[]): JsonValue {
  return typeof content === 'string' ? content : content.map(partOfText)
}

function userMessagesOf(blocks: readonly Given[]): readonly JsonObject[] {
  const messages: JsonObject[] = []
  let parts: JsonObject[] | undefined
  for (const block of blocks) {
    if (block.any('type') === 'tool_result') {
      messages.push(toolMessageOf(block))
      parts = undefined
    } else if (parts === undefined) {
      parts = [partOf(block)]
      messages.push({ role: 'user', content: parts })
    } else parts.push(partOf(block))
  }
  return messages
}

function partOf(block: Given): JsonObject {
  const type = block.neededText('type')
  if (type === 'image') return partOfPicture(block)
  if (type === 'document') return partOfDocument(block)
  return partOfText(block)
}

function partOfText(block: Given): JsonObject {
  if (block.neededText('type') !== 'text') block.refuse('type')
  const text = block.neededText('text')
  block.onlyEmpty('citations')
  block.leaveOut('cache_control')
  block.done()
  return { type: 'text', text }
}

function partOfPicture(block: Given): JsonObject {
  const source = block.object('source') ?? block.refuse('source')
  block.leaveOut('cache_control')
  block.done()
  const type = source.neededText('type')
  const url = type === 'url' ? source.neededText('url') : bytesOf(source, PICTURES)
  source.done()
  return { type: 'image_url', image_url: { url } }
}

function partOfDocument(block: Given): JsonObject {
  const source = block.object('source') ?? block.refuse('source')
  const filename = block.text('title')
  const citations = block.object('citations')
  citations?.onlyAt('enabled', false)
  citations?.done()
  block.leaveOut('cache_control')
  block.done()
  source.neededText('type')
  const data = bytesOf(source, [DOCUMENT])
  source.done()
  return { type: 'file', file: defined({ file_data: data, filename }) }
}

function bytesOf(source: Given, mediaTypes: readonly string[]): string {
  if (source.any('type') !== 'base64') source.refuse('type')
  const mediaType = source.neededText('media_type')
  if (!mediaTypes.includes(mediaType)) source.refuse('media_type')
  return printDataUrl({ mediaType, data: source.neededText('data') })
}

function toolMessageOf(block: Given): JsonObject {
  block.onlyAt('is_error', false)
  block.leaveOut('cache_control')
  const id = block.neededText('tool_use_id')
  const content = block.textOrObjects('content') ?? ''
  block.done()
  return { role: 'tool', tool_call_id: id, content: textsOf(content) }
}

function assistantMessageOf(blocks: readonly Given[]): JsonObject {
  const parts: JsonObject[] = []
  const calls: JsonObject[] = []
  for (const block of blocks) {
    if (block.any('type') === 'tool_use') calls.push(callOf(block))
    // OpenAI's message has its text before its calls.
    else if (calls.length > 0) throw apiUnsupported(`${block.at('type')}: a text after a call of a tool`)
    else parts.push(partOfText(block))
  }
  if (calls.length === 0) return { role: 'assistant', content: parts }
  return { role: 'assistant', content: parts.length === 0 ? null : parts, tool_calls: calls }
}

/** A block of a request or of an answer. */
export function callOf(block: Given): JsonObject {
  const caller = block.object('caller')
  caller?.onlyAt('type', 'direct')
  caller?.done()
  block.any('type')
  block.leaveOut('cache_control')
  const called = {
    name: block.neededText('name'),
    arguments: JSON.stringify(block.json('input') ?? block.refuse('input')),
  }
  const id = block.neededText('id')
  block.done()
  return { id, type: 'function', function: called }
}
