import * as z from 'zod'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { invalidRequest, RequestForm } from './request_form.ts'

/** A request body of OpenAI's embeddings whose known fields have been checked. Frozen, with all its fields. */
export interface EmbeddingsRequest extends JsonObject {
  readonly model: string
}

const MODEL_LENGTH = 256
const NAME_LENGTH = 256
/** Texts of one request; OpenAI takes 2,048. */
const INPUTS = 10_000
/** Numbers of one vector: some times as many as any model gives. */
const DIMENSIONS = 100_000

const text = z.string()

const SCHEMA = z.object({
  model: z.string().min(1).max(MODEL_LENGTH),
  input: z.union([text, z.array(text).min(1).max(INPUTS)]),
  dimensions: z.int().min(1).max(DIMENSIONS).nullish(),
  encoding_format: z.string().min(1).max(NAME_LENGTH).nullish(),
  user: text.nullish(),
})

const FORM: RequestForm = new RequestForm({
  schema: SCHEMA,
  frame: SCHEMA.extend({ input: z.union([text, z.array(z.unknown()).min(1).max(INPUTS)]) }),
  elements: { input: text },
})

/** Throws `input.invalid` with the path of the first field that is wrong. */
export function checkEmbeddingsRequest(value: JsonValue): asserts value is EmbeddingsRequest {
  if (isJsonObject(value) && isTokens(value['input'] ?? null))
    throw invalidRequest(
      'input must be a text or a list of texts: tokens are text that nobody has looked at.',
    )
  FORM.check(value)
}

/** OpenAI also takes the numbers that stand for the words of its own models. */
function isTokens(input: JsonValue): boolean {
  const [first] = isJsonArray(input) ? input : []
  return (
    typeof first === 'number' || (first !== undefined && isJsonArray(first) && typeof first[0] === 'number')
  )
}

/** Where a field stands that is not one of the known ones; undefined when all are. */
export function unknownEmbeddingsField(request: EmbeddingsRequest): string | undefined {
  return FORM.unknownField(request)
}
