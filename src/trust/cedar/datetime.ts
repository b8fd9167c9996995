import { failEvaluation } from './evaluation_error.ts'
import { ExtensionValue } from './values.ts'

const FORM =
  /^([0-9]{4})-([0-9]{2})-([0-9]{2})(?:T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{3}))?(?:Z|([+-])([0-9]{2})([0-9]{2})))?$/
const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS

/** The moment that a text says, in milliseconds since 1970. Throws EvaluationError. */
export function parseDatetime(text: string): ExtensionValue {
  const found = FORM.exec(text) ?? failEvaluation('extension')
  const [year, month, day] = [part(found, 1), part(found, 2), part(found, 3)]
  const [hour, minute, second] = [part(found, 4), part(found, 5), part(found, 6)]
  const [offsetHour, offsetMinute] = [part(found, 9), part(found, 10)]
  const isTime = hour < 24 && minute < 60 && second < 60 && offsetHour < 24 && offsetMinute < 60
  const date = new Date(0)
  // Not Date.UTC, which takes the years 0 to 99 for those of the twentieth century.
  date.setUTCFullYear(year, month - 1, day)
  const isDate = date.getUTCMonth() === month - 1 && date.getUTCDate() === day
  if (!isTime || !isDate) failEvaluation('extension')
  const offset = (offsetHour * HOUR_MS + offsetMinute * MINUTE_MS) * (found[8] === '-' ? -1 : 1)
  const inDay = hour * HOUR_MS + minute * MINUTE_MS + second * 1_000 + part(found, 7)
  return new ExtensionValue('datetime', date.getTime() + inDay - offset)
}

function part(found: RegExpExecArray, index: number): number {
  return Number(found[index] ?? 0)
}
