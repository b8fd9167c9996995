import { failEvaluation } from './evaluation_error.ts'

/**
 * A signed 64-bit integer: a number where it is safe, a bigint beyond ±(2^53 − 1). Each integer has one form, so `===`
 * compares them.
 */
export type Long = number | bigint

const MIN = -(2n ** 63n)
const MAX = 2n ** 63n - 1n

/** True for both forms; there are no other numbers in Cedar. */
export function isLong(value: unknown): value is Long {
  return typeof value === 'number' || typeof value === 'bigint'
}

/** The one form of an integer; undefined beyond 64 bits. */
export function toLong(value: bigint): Long | undefined {
  if (value < MIN || value > MAX) return undefined
  return value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER)
    ? Number(value)
    : value
}

/** Throws EvaluationError beyond 64 bits, as all arithmetic here does. */
export function checkedLong(value: bigint): Long {
  return toLong(value) ?? failEvaluation('integer overflow')
}

export function addLong(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const sum = left + right
    if (Number.isSafeInteger(sum)) return sum
  }
  return checkedLong(BigInt(left) + BigInt(right))
}

export function subtractLong(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const difference = left - right
    if (Number.isSafeInteger(difference)) return difference
  }
  return checkedLong(BigInt(left) - BigInt(right))
}

export function multiplyLong(left: Long, right: Long): Long {
  if (typeof left === 'number' && typeof right === 'number') {
    const product = left * right
    // A product that was rounded is 2^53 at least, which is not safe. Adding 0 makes one zero of two.
    if (Number.isSafeInteger(product)) return product + 0
  }
  return checkedLong(BigInt(left) * BigInt(right))
}

export function negateLong(value: Long): Long {
  return subtractLong(0, value)
}

/** Toward zero, as machines divide. The divisor is a small constant of ours. */
export function divideLong(value: Long, divisor: number): Long {
  return typeof value === 'number' ? Math.trunc(value / divisor) + 0 : checkedLong(value / BigInt(divisor))
}

/** The rest that is never negative. */
export function floorRest(value: Long, divisor: number): number {
  const rest = typeof value === 'number' ? value % divisor : Number(value % BigInt(divisor))
  return rest < 0 ? rest + divisor : rest + 0
}
