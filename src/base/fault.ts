import type { JsonValue } from './json.ts'
import { FAULTS, type FaultCode } from './fault_table.ts'

/** What only the ledger and the operator may read; every value is kept as sensitive unless the ledger classes it public. */
export type FaultDetail = Readonly<Record<string, JsonValue>>

export interface FaultOptions {
  /** One sentence for the caller, made only of our own words and field paths, never of request values. */
  readonly say?: string
  readonly retryAfterSeconds?: number
  readonly cause?: unknown
}

/** A refusal or failure that is part of the contract. Anything else that is thrown is a bug. */
export class Fault extends Error {
  readonly code: FaultCode
  readonly detail: FaultDetail
  readonly say: string | undefined
  readonly retryAfterSeconds: number | undefined

  constructor(code: FaultCode, detail: FaultDetail = {}, options: FaultOptions = {}) {
    const message = `${code}: ${options.say ?? FAULTS[code].title}`
    const depth = Error.stackTraceLimit
    // A refusal is no accident. Where it was made is worth less than the time to find out, which floods would cost again
    // and again; a bug is another matter.
    if (code !== 'internal.bug') Error.stackTraceLimit = 0
    super(message, { cause: options.cause })
    Error.stackTraceLimit = depth
    this.name = 'Fault'
    this.code = code
    this.detail = detail
    this.say = options.say
    this.retryAfterSeconds = options.retryAfterSeconds
  }
}

/** Turns whatever was thrown into a `Fault`; an unexpected one becomes `internal.bug` and keeps its cause. */
export function asFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  return new Fault(
    'internal.bug',
    { error: thrown instanceof Error ? thrown.message : String(thrown) },
    { cause: thrown },
  )
}
