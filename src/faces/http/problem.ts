import type { Fault } from '#base/fault.ts'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
import type { JsonObject } from '#base/json.ts'
import type { Stage } from '#door/outcome.ts'
import type { Envelope } from '#door/route.ts'
import { oauthError } from './oauth_error.ts'
import { scimError } from './scim_error.ts'

/** Where a request was refused; `receive` is before the pipeline. */
export type RefusalStage = Stage | 'receive'

/** What a refusal says, besides its fault. */
export interface Refusal {
  readonly fault: Fault
  readonly stage: RefusalStage
  readonly id: string
  readonly envelope: Envelope
}

/**
 * A refusal as its caller may read it: an RFC 9457 problem, on the routes of OpenAI's and Anthropic's clients inside the
 * error envelope that these read, or an error of SCIM or OAuth. Holds nothing of `fault.detail`, which is for the ledger,
 * but the word that a standard has for it.
 */
export function problemBody(refusal: Refusal): JsonObject {
  const { fault, envelope } = refusal
  if (envelope === 'scim') return scimError(fault, sayOf(fault), isRecorded(refusal) ? refusal.id : undefined)
  if (envelope === 'oauth')
    return oauthError(fault, sayOf(fault), isRecorded(refusal) ? refusal.id : undefined)
  const problem = toProblem(refusal)
  if (envelope === 'problem') return problem
  const { code } = fault
  const { status, title } = FAULTS[code]
  const message = sayOf(fault) ?? title
  if (envelope === 'openai')
    return { error: { message, type: openaiType(status), param: null, code, gatehouse: problem } }
  return {
    type: 'error',
    error: { type: anthropicType(status), message, code, gatehouse: problem },
    request_id: refusal.id,
  }
}

function toProblem(refusal: Refusal): JsonObject {
  const { fault, stage, id } = refusal
  const { status, title, hint } = FAULTS[fault.code]
  const say = sayOf(fault)
  return {
    type: `urn:gatehouse:${fault.code}`,
    title,
    status,
    ...(say === undefined ? {} : { detail: say }),
    code: fault.code,
    // Wherever it was noticed: the place would tell which credentials come so far.
    stage: fault.code === 'source.throttled' ? 'receive' : stage,
    ...(isRecorded(refusal) ? { entry: id } : {}),
    hint: hint.replace('ENTRY', id),
    ...(ASKABLE.has(fault.code) ? { ask: ask(fault.code, id) } : {}),
  }
}

function isRecorded({ fault, stage }: Refusal): boolean {
  return stage !== 'receive' && !UNRECORDED.has(fault.code)
}

/** These leave no entry of their own: they are counted in a digest, or there was no ledger to write to. */
const UNRECORDED: ReadonlySet<FaultCode> = new Set([
  'source.throttled',
  'caller.throttled',
  'ledger.unwritable',
])

const ASKABLE: ReadonlySet<FaultCode> = new Set(['action.denied', 'caller.unknown'])

function ask(code: FaultCode, id: string): string {
  return code === 'action.denied'
    ? `Ask an operator of this door for access, and give the entry id ${id}.`
    : 'Ask an operator of this door for a key.'
}

// All who are not proven get the same words: which part of a credential was wrong helps only those who guess.
function sayOf(fault: Fault): string | undefined {
  return fault.code === 'caller.unknown' ? undefined : fault.say
}

/** The types that OpenAI's own API uses. */
function openaiType(status: number): string {
  if (status >= 500) return 'server_error'
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error'
}

/** The types that Anthropic's own API uses. */
function anthropicType(status: number): string {
  return ANTHROPIC_TYPES.get(status) ?? (status >= 500 ? 'api_error' : 'invalid_request_error')
}

const ANTHROPIC_TYPES: ReadonlyMap<number, string> = new Map([
  [401, 'authentication_error'],
  [403, 'permission_error'],
  [404, 'not_found_error'],
  [413, 'request_too_large'],
  [429, 'rate_limit_error'],
  [503, 'overloaded_error'],
  [504, 'timeout_error'],
])
