import * as z from 'zod'

const MODEL_LENGTH = 256
const ITEMS = 10_000
const PARTS = 1_000
const TOOLS = 1_024
const NAME_LENGTH = 256
const TOP_LOGPROBS = 100
/** Beyond the longest answer of any model; a greater number is a mistake or an attack on a quota. */
const TOKENS = 1_000_000

const text = z.string()
const name = z.string().min(1).max(NAME_LENGTH)
const flag = z.boolean().nullish()
const count = z.int().min(0)
/** Names inside are the caller's own, so nothing is said about them but that the whole is wrong. */
const anyObject = z.record(z.string(), z.unknown())
const objects = z.array(anyObject).max(PARTS)
const anyValue = z.unknown().nullish()

/** The members of all kinds of parts: which belong to which kind the provider says. */
const part = z.object({
  type: name,
  text: text.nullish(),
  refusal: text.nullish(),
  image_url: text.nullish(),
  file_id: text.nullish(),
  file_data: text.nullish(),
  file_url: text.nullish(),
  filename: text.nullish(),
  detail: name.nullish(),
  input_audio: z.object({ data: text, format: name }).nullish(),
  annotations: objects.nullish(),
  logprobs: objects.nullish(),
  prompt_cache_breakpoint: anyObject.nullish(),
})
const parts = z.array(part).max(PARTS)

/** What a tool gave: parts, the picture of a screen, or what commands wrote. */
const outputPart = part.extend({
  type: name.nullish(),
  stdout: text.nullish(),
  stderr: text.nullish(),
  outcome: anyObject.nullish(),
})
const output = z.union([text, z.array(outputPart).max(PARTS), outputPart])

const reasoning = z.object({
  context: name.nullish(),
  effort: name.nullish(),
  generate_summary: name.nullish(),
  mode: name.nullish(),
  summary: name.nullish(),
})

const textFormat = z.object({
  type: name,
  name: name.nullish(),
  description: text.nullish(),
  schema: anyObject.nullish(),
  strict: flag,
})
const textSettings = z.object({ format: textFormat.nullish(), verbosity: name.nullish() })

const toolMembers = {
  type: name,
  name: name.nullish(),
  description: text.nullish(),
  parameters: anyObject.nullish(),
  output_schema: anyObject.nullish(),
  strict: flag,
  format: anyObject.nullish(),
  allowed_callers: z.array(name).max(16).nullish(),
  async: flag,
  defer_loading: flag,
  execution: name.nullish(),
  filters: anyObject.nullish(),
  max_num_results: count.nullish(),
  ranking_options: anyObject.nullish(),
  external_web_access: flag,
  search_context_size: name.nullish(),
  search_content_types: z.array(name).max(16).nullish(),
  user_location: anyObject.nullish(),
  display_height: count.nullish(),
  display_width: count.nullish(),
  environment: z.union([text, anyObject]).nullish(),
  container: z.union([text, anyObject]).nullish(),
  action: name.nullish(),
  background: name.nullish(),
  input_fidelity: name.nullish(),
  input_image_mask: z.object({ file_id: text.nullish(), image_url: text.nullish() }).nullish(),
  moderation: name.nullish(),
  output_compression: count.nullish(),
  output_format: name.nullish(),
  partial_images: count.nullish(),
  quality: name.nullish(),
  size: name.nullish(),
}

/** The caller's own tools, and those that the provider runs. None that loads others from an address, none that names a model. */
const tool = z.object({
  ...toolMembers,
  // Tools under one name.
  tools: z.array(z.object(toolMembers)).max(TOOLS).nullish(),
})
const tools = z.array(tool).max(TOOLS).nullish()

/** A message, a call of a tool, its result, a thought or a reference to one of these, of an earlier answer or a new one. */
export const item = z.object({
  type: name.nullish(),
  role: z.enum(['user', 'assistant', 'system', 'developer']).nullish(),
  content: z.union([text, parts]).nullish(),
  id: text.nullish(),
  status: name.nullish(),
  phase: name.nullish(),
  call_id: text.nullish(),
  name: name.nullish(),
  namespace: name.nullish(),
  arguments: anyValue,
  input: anyValue,
  output: output.nullish(),
  outputs: objects.nullish(),
  summary: z
    .array(z.object({ type: name, text }))
    .max(PARTS)
    .nullish(),
  encrypted_content: text.nullish(),
  action: anyObject.nullish(),
  actions: objects.nullish(),
  operation: anyObject.nullish(),
  queries: z.array(text).max(PARTS).nullish(),
  results: objects.nullish(),
  result: text.nullish(),
  revised_prompt: text.nullish(),
  code: text.nullish(),
  fingerprint: text.nullish(),
  container_id: text.nullish(),
  environment: anyObject.nullish(),
  max_output_length: count.nullish(),
  pending_safety_checks: objects.nullish(),
  acknowledged_safety_checks: objects.nullish(),
  approval_request_id: text.nullish(),
  approve: flag,
  reason: text.nullish(),
  server_label: text.nullish(),
  error: anyValue,
  execution: name.nullish(),
  async: flag,
  // Settings may change between two items.
  reasoning: reasoning.nullish(),
  text: textSettings.nullish(),
  caller: z.object({ type: name, caller_id: text.nullish() }).nullish(),
  tools,
})

const chosenTool = z.object({
  type: name,
  name: name.nullish(),
  mode: name.nullish(),
  server_label: text.nullish(),
  tools: objects.nullish(),
})

export const RESPONSES_SCHEMA = z.object({
  model: z.string().min(1).max(MODEL_LENGTH),
  input: z.union([text, z.array(item).min(1).max(ITEMS)]),
  background: flag,
  context_management: z
    .array(z.object({ type: name, compact_threshold: count.nullish() }))
    .max(16)
    .nullish(),
  conversation: anyValue,
  include: z.array(name).max(64).nullish(),
  instructions: text.nullish(),
  max_output_tokens: z.int().min(1).max(TOKENS).nullish(),
  max_tool_calls: z.int().min(1).max(TOKENS).nullish(),
  metadata: anyObject.nullish(),
  moderation: z.object({ policy: anyObject.nullish() }).nullish(),
  parallel_tool_calls: flag,
  previous_response_id: text.nullish(),
  prompt: anyValue,
  prompt_cache_key: text.nullish(),
  prompt_cache_options: anyObject.nullish(),
  prompt_cache_retention: name.nullish(),
  reasoning: reasoning.nullish(),
  safety_identifier: text.nullish(),
  service_tier: name.nullish(),
  store: flag,
  stream: flag,
  stream_options: z.object({ include_obfuscation: flag }).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  text: textSettings.nullish(),
  tool_choice: z.union([name, chosenTool]).nullish(),
  tools,
  top_logprobs: z.int().min(0).max(TOP_LOGPROBS).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  truncation: name.nullish(),
  user: text.nullish(),
})

/** `input` as a list of anything: see `RequestForm`. */
export const FRAME_OF_RESPONSES = RESPONSES_SCHEMA.extend({
  input: z.union([text, z.array(z.unknown()).min(1).max(ITEMS)]),
})
