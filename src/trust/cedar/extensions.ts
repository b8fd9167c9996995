import { parseDatetime } from './datetime.ts'
import { parseDecimal } from './decimal.ts'
import { parseDuration } from './duration.ts'
import { failEvaluation } from './evaluation_error.ts'
import { isInRange, isLoopback, isMulticast, parseIpAddress } from './ip_address.ts'
import { addLong, divideLong, floorRest, subtractLong, type Long } from './long.ts'
import { asExtension, asText, ExtensionValue, type ExtensionType, type Value } from './values.ts'

export interface ExtensionFunction {
  readonly arity: 1 | 2
  /** Of a function with one parameter the second is not looked at. Throws EvaluationError. */
  readonly run: (first: Value, second: Value) => Value
}

const DAY_MS = 86_400_000

/** The functions and methods of extension types, by name; what a method is called on is its first parameter. */
export const EXTENSIONS: ReadonlyMap<string, ExtensionFunction> = new Map([
  ['decimal', construct(parseDecimal)],
  ['ip', construct(parseIpAddress)],
  ['datetime', construct(parseDatetime)],
  ['duration', construct(parseDuration)],
  ['lessThan', compareDecimals((left, right) => left < right)],
  ['lessThanOrEqual', compareDecimals((left, right) => left <= right)],
  ['greaterThan', compareDecimals((left, right) => left > right)],
  ['greaterThanOrEqual', compareDecimals((left, right) => left >= right)],
  ['isIpv4', unary('ipaddr', (address) => address.version === 4)],
  ['isIpv6', unary('ipaddr', (address) => address.version === 6)],
  ['isLoopback', unary('ipaddr', isLoopback)],
  ['isMulticast', unary('ipaddr', isMulticast)],
  ['isInRange', binary('ipaddr', 'ipaddr', isInRange)],
  ['offset', binary('datetime', 'duration', (moment, by) => datetime(addLong(moment.value, by.value)))],
  [
    'durationSince',
    binary('datetime', 'datetime', (moment, from) => duration(subtractLong(moment.value, from.value))),
  ],
  ['toDate', unary('datetime', ({ value }) => datetime(subtractLong(value, floorRest(value, DAY_MS))))],
  ['toTime', unary('datetime', ({ value }) => duration(floorRest(value, DAY_MS)))],
  ['toMilliseconds', unary('duration', ({ value }) => value)],
  ['toSeconds', unary('duration', ({ value }) => divideLong(value, 1_000))],
  ['toMinutes', unary('duration', ({ value }) => divideLong(value, 60_000))],
  ['toHours', unary('duration', ({ value }) => divideLong(value, 3_600_000))],
  ['toDays', unary('duration', ({ value }) => divideLong(value, DAY_MS))],
])

/** The types that `<` and its like compare, besides integers. */
export const ORDERED_TYPES: ReadonlySet<ExtensionType> = new Set<ExtensionType>(['datetime', 'duration'])

/** Calls a function or method by name. Throws EvaluationError. */
export function callExtension(name: string, parameters: readonly Value[]): Value {
  const extension = EXTENSIONS.get(name)
  const [first, second = false] = parameters
  if (extension === undefined || first === undefined || parameters.length !== extension.arity)
    failEvaluation('wrong number of arguments')
  return extension.run(first, second)
}

function construct(parse: (text: string) => ExtensionValue): ExtensionFunction {
  return { arity: 1, run: (text) => parse(asText(text)) }
}

function unary(type: ExtensionType, run: (value: ExtensionValue) => Value): ExtensionFunction {
  return { arity: 1, run: (value) => run(asExtension(value, type)) }
}

function binary(
  first: ExtensionType,
  second: ExtensionType,
  run: (left: ExtensionValue, right: ExtensionValue) => Value,
): ExtensionFunction {
  return {
    arity: 2,
    run: (left, right) => run(asExtension(left, first), asExtension(right, second)),
  }
}

function compareDecimals(compare: (left: Long, right: Long) => boolean): ExtensionFunction {
  return binary('decimal', 'decimal', (left, right) => compare(left.value, right.value))
}

function datetime(value: Long): ExtensionValue {
  return new ExtensionValue('datetime', value)
}

function duration(value: Long): ExtensionValue {
  return new ExtensionValue('duration', value)
}
