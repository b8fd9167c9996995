import { asFault, Fault, type FaultDetail } from '#base/fault.ts'
import { FAULTS, type FaultCode } from '#base/fault_table.ts'
import { isJsonObject } from '#base/json.ts'
import { isAmount, isText, isWord, objectOf, optional } from './form.ts'

/** A fault on its way between two of our processes. */
export interface SentFault {
  readonly code: string
  readonly detail: FaultDetail
  readonly say?: string | undefined
  readonly wait?: number | undefined
}

export function sendFault(thrown: unknown): SentFault {
  const { code, detail, say, retryAfterSeconds } = asFault(thrown)
  return { code, detail, say, wait: retryAfterSeconds }
}

const isSentFault = objectOf({
  code: isWord,
  detail: isJsonObject,
  say: optional(isText),
  wait: optional(isAmount),
})

/** Undefined for what is no fault. */
export function readFault(value: unknown): Fault | undefined {
  return isSent(value) ? receiveFault(value) : undefined
}

function isSent(value: unknown): value is SentFault {
  return isSentFault(value)
}

export function receiveFault({ code, detail, say, wait }: SentFault): Fault {
  const options = {
    ...(say === undefined ? {} : { say }),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  }
  return isCode(code) ? new Fault(code, detail, options) : new Fault('internal.bug', { error: code })
}

function isCode(code: string): code is FaultCode {
  return Object.hasOwn(FAULTS, code)
}
