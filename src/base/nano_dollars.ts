/** Money is counted in whole nano-dollars: the price of one token of the cheapest model is still some dozens of them. */
export const NANO_PER_DOLLAR = 1_000_000_000
const NANO_PER_MICRO = 1_000
const MICRO_PER_DOLLAR = 1_000_000
const FRACTION_DIGITS = 9
const MOST_ROUNDING = 1e-4

/** Dollars as they are written, with at most six digits after the point; undefined for any other number. */
export function toNanoDollars(dollars: number): number | undefined {
  const micro = Math.round(dollars * MICRO_PER_DOLLAR)
  const isExact = Math.abs(dollars * MICRO_PER_DOLLAR - micro) < MOST_ROUNDING
  const nano = micro * NANO_PER_MICRO
  return isExact && nano >= 0 && Number.isSafeInteger(nano) ? nano : undefined
}

/** All nine digits after the point, so that sums of what is printed are exact. */
export function printDollars(nano: number | bigint): string {
  const digits = String(nano).padStart(FRACTION_DIGITS + 1, '0')
  return `${digits.slice(0, -FRACTION_DIGITS)}.${digits.slice(-FRACTION_DIGITS)}`
}

/** Without the zeros at its end, for people. */
export function shortDollars(nano: number | bigint): string {
  return `$${printDollars(nano).replace(/\.?0+$/, '')}`
}
