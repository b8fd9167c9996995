import { failEvaluation } from './evaluation_error.ts'
import { checkedLong } from './long.ts'
import { ExtensionValue } from './values.ts'

const FORM = /^(-?)(?:([0-9]+)d)?(?:([0-9]+)h)?(?:([0-9]+)m)?(?:([0-9]+)s)?(?:([0-9]+)ms)?$/
/** Milliseconds of each unit, in the order of the form. */
const UNITS = [86_400_000n, 3_600_000n, 60_000n, 1_000n, 1n]
/** 64 bits hold 20 digits; a longer number is too large, or begins with zeros that nobody writes. */
const DIGITS_MAX = 20

/** The duration that a text says, as in `-1d2h3m4s5ms`. Throws EvaluationError. */
export function parseDuration(text: string): ExtensionValue {
  const found = FORM.exec(text)
  if (found === null || text === '' || text === '-') failEvaluation('extension')
  const [, sign, ...amounts] = found
  let total = 0n
  for (const [index, unit] of UNITS.entries()) {
    const digits = (amounts[index] ?? '0').replace(/^0+(?=[0-9])/, '')
    if (digits.length > DIGITS_MAX) failEvaluation('extension')
    total += BigInt(digits) * unit
  }
  return new ExtensionValue('duration', checkedLong(sign === '-' ? -total : total))
}
