import { randomBytes } from 'node:crypto'

const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** 62 × 4 = 248: bytes at or above are dropped so that each character is equally likely. */
const FAIR_BYTES = 248
const POOL_BYTES = 4_096
/** 16 characters of base 62 are 95 bits: not guessable, not an index. */
const ENTRY_ID_LENGTH = 16

let pool = Buffer.alloc(0)
let used = 0

/** A random text of `length` base-62 characters. */
export function randomBase62(length: number): string {
  let text = ''
  while (text.length < length) {
    if (used === pool.length) {
      pool = randomBytes(POOL_BYTES)
      used = 0
    }
    const byte = pool[used++] ?? FAIR_BYTES
    if (byte < FAIR_BYTES) text += ALPHABET.charAt(byte % ALPHABET.length)
  }
  return text
}

/** The id of one request: shown to the caller as `x-request-id` and the `id` of its ledger entries. */
export function newEntryId(): string {
  return randomBase62(ENTRY_ID_LENGTH)
}

/** A random text of `digits` hexadecimal digits in lower case, an even number of them, never all zeros. */
export function randomHex(digits: number): string {
  const bytes = digits / 2
  if (used + bytes > pool.length) {
    pool = randomBytes(POOL_BYTES)
    used = 0
  }
  const text = pool.toString('hex', used, used + bytes)
  used += bytes
  return /^0+$/.test(text) ? randomHex(digits) : text
}

/** True for a text with the form of an entry id. */
export function isEntryId(text: string): boolean {
  return text.length === ENTRY_ID_LENGTH && /^[0-9A-Za-z]+$/.test(text)
}
