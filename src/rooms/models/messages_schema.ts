import * as z from 'zod'

/** What Anthropic's Messages and its count of tokens have in common. */

const MODEL_LENGTH = 256
const MESSAGES = 10_000
const BLOCKS = 1_000
const TOOLS = 1_024
const DOMAINS = 1_000
const STOPS = 64
/** Beyond the longest answer of any model; a greater number is a mistake or an attack on a quota. */
export const MOST_TOKENS = 1_000_000
const NAME_LENGTH = 256
const TOP_K = 1_000_000

const text = z.string()
const name = z.string().min(1).max(NAME_LENGTH)
const flag = z.boolean().nullish()
const count = z.int().min(0)
/** Names inside are the caller's own, so nothing is said about them but that the whole is wrong. */
const anyObject = z.record(z.string(), z.unknown())

const cacheControl = z.object({ type: name, ttl: name.nullish() }).nullish()

const citation = z.object({
  type: name,
  cited_text: text.nullish(),
  document_index: count.nullish(),
  document_title: text.nullish(),
  start_char_index: count.nullish(),
  end_char_index: count.nullish(),
  start_page_number: count.nullish(),
  end_page_number: count.nullish(),
  start_block_index: count.nullish(),
  end_block_index: count.nullish(),
  search_result_index: count.nullish(),
  source: text.nullish(),
  title: text.nullish(),
  url: text.nullish(),
  encrypted_index: text.nullish(),
})

/** Of a text the citations, of a document whether it may be cited. */
const citations = z.union([z.array(citation).max(BLOCKS), z.object({ enabled: flag })]).nullish()

/** Who called a tool: the model itself, or code that it wrote. */
const toolCaller = z.object({ type: name, tool_id: text.nullish() }).nullish()

/** Where bytes of a picture or document are: here, at an address, with the provider, or in blocks. */
const plainSource = z.object({
  type: name,
  media_type: name.nullish(),
  data: text.nullish(),
  url: text.nullish(),
  file_id: text.nullish(),
})

/**
 * The members of all kinds of content blocks: which belong to which kind the provider says. A result of a tool holds
 * blocks, and these hold others (a page that was fetched, the parts of a document), so the shape is spelt out to
 * that depth.
 */
const leafMembers = {
  type: name,
  text: text.nullish(),
  thinking: text.nullish(),
  signature: text.nullish(),
  data: text.nullish(),
  id: text.nullish(),
  name: name.nullish(),
  input: anyObject.nullish(),
  tool_use_id: text.nullish(),
  tool_name: name.nullish(),
  toolset_name: name.nullish(),
  is_error: flag,
  title: text.nullish(),
  context: text.nullish(),
  url: text.nullish(),
  file_id: text.nullish(),
  page_age: text.nullish(),
  retrieved_at: text.nullish(),
  encrypted_content: text.nullish(),
  encrypted_stdout: text.nullish(),
  stdout: text.nullish(),
  stderr: text.nullish(),
  return_code: z.int().nullish(),
  error_code: name.nullish(),
  citations,
  caller: toolCaller,
  cache_control: cacheControl,
  transformations: z.object({ oversized_image: name.nullish() }).nullish(),
}

const leaf = z.object({
  ...leafMembers,
  source: z.union([text, plainSource]).nullish(),
  content: z.union([text, anyObject, z.array(anyObject).max(BLOCKS)]).nullish(),
})

/** A block around blocks of another kind. Of a search result the source is a text. */
function around(inner: z.ZodObject): z.ZodObject {
  const blocks = z.array(inner).max(BLOCKS)
  const source = plainSource.extend({ content: z.union([text, blocks]).nullish() })
  return z.object({
    ...leafMembers,
    source: z.union([text, source]).nullish(),
    content: z.union([text, blocks, inner]).nullish(),
  })
}

const block = around(around(leaf))

const textBlock = z.object({ type: name, text, citations, cache_control: cacheControl })

export const message = z.object({
  // Later instructions of the operator stand between the others.
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([text, z.array(block).max(BLOCKS)]),
})

const domains = z.array(text).max(DOMAINS).nullish()

/** The caller's own tools, and those that the provider runs. None that loads others from an address. */
const tool = z.object({
  type: name.nullish(),
  name: name.nullish(),
  description: text.nullish(),
  input_schema: anyObject.nullish(),
  input_examples: z.array(anyObject).max(BLOCKS).nullish(),
  allowed_callers: z.array(name).max(16).nullish(),
  allowed_domains: domains,
  blocked_domains: domains,
  citations: z.object({ enabled: flag }).nullish(),
  configs: anyObject.nullish(),
  defer_loading: flag,
  display_height_px: count.nullish(),
  display_number: count.nullish(),
  display_width_px: count.nullish(),
  eager_input_streaming: flag,
  max_characters: count.nullish(),
  max_content_tokens: count.nullish(),
  max_uses: count.nullish(),
  strict: flag,
  url_sources: anyObject.nullish(),
  user_location: anyObject.nullish(),
  cache_control: cacheControl,
})

const listOfAnything = z.array(z.unknown()).min(1).max(MESSAGES)

/** Fields of a request whose tokens are counted. */
export const COUNTED_FIELDS = {
  model: z.string().min(1).max(MODEL_LENGTH),
  messages: z.array(message).min(1).max(MESSAGES),
  cache_control: cacheControl,
  output_config: z
    .object({
      effort: name.nullish(),
      format: z.object({ type: name, schema: anyObject.nullish() }).nullish(),
    })
    .nullish(),
  speed: name.nullish(),
  system: z.union([text, z.array(textBlock).max(BLOCKS)]).nullish(),
  thinking: z
    .object({ type: name, budget_tokens: z.int().min(1).max(MOST_TOKENS).nullish(), display: name.nullish() })
    .nullish(),
  tool_choice: z.object({ type: name, name: name.nullish(), disable_parallel_tool_use: flag }).nullish(),
  tools: z.array(tool).max(TOOLS).nullish(),
}

/** Fields that say how an answer is made. */
export const ANSWERED_FIELDS = {
  // Nothing is answered with 0; it fills the cache of the provider.
  max_tokens: z.int().min(0).max(MOST_TOKENS),
  container: z
    .union([
      text,
      z.object({
        id: text.nullish(),
        skills: z
          .array(z.object({ type: name, skill_id: text, version: text.nullish() }))
          .max(64)
          .nullish(),
      }),
    ])
    .nullish(),
  diagnostics: z.object({ previous_message_id: text.nullish() }).nullish(),
  metadata: z.object({ user_id: text.nullish() }).nullish(),
  service_tier: name.nullish(),
  stop_sequences: z.array(text).max(STOPS).nullish(),
  stream: flag,
  temperature: z.number().min(0).max(1).nullish(),
  top_k: z.int().min(0).max(TOP_K).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
}

/** `messages` as a list of anything: see `RequestForm`. */
export const FRAME_OF_MESSAGES = { messages: listOfAnything }
