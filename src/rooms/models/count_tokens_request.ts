import * as z from 'zod'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { COUNTED_FIELDS, FRAME_OF_MESSAGES, message } from './messages_schema.ts'
import { RequestForm } from './request_form.ts'

/** A request body of Anthropic's count of tokens whose known fields have been checked. Frozen, with all its fields. */
export interface CountTokensRequest extends JsonObject {
  readonly model: string
}

const SCHEMA = z.object(COUNTED_FIELDS)

const FORM: RequestForm = new RequestForm({
  schema: SCHEMA,
  frame: SCHEMA.extend(FRAME_OF_MESSAGES),
  elements: { messages: message },
})

/** Throws `input.invalid` with the path of the first field that is wrong. */
export function checkCountTokensRequest(value: JsonValue): asserts value is CountTokensRequest {
  FORM.check(value)
}

/** Where a field stands that is not one of the known ones; undefined when all are. */
export function unknownCountTokensField(request: CountTokensRequest): string | undefined {
  return FORM.unknownField(request)
}
