import { Fault } from '#base/fault.ts'
import { LIMITS } from '#base/limits.ts'

/** The fields of a form by name, in order of their names' first appearance. A field without a value is left out. */
export type Form = ReadonlyMap<string, readonly string[]>

/**
 * Reads `application/x-www-form-urlencoded` (URL Standard section 5) as strictly as can be: what two programs could read
 * differently is refused. A parameter without a value counts as left out (RFC 6749 section 3.2).
 *
 * Throws `input.invalid` and `input.too_large`.
 */
export function readForm(body: Uint8Array): Form {
  if (body.length > LIMITS.formBytes)
    throw new Fault('input.too_large', {}, { say: `This form may have ${LIMITS.formBytes} bytes.` })
  const text = Buffer.from(body).toString('latin1')
  if (!PRINTABLE.test(text)) throw invalid('The form holds characters that have to be escaped.')
  const pairs = text === '' ? [] : text.split('&', LIMITS.formPairs + 1)
  if (pairs.length > LIMITS.formPairs) throw invalid(`A form may have ${LIMITS.formPairs} fields.`)
  const form = new Map<string, string[]>()
  for (const pair of pairs) {
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const value = equals < 0 ? '' : decode(pair.slice(equals + 1))
    if (value === '') continue
    const values = form.get(name)
    if (values === undefined) form.set(name, [value])
    else values.push(value)
  }
  return form
}

const PRINTABLE = /^[!-~]*$/

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (thrown) {
    throw invalid('The form holds an escape that is no text.', thrown)
  }
}

function invalid(say: string, cause?: unknown): Fault {
  return new Fault('input.invalid', { reason: 'form' }, { say, cause })
}
