import type { JsonObject, JsonValue } from '#base/json.ts'
import { chatConversationToMessages } from './chat_conversation_to_messages.ts'
import { defined, Given } from './given.ts'

export interface AnswerLength {
  /** For a request that names no length: Anthropic needs one. */
  readonly maxTokens: number
}

/**
 * A request of OpenAI's chat completions as one of Anthropic's Messages, `model` as it was. Throws `api.unsupported` for
 * the first field that has no equal: see docs/reference/translations.md.
 */
export function chatRequestToMessages(request: JsonObject, { maxTokens }: AnswerLength): JsonObject {
  const given = new Given(request)
  refuseForeign(given)
  const tools = given.objects('tools')?.map(toolOf)
  const { system, messages } = chatConversationToMessages(given.objects('messages') ?? [])
  const translated = defined({
    model: given.any('model'),
    max_tokens: lengthOf(given) ?? maxTokens,
    system,
    messages,
    tools: tools?.length === 0 ? undefined : tools,
    tool_choice: toolChoiceOf(given, (tools?.length ?? 0) > 0),
    output_config: outputOf(given.object('response_format')),
    stop_sequences: stopsOf(given),
    temperature: temperatureOf(given),
    top_p: given.number('top_p'),
    metadata: userOf(given),
    service_tier: tierOf(given),
    stream: given.flag('stream'),
  })
  checkStream(given)
  given.done()
  return translated
}

/** What says nothing at its usual value, and has no equal at another. */
function refuseForeign(given: Given): void {
  given.onlyAt('n', 1)
  given.onlyAt('logprobs', false)
  given.onlyAt('top_logprobs', 0)
  given.onlyAt('frequency_penalty', 0)
  given.onlyAt('presence_penalty', 0)
  given.onlyAt('store', false)
  given.onlyEmpty('logit_bias')
  given.onlyEmpty('metadata')
  given.onlyEmpty('functions')
  const modalities = given.texts('modalities') ?? []
  if (modalities.some((modality) => modality !== 'text')) given.refuse('modalities')
  // Where the provider looks for a cached prompt; the answer is the same without.
  given.leaveOut('prompt_cache_key')
}

function lengthOf(given: Given): number | undefined {
  const length = given.number('max_completion_tokens')
  const older = given.number('max_tokens')
  if (length !== undefined && older !== undefined && length !== older) given.refuse('max_tokens')
  return length ?? older
}

function toolOf(tool: Given): JsonObject {
  if (tool.any('type') !== 'function') tool.refuse('type')
  const described = tool.object('function') ?? tool.refuse('function')
  const schema = described.json('parameters') ?? { type: 'object', properties: {} }
  if (schema['type'] !== 'object') described.refuse('parameters')
  const translated = defined({
    name: described.neededText('name'),
    description: described.text('description'),
    input_schema: schema,
    strict: described.flag('strict'),
  })
  described.done()
  tool.done()
  return translated
}

function toolChoiceOf(given: Given, hasTools: boolean): JsonObject | undefined {
  const choice = chosenOf(given)
  const isSingle = given.flag('parallel_tool_calls') === false
  // Without tools there is nothing to call, in parallel or not.
  if (!hasTools && (choice === undefined || choice['type'] === 'auto' || choice['type'] === 'none'))
    return undefined
  if (!isSingle || choice?.['type'] === 'none') return choice
  return { ...(choice ?? { type: 'auto' }), disable_parallel_tool_use: true }
}

const CHOICES: Readonly<Record<string, JsonObject>> = {
  auto: { type: 'auto' },
  none: { type: 'none' },
  required: { type: 'any' },
}

function chosenOf(given: Given): JsonObject | undefined {
  const choice = given.any('tool_choice')
  if (choice === undefined) return undefined
  if (typeof choice === 'string')
    return Object.hasOwn(CHOICES, choice) ? CHOICES[choice] : given.refuse('tool_choice')
  const named = given.object('tool_choice') ?? given.refuse('tool_choice')
  if (named.any('type') !== 'function') named.refuse('type')
  const called = named.object('function') ?? named.refuse('function')
  const name = called.neededText('name')
  called.done()
  named.done()
  return { type: 'tool', name }
}

function outputOf(format: Given | undefined): JsonObject | undefined {
  if (format === undefined) return undefined
  const type = format.neededText('type')
  const described = format.object('json_schema')
  format.done()
  if (type === 'text' && described === undefined) return undefined
  if (type !== 'json_schema' || described === undefined) return format.refuse('type')
  // Anthropic keeps to a schema always, which is also right where it was only asked to try. The name is a label.
  described.leaveOut('name')
  described.flag('strict')
  const schema = described.json('schema') ?? described.refuse('schema')
  described.done()
  return { format: { type: 'json_schema', schema } }
}

function stopsOf(given: Given): JsonValue | undefined {
  const stop = given.any('stop')
  if (typeof stop === 'string') return [stop]
  const stops = given.texts('stop')
  return stops?.length === 0 ? undefined : stops
}

/** Both scales start at the most likely answer and have the model's own spread at 1; Anthropic's ends there. */
function temperatureOf(given: Given): number | undefined {
  const temperature = given.number('temperature')
  return temperature !== undefined && temperature > 1 ? given.refuse('temperature') : temperature
}

/** Both tell apart whom the caller serves, so that misuse by one of them can be found. */
function userOf(given: Given): JsonObject | undefined {
  const user = given.text('user')
  const identifier = given.text('safety_identifier')
  if (user !== undefined && identifier !== undefined && user !== identifier) given.refuse('user')
  const id = identifier ?? user
  return id === undefined ? undefined : { user_id: id }
}

const TIERS: Readonly<Record<string, string>> = { auto: 'auto', default: 'standard_only' }

function tierOf(given: Given): string | undefined {
  const tier = given.text('service_tier')
  if (tier === undefined) return undefined
  return Object.hasOwn(TIERS, tier) ? TIERS[tier] : given.refuse('service_tier')
}

/** Whether the usage is told at the end is for the translator of the stream; padding against listeners it has none. */
function checkStream(given: Given): void {
  const options = given.object('stream_options')
  if (options === undefined) return
  options.flag('include_usage')
  options.onlyAt('include_obfuscation', false)
  options.done()
}
