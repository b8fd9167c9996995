import type { JsonObject, JsonValue } from '#base/json.ts'
import { apiUnsupported } from '../api_unsupported.ts'
import { blockOfPicture, blockOfFile } from './chat_media_to_blocks.ts'
import type { Given } from './given.ts'
import { readArguments } from './tool_arguments.ts'

export interface Conversation {
  readonly system: JsonValue | undefined
  readonly messages: readonly JsonObject[]
}

/** Instructions before all else become `system`, later ones messages of their own; results of tools become one message of the user. */
export function chatConversationToMessages(given: readonly Given[]): Conversation {
  const turns = given.map((message) => ({ message, role: message.neededText('role') }))
  const first = turns.findIndex(({ role }) => !isInstruction(role))
  if (first < 0) throw apiUnsupported('A conversation of instructions alone')
  const messages: JsonObject[] = []
  let results: JsonObject[] | undefined
  for (const { message, role } of turns.slice(first)) {
    if (role !== 'tool') {
      results = undefined
      messages.push(messageOf(message, role))
    } else if (results === undefined) {
      results = [resultOf(message)]
      messages.push({ role: 'user', content: results })
    } else results.push(resultOf(message))
  }
  // Anthropic would go on with it, OpenAI answers it.
  if (turns.at(-1)?.role === 'assistant') throw apiUnsupported('A last message of the assistant')
  return { system: systemOf(turns.slice(0, first).map(({ message }) => message)), messages }
}

function isInstruction(role: string): boolean {
  return role === 'system' || role === 'developer'
}

function systemOf(instructions: readonly Given[]): JsonValue | undefined {
  const contents = instructions.map(textsOf)
  if (contents.length < 2) return contents[0]
  return contents.flatMap((content) => (typeof content === 'string' ? [textBlock(content)] : content))
}

function messageOf(message: Given, role: string): JsonObject {
  if (isInstruction(role)) return { role: 'system', content: textsOf(message) }
  if (role === 'user') return { role, content: userContentOf(message) }
  if (role === 'assistant') return { role, content: assistantContentOf(message) }
  return message.refuse('role')
}

/** The content of a message that holds texts only. */
function textsOf(message: Given): string | readonly JsonObject[] {
  const content = message.textOrObjects('content') ?? message.refuse('content')
  message.done()
  return typeof content === 'string' ? content : content.map(blockOfText)
}

function userContentOf(message: Given): JsonValue {
  const content = message.textOrObjects('content') ?? message.refuse('content')
  message.done()
  return typeof content === 'string' ? content : content.map(blockOf)
}

function blockOf(part: Given): JsonObject {
  const type = part.neededText('type')
  if (type === 'image_url') return blockOfPicture(part)
  if (type === 'file') return blockOfFile(part)
  return blockOfText(part)
}

function blockOfText(part: Given): JsonObject {
  if (part.neededText('type') !== 'text') part.refuse('type')
  const text = part.neededText('text')
  part.done()
  return textBlock(text)
}

function assistantContentOf(message: Given): JsonValue {
  const content = message.textOrObjects('content')
  const calls = message.objects('tool_calls')?.map(callOf) ?? []
  message.onlyEmpty('refusal')
  message.onlyEmpty('annotations')
  message.done()
  if (calls.length === 0) {
    if (content === undefined) return message.refuse('content')
    return typeof content === 'string' ? content : content.map(blockOfText)
  }
  // Many clients send an empty text beside calls; Anthropic takes none.
  if (content === undefined || content === '') return calls
  return [...(typeof content === 'string' ? [textBlock(content)] : content.map(blockOfText)), ...calls]
}

function callOf(call: Given): JsonObject {
  if (call.any('type') !== 'function') call.refuse('type')
  const called = call.object('function') ?? call.refuse('function')
  const input = readArguments(called.neededText('arguments')) ?? called.refuse('arguments')
  const block = { type: 'tool_use', id: call.neededText('id'), name: called.neededText('name'), input }
  called.done()
  call.done()
  return block
}

function resultOf(message: Given): JsonObject {
  const id = message.neededText('tool_call_id')
  return { type: 'tool_result', tool_use_id: id, content: textsOf(message) }
}

function textBlock(text: string): JsonObject {
  return { type: 'text', text }
}
