import { FAULTS } from '#base/fault_table.ts'
import type { JsonObject } from '#base/json.ts'
import type { StreamRefusal } from '#door/stream_frame.ts'

/** Why a stream was cut, as the error objects of the formats say it. Holds nothing of the detail of the fault. */
export interface RefusalError {
  readonly code: string
  readonly message: string
  readonly status: number
  /** The part that is our own. */
  readonly gatehouse: JsonObject
}

export function refusalError({ fault, id }: StreamRefusal): RefusalError {
  const { code } = fault
  const { status, title, hint } = FAULTS[code]
  // All who are not proven get the same words, as before the stream.
  const say = code === 'caller.unknown' ? undefined : fault.say
  const gatehouse = {
    type: `urn:gatehouse:${code}`,
    title,
    status,
    ...(say === undefined ? {} : { detail: say }),
    code,
    entry: id,
    hint: hint.replace('ENTRY', id),
  }
  return { code, message: say ?? title, status, gatehouse }
}

/** The types that both APIs use; `server` is what each calls a failure of its own. */
export function errorType(status: number, server: 'server_error' | 'api_error'): string {
  if (status >= 500) return server
  if (status === 401) return 'authentication_error'
  if (status === 403) return 'permission_error'
  return status === 429 ? 'rate_limit_error' : 'invalid_request_error'
}
