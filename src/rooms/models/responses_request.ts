import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { invalidRequest, RequestForm } from './request_form.ts'
import { FRAME_OF_RESPONSES, item, RESPONSES_SCHEMA } from './responses_schema.ts'

/** A request body of OpenAI's Responses whose known fields have been checked. Frozen, with all its fields. */
export interface ResponsesRequest extends JsonObject {
  readonly model: string
}

const FORM: RequestForm = new RequestForm({
  schema: RESPONSES_SCHEMA,
  frame: FRAME_OF_RESPONSES,
  elements: { input: item },
})

/** Throws `input.invalid` with the path of the first field that is wrong. */
export function checkResponsesRequest(value: JsonValue): asserts value is ResponsesRequest {
  FORM.check(value)
  for (const [field, why] of NOT_ACCEPTED) {
    const given = value[field] ?? false
    if (given !== false) throw invalidRequest(`${field} is not accepted: ${why}.`)
  }
  const input = value['input'] ?? null
  if (isJsonArray(input) && input.some(isReference))
    throw invalidRequest(
      'an item_reference is not accepted: what it names belongs to all callers of the model.',
    )
}

/** Where a field stands that is not one of the known ones; undefined when all are. */
export function unknownResponsesField(request: ResponsesRequest): string | undefined {
  return FORM.unknownField(request)
}

/** Its type may be left out, as that of a message may: but a message has a role. */
function isReference(item: JsonValue): boolean {
  if (!isJsonObject(item)) return false
  const { type = null, role = null } = item
  return type === 'item_reference' || (type === null && role === null)
}

const NOT_ACCEPTED: readonly (readonly [field: string, why: string])[] = [
  ['background', 'an answer that is fetched later would not pass this door'],
  ['conversation', 'its content is with the provider, where nothing has inspected it'],
  // With one key for all callers, whoever knows the id of an answer could go on with it.
  ['previous_response_id', 'what it names belongs to all callers of the model; send the whole input'],
  [
    'prompt',
    'its content is with the provider, where nothing has inspected it, and it may name another model',
  ],
]
