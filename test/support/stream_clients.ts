import { createAnthropic } from '@ai-sdk/anthropic'
import { createOpenAI } from '@ai-sdk/openai'
import Anthropic from '@anthropic-ai/sdk'
import { jsonSchema, streamText, type LanguageModel, type ToolSet } from 'ai'
import OpenAI from 'openai'
import { TOOL, type SpokenApi } from '../fakes/streamed_answers.ts'

/** What an application has at the end of a stream. */
export interface Gathered {
  text: string
  reasoning: string
  refusal: string
  /** As the client hands them to the tool: parsed where it parses. */
  toolArguments: string
  tokensIn: number
  tokensOut: number
}

/** One real client, as an application uses it on a stream. Throws what the client throws. */
export interface StreamClient {
  readonly name: string
  readonly api: SpokenApi
  readonly gather: (to: Address) => Promise<Gathered>
  /** Members of what it gathers that it does not know. */
  readonly lacks: readonly (keyof Gathered)[]
}

export interface Address {
  /** Without a path. */
  readonly origin: string
  readonly key: string
  readonly model: string
  readonly prompt?: string
  readonly signal?: AbortSignal
  /** Told once, with the first piece of the answer. */
  readonly onFirst?: () => void
}

const SCHEMA = { type: 'object', properties: { command: { type: 'string' } } } as const

export function openaiClient({ origin, key }: Pick<Address, 'origin' | 'key'>): OpenAI {
  return new OpenAI({ apiKey: key, baseURL: `${origin}/v1`, maxRetries: 0 })
}

export function anthropicClient({ origin, key }: Pick<Address, 'origin' | 'key'>): Anthropic {
  return new Anthropic({ apiKey: key, baseURL: origin, maxRetries: 0 })
}

export function aiModels({
  origin,
  key,
}: Pick<Address, 'origin' | 'key'>): Readonly<Record<SpokenApi, (model: string) => LanguageModel>> {
  const options = { apiKey: key, baseURL: `${origin}/v1` }
  const [openai, anthropic] = [createOpenAI(options), createAnthropic(options)]
  return {
    chat: (model) => openai.chat(model),
    responses: (model) => openai.responses(model),
    messages: (model) => anthropic(model),
  }
}

export const AI_TOOLS: ToolSet = { [TOOL]: { inputSchema: jsonSchema(SCHEMA) } }

const NOTHING: Gathered = {
  text: '',
  reasoning: '',
  refusal: '',
  toolArguments: '',
  tokensIn: 0,
  tokensOut: 0,
}

function chatRequest({ model, prompt = 'hi' }: Address) {
  return {
    model,
    messages: [{ role: 'user', content: prompt }],
    tools: [{ type: 'function', function: { name: TOOL, parameters: SCHEMA } }],
    stream_options: { include_usage: true },
  } satisfies Omit<OpenAI.ChatCompletionCreateParamsStreaming, 'stream'>
}

function responsesRequest({ model, prompt = 'hi' }: Address) {
  return {
    model,
    input: prompt,
    tools: [{ type: 'function', name: TOOL, parameters: SCHEMA, strict: false }],
  } satisfies Omit<OpenAI.Responses.ResponseCreateParamsStreaming, 'stream'>
}

function messagesRequest({ model, prompt = 'hi' }: Address) {
  return {
    model,
    max_tokens: 100,
    messages: [{ role: 'user', content: prompt }],
    tools: [{ name: TOOL, input_schema: SCHEMA }],
  } satisfies Omit<Anthropic.MessageCreateParamsStreaming, 'stream'>
}

function options({ signal }: Address) {
  return signal === undefined ? {} : { signal }
}

/** Not in the types, and sent by many servers. */
function reasoningOf(message: object): string {
  return 'reasoning_content' in message && typeof message.reasoning_content === 'string'
    ? message.reasoning_content
    : ''
}

async function chatPieces(to: Address): Promise<Gathered> {
  const all = { ...NOTHING }
  const stream = await openaiClient(to).chat.completions.create(
    { ...chatRequest(to), stream: true },
    options(to),
  )
  for await (const { choices, usage } of stream) {
    to.onFirst?.()
    const delta = choices[0]?.delta
    all.text += delta?.content ?? ''
    all.refusal += delta?.refusal ?? ''
    all.reasoning += delta === undefined ? '' : reasoningOf(delta)
    all.toolArguments += delta?.tool_calls?.[0]?.function?.arguments ?? ''
    all.tokensIn += usage?.prompt_tokens ?? 0
    all.tokensOut += usage?.completion_tokens ?? 0
  }
  return all
}

async function chatHelper(to: Address): Promise<Gathered> {
  const stream = openaiClient(to).chat.completions.stream(chatRequest(to), options(to))
  stream.once('chunk', () => to.onFirst?.())
  const { choices, usage } = await stream.finalChatCompletion()
  const message = choices[0]?.message
  const call = message?.tool_calls?.[0]
  return {
    text: message?.content ?? '',
    refusal: message?.refusal ?? '',
    reasoning: '',
    toolArguments: call?.type === 'function' ? call.function.arguments : '',
    tokensIn: usage?.prompt_tokens ?? 0,
    tokensOut: usage?.completion_tokens ?? 0,
  }
}

