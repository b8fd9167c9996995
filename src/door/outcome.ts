import type { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'

/** The stages of the pipeline, in order. `why` draws them as a strip. */
export const STAGES = [
  'authenticate',
  'parse',
  'authorize',
  'meter',
  'inspect_request',
  'admit',
  'record',
  'act',
  'inspect_response',
  'settle',
] as const

export type Stage = (typeof STAGES)[number]

/** What the door gives a face to say. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly body: JsonValue }
  | { readonly kind: 'refusal'; readonly fault: Fault; readonly stage: Stage }
