import * as z from 'zod'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { RequestForm } from './request_form.ts'

/** A request body of OpenAI's chat completions whose known fields have been checked. Frozen, with all its fields. */
export interface ChatRequest extends JsonObject {
  readonly model: string
}

const MODEL_LENGTH = 256
const MESSAGES = 10_000
const PARTS = 1_000
const CHOICES = 16
const TOOLS = 1_024
const STOPS = 16
/** Beyond the longest answer of any model; a greater number is a mistake or an attack on a quota. */
const TOKENS = 1_000_000
const NAME_LENGTH = 256
const TOP_LOGPROBS = 100

const text = z.string()
const name = z.string().min(1).max(NAME_LENGTH)
const tokens = z.int().min(1).max(TOKENS)
/** Names inside are the caller's own, so nothing is said about them but that the whole is wrong. */
const anyObject = z.record(z.string(), z.unknown())

const part = z.object({
  type: name,
  text: text.nullish(),
  refusal: text.nullish(),
  image_url: z.union([text, z.object({ url: text, detail: name.nullish() })]).nullish(),
  input_audio: z.object({ data: text, format: name }).nullish(),
  file: z.object({ file_data: text.nullish(), file_id: text.nullish(), filename: text.nullish() }).nullish(),
})

const calledFunction = z.object({ name, arguments: text })

const toolCall = z.object({
  id: text,
  type: name,
  function: calledFunction.nullish(),
  custom: z.object({ name, input: text }).nullish(),
})

const message = z.object({
  role: z.enum(['developer', 'system', 'user', 'assistant', 'tool', 'function']),
  content: z.union([text, z.array(part).max(PARTS)]).nullish(),
  name: text.max(NAME_LENGTH).nullish(),
  refusal: text.nullish(),
  audio: z.object({ id: text }).nullish(),
  tool_calls: z.array(toolCall).max(TOOLS).nullish(),
  tool_call_id: text.max(NAME_LENGTH).nullish(),
  function_call: calledFunction.nullish(),
})

const describedFunction = z.object({
  name,
  description: text.nullish(),
  parameters: anyObject.nullish(),
  strict: z.boolean().nullish(),
})

const tool = z.object({
  type: name,
  function: describedFunction.nullish(),
  custom: z.object({ name, description: text.nullish(), format: anyObject.nullish() }).nullish(),
})

const SCHEMA = z.object({
  model: z.string().min(1).max(MODEL_LENGTH),
  messages: z.array(message).min(1).max(MESSAGES),
  audio: anyObject.nullish(),
  frequency_penalty: z.number().min(-2).max(2).nullish(),
  function_call: z.union([name, z.object({ name })]).nullish(),
  functions: z.array(describedFunction).max(TOOLS).nullish(),
  logit_bias: anyObject.nullish(),
  logprobs: z.boolean().nullish(),
  max_completion_tokens: tokens.nullish(),
  max_tokens: tokens.nullish(),
  metadata: anyObject.nullish(),
  modalities: z.array(name).max(8).nullish(),
  n: z.int().min(1).max(CHOICES).nullish(),
  parallel_tool_calls: z.boolean().nullish(),
  prediction: z.object({ type: name, content: z.union([text, z.array(part).max(PARTS)]) }).nullish(),
  presence_penalty: z.number().min(-2).max(2).nullish(),
  prompt_cache_key: text.nullish(),
  reasoning_effort: name.nullish(),
  response_format: z.object({ type: name, json_schema: anyObject.nullish() }).nullish(),
  safety_identifier: text.nullish(),
  seed: z.int().nullish(),
  service_tier: name.nullish(),
  stop: z.union([text, z.array(text).max(STOPS)]).nullish(),
  store: z.boolean().nullish(),
  stream: z.boolean().nullish(),
  stream_options: z
    .object({ include_usage: z.boolean().nullish(), include_obfuscation: z.boolean().nullish() })
    .nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  tool_choice: z.union([name, z.object({ type: name, function: z.object({ name }).nullish() })]).nullish(),
  tools: z.array(tool).max(TOOLS).nullish(),
  top_logprobs: z.int().min(0).max(TOP_LOGPROBS).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  user: text.nullish(),
  verbosity: name.nullish(),
  web_search_options: anyObject.nullish(),
})

const FORM: RequestForm = new RequestForm({
  schema: SCHEMA,
  frame: SCHEMA.extend({ messages: z.array(z.unknown()).min(1).max(MESSAGES) }),
  elements: { messages: message },
})

/** Throws `input.invalid` with the path of the first field that is wrong. */
export function checkChatRequest(value: JsonValue): asserts value is ChatRequest {
  FORM.check(value)
}

/** Where a field stands that is not one of the known ones; undefined when all are. */
export function unknownChatField(request: ChatRequest): string | undefined {
  return FORM.unknownField(request)
}