async function responsesPieces(to: Address): Promise<Gathered> {
  const all = { ...NOTHING }
  const stream = await openaiClient(to).responses.create(
    { ...responsesRequest(to), stream: true },
    options(to),
  )
  for await (const event of stream) {
    to.onFirst?.()
    if (event.type === 'response.output_text.delta') all.text += event.delta
    if (event.type === 'response.refusal.delta') all.refusal += event.delta
    if (event.type === 'response.reasoning_summary_text.delta') all.reasoning += event.delta
    if (event.type === 'response.function_call_arguments.delta') all.toolArguments += event.delta
    if (event.type === 'response.completed') {
      all.tokensIn = event.response.usage?.input_tokens ?? 0
      all.tokensOut = event.response.usage?.output_tokens ?? 0
    }
    if (event.type === 'response.failed')
      throw new OpenAI.APIError(undefined, event.response.error ?? {}, undefined, undefined)
  }
  return all
}

async function responsesHelper(to: Address): Promise<Gathered> {
  const all = { ...NOTHING }
  const stream = openaiClient(to).responses.stream(responsesRequest(to), options(to))
  stream.once('event', () => to.onFirst?.())
  const { output, usage, error } = await stream.finalResponse()
  if (error !== null) throw new OpenAI.APIError(undefined, error, undefined, undefined)
  for (const item of output) {
    if (item.type === 'reasoning') all.reasoning += item.summary.map(({ text }) => text).join('')
    if (item.type === 'function_call') all.toolArguments += item.arguments
    if (item.type !== 'message') continue
    for (const part of item.content)
      if (part.type === 'output_text') all.text += part.text
      else all.refusal += part.refusal
  }
  return { ...all, tokensIn: usage?.input_tokens ?? 0, tokensOut: usage?.output_tokens ?? 0 }
}

async function messagesPieces(to: Address): Promise<Gathered> {
  const all = { ...NOTHING }
  const stream = await anthropicClient(to).messages.create(
    { ...messagesRequest(to), stream: true },
    options(to),
  )
  for await (const event of stream) {
    to.onFirst?.()
    if (event.type === 'message_start') all.tokensIn = event.message.usage.input_tokens
    if (event.type === 'message_delta') all.tokensOut = event.usage.output_tokens
    if (event.type !== 'content_block_delta') continue
    if (event.delta.type === 'text_delta') all.text += event.delta.text
    if (event.delta.type === 'thinking_delta') all.reasoning += event.delta.thinking
    if (event.delta.type === 'input_json_delta') all.toolArguments += event.delta.partial_json
  }
  return all
}

async function messagesHelper(to: Address): Promise<Gathered> {
  const all = { ...NOTHING }
  const stream = anthropicClient(to).messages.stream(messagesRequest(to), options(to))
  stream.once('streamEvent', () => to.onFirst?.())
  const { content, usage } = await stream.finalMessage()
  for (const block of content) {
    if (block.type === 'text') all.text += block.text
    if (block.type === 'thinking') all.reasoning += block.thinking
    if (block.type === 'tool_use') all.toolArguments += JSON.stringify(block.input)
  }
  return { ...all, tokensIn: usage.input_tokens, tokensOut: usage.output_tokens }
}

async function aiPieces(api: SpokenApi, to: Address): Promise<Gathered> {
  const all = { ...NOTHING }
  const stream = streamText({
    model: aiModels(to)[api](to.model),
    prompt: to.prompt ?? 'hi',
    tools: AI_TOOLS,
    maxRetries: 0,
    onError: () => undefined,
    ...(to.signal === undefined ? {} : { abortSignal: to.signal }),
  })
  for await (const part of stream.fullStream) {
    if (part.type === 'error') throw part.error
    if (part.type === 'abort') throw new Error('aborted')
    if (part.type === 'text-delta') {
      to.onFirst?.()
      all.text += part.text
    }
    if (part.type === 'reasoning-delta') all.reasoning += part.text
    if (part.type === 'tool-call') all.toolArguments += JSON.stringify(part.input)
    if (part.type === 'finish') {
      all.tokensIn = part.totalUsage.inputTokens ?? 0
      all.tokensOut = part.totalUsage.outputTokens ?? 0
    }
  }
  return all
}

/** Every client that people use, in each way that it streams. */
export const STREAM_CLIENTS: readonly StreamClient[] = [
  { name: 'openai: chat.completions.create', api: 'chat', gather: chatPieces, lacks: [] },
  { name: 'openai: chat.completions.stream', api: 'chat', gather: chatHelper, lacks: ['reasoning'] },
  { name: 'openai: responses.create', api: 'responses', gather: responsesPieces, lacks: [] },
  { name: 'openai: responses.stream', api: 'responses', gather: responsesHelper, lacks: [] },
  { name: 'anthropic: messages.create', api: 'messages', gather: messagesPieces, lacks: ['refusal'] },
  { name: 'anthropic: messages.stream', api: 'messages', gather: messagesHelper, lacks: ['refusal'] },
  {
    name: 'ai: chat',
    api: 'chat',
    gather: async (to) => aiPieces('chat', to),
    lacks: ['reasoning', 'refusal'],
  },
  {
    name: 'ai: responses',
    api: 'responses',
    gather: async (to) => aiPieces('responses', to),
    lacks: ['refusal'],
  },
  {
    name: 'ai: messages',
    api: 'messages',
    gather: async (to) => aiPieces('messages', to),
    lacks: ['refusal'],
  },
]
