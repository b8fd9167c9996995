import * as z from 'zod'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { ANSWERED_FIELDS, COUNTED_FIELDS, FRAME_OF_MESSAGES, message } from './messages_schema.ts'
import { RequestForm } from './request_form.ts'

/** A request body of Anthropic's Messages whose known fields have been checked. Frozen, with all its fields. */
export interface MessagesRequest extends JsonObject {
  readonly model: string
}

const SCHEMA = z.object({ ...COUNTED_FIELDS, ...ANSWERED_FIELDS })

const FORM: RequestForm = new RequestForm({
  schema: SCHEMA,
  frame: SCHEMA.extend(FRAME_OF_MESSAGES),
  elements: { messages: message },
})

/** Throws `input.invalid` with the path of the first field that is wrong. */
export function checkMessagesRequest(value: JsonValue): asserts value is MessagesRequest {
  FORM.check(value)
}

/** Where a field stands that is not one of the known ones; undefined when all are. */
export function unknownMessagesField(request: MessagesRequest): string | undefined {
  return FORM.unknownField(request)
}
