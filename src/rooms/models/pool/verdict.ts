import type { Fault } from '#base/fault.ts'
import type { JsonValue } from '#base/json.ts'

/** What the end of a call says about the member that was asked, and about asking another one. */
export interface Verdict {
  /** For the breaker: the member works, it does not, or the end says nothing about it. */
  readonly member: 'works' | 'fails' | 'unknown'
  /** True when another member may be asked the same: the fault is not one of the request. */
  readonly mayRetry: boolean
}

export function verdictOn(fault: Fault): Verdict {
  switch (fault.code) {
    case 'upstream.failed':
      return isOneOf(REQUEST_WORDS, fault.detail['upstream_error'])
        ? { member: 'works', mayRetry: false }
        : { member: 'fails', mayRetry: true }
    case 'upstream.slow':
      return verdictOnTime(fault.detail['reason'])
    case 'upstream.limited':
      return { member: 'works', mayRetry: true }
    case 'upstream.invalid':
    case 'upstream.unauthorized':
    case 'upstream.unconfigured':
      return { member: 'fails', mayRetry: false }
    case 'upstream.rejected':
    case 'upstream.oversized':
      return { member: 'works', mayRetry: false }
    default:
      return { member: 'unknown', mayRetry: false }
  }
}

function verdictOnTime(reason: JsonValue | undefined): Verdict {
  // A long answer is no sign of a bad member, and asking for it again would be paid again.
  if (reason === 'total_timeout_in_body') return { member: 'unknown', mayRetry: false }
  return { member: 'fails', mayRetry: isOneOf(BEFORE_ANSWER, reason) }
}

/** Reasons of `upstream.slow` that say that nothing of an answer had come. */
const BEFORE_ANSWER = ['UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT', 'total_timeout']

/** Words of a provider in an event of a stream that say that the request is wrong. */
const REQUEST_WORDS = ['content_filter', 'context_length_exceeded', 'invalid_prompt', 'invalid_request_error']

function isOneOf(words: readonly string[], value: JsonValue | undefined): boolean {
  return words.some((word) => word === value)
}
