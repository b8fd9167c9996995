import { isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import type { ModelApi } from './provider.ts'

/** The field in which each API says how many tokens an answer may have; those of the others have none. */
const FIELDS: Readonly<Record<ModelApi, readonly string[]>> = {
  // The first one is what the API has now; servers that are older know the second.
  chat: ['max_completion_tokens', 'max_tokens'],
  responses: ['max_output_tokens'],
  messages: ['max_tokens'],
  embeddings: [],
  count_tokens: [],
}

/** What servers call it besides: those that speak several of the APIs read the fields of all of them in each. */
const OTHER_FIELDS = [
  'max_completion_tokens',
  'max_length',
  'max_new_tokens',
  'max_output_tokens',
  'max_tokens',
  'max_tokens_to_sample',
  'n_predict',
  'num_predict',
]

/** How many tokens one answer may have: the most that a server may take the fields to say. Undefined where nothing is said. */
export function answerLength(api: ModelApi, request: JsonObject): number | undefined {
  const numbersOf = (names: readonly string[]): readonly number[] =>
    names.map((name) => request[name]).filter((value) => typeof value === 'number')
  const said = numbersOf(FIELDS[api])
  return said.length === 0 ? undefined : Math.max(...said, ...numbersOf(OTHER_FIELDS))
}

/** The same body where it says how long the answer may be, else one that says what the model has for that. */
export function withAnswerLength(
  api: ModelApi,
  body: JsonValue,
  lengthOf: (model: string) => number | undefined,
): JsonValue {
  const [field, ...others] = FIELDS[api]
  if (field === undefined || !isJsonObject(body)) return body
  const { model } = body
  if (typeof model !== 'string' || [field, ...others].some((name) => (body[name] ?? null) !== null))
    return body
  const length = lengthOf(model)
  return length === undefined ? body : Object.freeze({ ...body, [field]: length })
}
