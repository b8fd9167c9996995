import type { JsonObject, JsonValue } from '#base/json.ts'
import { defined, Given } from './given.ts'
import { messagesConversationToChat } from './messages_conversation_to_chat.ts'

/**
 * A request of Anthropic's Messages as one of OpenAI's chat completions, `model` as it was. Throws `api.unsupported` for
 * the first field that has no equal: see docs/reference/translations.md.
 */
export function messagesRequestToChat(request: JsonObject): JsonObject {
  const given = new Given(request)
  refuseForeign(given)
  const messages = messagesConversationToChat(given.textOrObjects('system'), given.objects('messages') ?? [])
  const tools = (given.objects('tools') ?? []).map(toolOf)
  const choice = given.object('tool_choice')
  const isSingle = choice?.flag('disable_parallel_tool_use') === true
  const isStream = given.flag('stream')
  const translated = defined({
    model: given.any('model'),
    max_completion_tokens: lengthOf(given),
    messages,
    tools: tools.length === 0 ? undefined : tools,
    tool_choice: choiceOf(choice),
    parallel_tool_calls: isSingle ? false : undefined,
    response_format: formatOf(given.object('output_config')),
    stop: given.texts('stop_sequences'),
    temperature: given.number('temperature'),
    top_p: given.number('top_p'),
    user: userOf(given.object('metadata')),
    service_tier: tierOf(given),
    stream: isStream,
    // Anthropic's streams always tell it.
    stream_options: isStream === true ? { include_usage: true } : undefined,
  })
  given.done()
  return translated
}

/** What says nothing at its usual value, and has no equal at another. */
function refuseForeign(given: Given): void {
  given.onlyAt('speed', 'standard')
  const thinking = given.object('thinking')
  thinking?.onlyAt('type', 'disabled')
  thinking?.done()
  const diagnostics = given.object('diagnostics')
  diagnostics?.done()
  given.leaveOut('cache_control')
}

function lengthOf(given: Given): number {
  const length = given.number('max_tokens')
  // Zero only fills the cache of the provider.
  return length === undefined || length === 0 ? given.refuse('max_tokens') : length
}

function toolOf(tool: Given): JsonObject {
  tool.onlyAt('type', 'custom')
  tool.onlyAt('defer_loading', false)
  tool.onlyAt('eager_input_streaming', false)
  tool.onlyEmpty('input_examples')
  const callers = tool.texts('allowed_callers') ?? []
  if (callers.some((caller) => caller !== 'direct')) tool.refuse('allowed_callers')
  tool.leaveOut('cache_control')
  const described = defined({
    name: tool.neededText('name'),
    description: tool.text('description'),
    parameters: tool.json('input_schema') ?? tool.refuse('input_schema'),
    strict: tool.flag('strict'),
  })
  tool.done()
  return { type: 'function', function: described }
}

const CHOICES: Readonly<Record<string, string>> = { auto: 'auto', none: 'none', any: 'required' }

function choiceOf(choice: Given | undefined): JsonValue | undefined {
  if (choice === undefined) return undefined
  const type = choice.neededText('type')
  if (type === 'tool') {
    const name = choice.neededText('name')
    choice.done()
    return { type: 'function', function: { name } }
  }
  choice.done()
  return Object.hasOwn(CHOICES, type) ? CHOICES[type] : choice.refuse('type')
}

/** OpenAI wants a name for a schema, and says it to the model. */
const SCHEMA_NAME = 'answer'

function formatOf(config: Given | undefined): JsonObject | undefined {
  const format = config?.object('format')
  config?.done()
  if (format === undefined) return undefined
  if (format.any('type') !== 'json_schema') format.refuse('type')
  const schema = format.json('schema') ?? format.refuse('schema')
  format.done()
  return { type: 'json_schema', json_schema: { name: SCHEMA_NAME, schema, strict: true } }
}

function userOf(metadata: Given | undefined): string | undefined {
  const user = metadata?.text('user_id')
  metadata?.done()
  return user
}

const TIERS: Readonly<Record<string, string>> = { auto: 'auto', standard_only: 'default' }

function tierOf(given: Given): string | undefined {
  const tier = given.text('service_tier')
  if (tier === undefined) return undefined
  return Object.hasOwn(TIERS, tier) ? TIERS[tier] : given.refuse('service_tier')
}
