import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'

/** What an answer cost, in tokens, whichever API told it. */
export interface TokenCounts {
  /** All that was read, from a cache or not. */
  readonly prompt: number
  readonly completion: number
  /** Of the prompt, what was read from a cache; undefined where nothing is said of it. */
  readonly cached: number | undefined
  /** Of the prompt, what was written to a cache. */
  readonly written: number | undefined
  /** Of the completion, what the model thought. */
  readonly thought: number | undefined
}

/** Facts for the outcome entry, and for what the answer costs. */
export interface AnswerUsage {
  /** All that was read, from a cache or not. */
  readonly tokens_in: number
  readonly tokens_out: number
  /** Of what was read, what came from a cache and what went into one, where that is told. */
  readonly tokens_cached?: number
  readonly tokens_written?: number
}

export function usageOfCounts({ prompt, completion, cached, written }: TokenCounts): AnswerUsage {
  return {
    tokens_in: prompt,
    tokens_out: completion,
    ...(cached === undefined ? {} : { tokens_cached: cached }),
    ...(written === undefined ? {} : { tokens_written: written }),
  }
}

/** What of the input an API of OpenAI's tells of caches, under the names of its details; nothing where it tells none. */
export function cacheUsageOf(
  details: JsonValue | undefined,
): Pick<AnswerUsage, 'tokens_cached' | 'tokens_written'> {
  const cached = countOf(detailsOf(details)['cached_tokens'])
  const written = countOf(detailsOf(details)['cache_write_tokens'])
  return {
    ...(cached === undefined ? {} : { tokens_cached: cached }),
    ...(written === undefined ? {} : { tokens_written: written }),
  }
}

/** Reads the `usage` of Anthropic's Messages, where the input does not count what caches held; undefined for any other value. */
export function countsOfMessages(usage: JsonValue | undefined): TokenCounts | undefined {
  if (!isJsonObject(usage)) return undefined
  const input = countOf(usage['input_tokens'])
  const completion = countOf(usage['output_tokens'])
  if (input === undefined || completion === undefined) return undefined
  const cached = countOf(usage['cache_read_input_tokens'])
  const written = countOf(usage['cache_creation_input_tokens'])
  const thought = countOf(detailsOf(usage['output_tokens_details'])['thinking_tokens'])
  return { prompt: input + (cached ?? 0) + (written ?? 0), completion, cached, written, thought }
}

/** Reads the `usage` of OpenAI's chat completions; undefined for any other value. */
export function countsOfChat(usage: JsonValue | undefined): TokenCounts | undefined {
  if (!isJsonObject(usage)) return undefined
  const prompt = countOf(usage['prompt_tokens'])
  const completion = countOf(usage['completion_tokens'])
  if (prompt === undefined || completion === undefined) return undefined
  const details = detailsOf(usage['prompt_tokens_details'])
  const cached = countOf(details['cached_tokens'])
  const written = countOf(details['cache_write_tokens'])
  const thought = countOf(detailsOf(usage['completion_tokens_details'])['reasoning_tokens'])
  // A part that is more than the whole is a mistake of the server, and would make the rest less than nothing.
  const isPart = (cached ?? 0) + (written ?? 0) <= prompt
  return {
    prompt,
    completion,
    cached: isPart ? cached : undefined,
    written: isPart ? written : undefined,
    thought,
  }
}

export function printMessagesUsage({
  prompt,
  completion,
  cached,
  written,
  thought,
}: TokenCounts): JsonObject {
  return {
    input_tokens: prompt - (cached ?? 0) - (written ?? 0),
    cache_creation_input_tokens: written ?? null,
    cache_read_input_tokens: cached ?? null,
    output_tokens: completion,
    output_tokens_details: thought === undefined ? null : { thinking_tokens: thought },
  }
}

export function printChatUsage({ prompt, completion, cached, written, thought }: TokenCounts): JsonObject {
  const promptDetails = {
    ...(cached === undefined ? {} : { cached_tokens: cached }),
    ...(written === undefined ? {} : { cache_write_tokens: written }),
  }
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
    ...(Object.keys(promptDetails).length === 0 ? {} : { prompt_tokens_details: promptDetails }),
    ...(thought === undefined ? {} : { completion_tokens_details: { reasoning_tokens: thought } }),
  }
}

function countOf(value: JsonValue | undefined): number | undefined {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}

function detailsOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {}
}
