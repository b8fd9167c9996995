const ZERO = 0x30

/** True for a number whose last digit is right by the check of ISO/IEC 7812-1 annex B. Takes digits only. */
export function isLuhn(digits: string): boolean {
  let sum = 0
  for (let place = 0; place < digits.length; place++) {
    const digit = digits.charCodeAt(digits.length - 1 - place) - ZERO
    const counted = place % 2 === 0 ? digit : 2 * digit
    sum += counted > 9 ? counted - 9 : counted
  }
  return sum % 10 === 0
}
