import { crc32 } from 'node:zlib'

const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 62^6 > 2^32, so any CRC-32 fits. */
const LENGTH = 6

/** IEEE CRC-32 of an ASCII text as 6 base-62 digits, the greatest first: the check that several kinds of token end with. */
export function base62Checksum(text: string): string {
  let rest = crc32(text)
  let digits = ''
  for (let place = 0; place < LENGTH; place++) {
    digits = DIGITS.charAt(rest % DIGITS.length) + digits
    rest = Math.floor(rest / DIGITS.length)
  }
  return digits
}
