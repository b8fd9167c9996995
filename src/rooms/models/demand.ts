import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { Demand } from '#door/route.ts'
import { answerLength } from './answer_length.ts'
import { mediaOf, type Media } from './media.ts'
import type { ModelApi } from './provider.ts'
import { hasHostedTool } from './hosted_tools.ts'

/** What each server puts around the messages of a request, and more when there are tools. */
const REQUEST_TOKENS = 64
const TOOLS_TOKENS = 1_024
/** Punctuation and white space beside each value, and what a role or a name costs besides its letters. */
const VALUE_TOKENS = 4
/** The dearest known: eight tiles of a small model that counts them high. */
const IMAGE_TOKENS = 50_000
/** Ten tokens are a second, and no sound of a second has less than 160 characters of base 64. */
const AUDIO_CHARACTERS_PER_TOKEN = 16

/** What the configuration says of a model's size. */
export interface ModelSize {
  /** Tokens that the model reads at most. */
  readonly maxInputTokens?: number | undefined
}

/**
 * The most that a request can take. A token is at least one byte of text for every tokenizer that works on bytes, so its texts
 * come to no more tokens than bytes; pictures and sound are counted by what they can come to.
 */
export function demandOf(api: ModelApi, request: JsonObject, { maxInputTokens }: ModelSize = {}): Demand {
  // Counting costs no tokens.
  if (api === 'count_tokens') return { tokensIn: 0, tokensOut: 0, unbounded: undefined, unpriced: undefined }
  const media = mediaOf(api, request)
  const isHosted = hasHostedTool(api, request)
  const tokensIn = isHosted ? undefined : least(inputTokens(request, media), maxInputTokens)
  const tokensOut = isHosted ? undefined : outputTokens(api, request)
  return {
    tokensIn,
    tokensOut,
    unbounded: whyUnbounded(isHosted, tokensIn, tokensOut),
    unpriced: whyUnpriced(request, media),
  }
}

function inputTokens(
  request: JsonObject,
  { images, imageBytes, audioBytes, hasDocument }: Media,
): number | undefined {
  if (hasDocument) return undefined
  const texts = tokensAtMost(request) - imageBytes - audioBytes
  const tools = (request['tools'] ?? request['functions'] ?? null) === null ? 0 : TOOLS_TOKENS
  const sound = Math.ceil(audioBytes / AUDIO_CHARACTERS_PER_TOKEN)
  return REQUEST_TOKENS + tools + texts + images * IMAGE_TOKENS + sound
}

function outputTokens(api: ModelApi, request: JsonObject): number | undefined {
  if (api === 'embeddings') return 0
  const length = answerLength(api, request)
  if (length === undefined || api !== 'chat') return length
  // Of what is predicted, the tokens that do not come are paid as output too.
  const predicted = tokensAtMost(request['prediction'] ?? null)
  return choicesOf(request) * (length + predicted)
}

/** Some servers make more choices than they give. */
function choicesOf({ n, best_of: made }: JsonObject): number {
  return Math.max(1, typeof n === 'number' ? n : 1, typeof made === 'number' ? made : 1)
}

/** Bytes of all texts and names, and a few for each value. */
function tokensAtMost(value: JsonValue): number {
  if (typeof value === 'string') return VALUE_TOKENS + Buffer.byteLength(value)
  if (value === null) return 0
  // The digits of a number, or a word.
  if (typeof value !== 'object') return VALUE_TOKENS + String(value).length
  let sum = VALUE_TOKENS
  if (isJsonArray(value)) for (const element of value) sum += tokensAtMost(element)
  else
    for (const name of Object.keys(value)) sum += Buffer.byteLength(name) + tokensAtMost(value[name] ?? null)
  return sum
}

function least(tokens: number | undefined, most: number | undefined): number | undefined {
  if (tokens === undefined || most === undefined) return tokens ?? most
  return Math.min(tokens, most)
}

function whyUnbounded(
  isHosted: boolean,
  tokensIn: number | undefined,
  tokensOut: number | undefined,
): string | undefined {
  if (isHosted)
    return 'The request has a tool that the provider runs, and nothing says how often the model reads what it gives.'
  if (tokensIn === undefined)
    return 'The request has a document or another part that is no text, and nothing says how many tokens it comes to: send its text, or ask an operator to set max_input_tokens for the model.'
  if (tokensOut === undefined)
    return 'Nothing says how long the answer may be: set max_completion_tokens, max_output_tokens or max_tokens, or ask an operator to set max_output_tokens for the model.'
  return undefined
}

/** Fields by which a caller chooses another price, with the values that choose none. */
const PRICE_FIELDS: readonly (readonly [field: string, plain: readonly JsonValue[]])[] = [
  ['service_tier', ['auto', 'batch', 'default', 'flex', 'standard', 'standard_only']],
  ['speed', ['standard']],
]

function whyUnpriced(request: JsonObject, { hasSound }: Media): string | undefined {
  for (const [field, plain] of PRICE_FIELDS) {
    const value = request[field] ?? null
    if (value !== null && !plain.includes(value))
      return `With this ${field} the model has another price than that of the configuration.`
  }
  const { modalities } = request
  const isHeard = modalities !== undefined && isJsonArray(modalities) && modalities.includes('audio')
  return hasSound || isHeard || isJsonObject(request['audio'])
    ? 'Sound has another price than that of the configuration.'
    : undefined
}
