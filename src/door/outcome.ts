import type { Fault } from '#base/fault.ts'

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
  /** `json` is the serialized answer, exactly as its hash stands in the ledger; a face sends it as it is. */
  | { readonly kind: 'answer'; readonly status: number; readonly json: string }
  | { readonly kind: 'refusal'; readonly fault: Fault; readonly stage: Stage }
