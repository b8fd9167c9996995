import { failEvaluation } from './evaluation_error.ts'
import { checkedLong } from './long.ts'
import { ExtensionValue } from './values.ts'

/** Digits behind the point. */
const SCALE = 4
/** 64 bits hold 15 digits before the point; this is where a longer text is known to be too large without reading it. */
const DIGITS_MAX = 32
const FORM = /^(-?)([0-9]+)\.([0-9]+)$/

/** The decimal that a text says, as ten-thousandths in 64 bits. Throws EvaluationError. */
export function parseDecimal(text: string): ExtensionValue {
  const [, sign, whole = '', part = ''] = FORM.exec(text) ?? failEvaluation('extension')
  const digits = whole.replace(/^0+/, '')
  if (part.length > SCALE || digits.length > DIGITS_MAX) failEvaluation('extension')
  const scaled = BigInt(digits + part.padEnd(SCALE, '0'))
  return new ExtensionValue('decimal', checkedLong(sign === '-' ? -scaled : scaled))
}
