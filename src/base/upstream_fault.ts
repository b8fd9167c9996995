import { Fault } from './fault.ts'
import type { FaultCode } from './fault_table.ts'

/** What undici and its parser call their errors, as far as the code is not `upstream.failed`. */
const CODES: Readonly<Record<string, FaultCode>> = {
  UND_ERR_CONNECT_TIMEOUT: 'upstream.slow',
  UND_ERR_HEADERS_TIMEOUT: 'upstream.slow',
  UND_ERR_BODY_TIMEOUT: 'upstream.slow',
  UND_ERR_HEADERS_OVERFLOW: 'upstream.invalid',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'upstream.invalid',
}
/** Its code is not always set. */
const PARSER_ERROR = 'HTTPParserError'
const ERROR_CODE_FORM = /^[A-Z][A-Z0-9_]{0,63}$/

/** The fault for an error of an exchange. It holds a word of ours or undici's, never a header, an address or a body. */
export function upstreamFault(error: unknown): Fault {
  if (error instanceof Error && error.name === PARSER_ERROR)
    return new Fault('upstream.invalid', { reason: 'not_http' })
  const code = codeOf(error)
  return new Fault(CODES[code] ?? 'upstream.failed', { reason: code })
}

/** The fault for an answer whose body we do not read; undefined for one that we do. */
export function unreadableAnswer(
  status: number,
  encoding: string | readonly string[] | undefined,
): Fault | undefined {
  if (status >= 300 && status < 400) return new Fault('upstream.invalid', { reason: 'redirect' })
  const isEncoded = encoding !== undefined && encoding !== '' && encoding !== 'identity'
  return isEncoded ? new Fault('upstream.invalid', { reason: 'encoded_body' }) : undefined
}

/** Messages may hold addresses or header values; only the code is kept. */
function codeOf(error: unknown): string {
  const hasCode = typeof error === 'object' && error !== null && 'code' in error
  const code = hasCode && typeof error.code === 'string' ? error.code : ''
  return ERROR_CODE_FORM.test(code) ? code : 'unknown'
}
