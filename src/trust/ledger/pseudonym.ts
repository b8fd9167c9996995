import { toBase64Url } from '#base/bytes.ts'
import { hmacSha256 } from '#base/crypto.ts'

/** 96 bits: no two callers of one home meet in practice, and it costs 16 characters in each intent. */
const PSEUDONYM_BYTES = 12
/** Callers whose pseudonyms are remembered; each costs about 200 bytes. */
const REMEMBERED = 10_000

/** What stands for a caller in a leaf: equal for equal callers, and nobody without the key can tell whose it is. */
export function pseudonymOf(key: Uint8Array, value: string): string {
  return toBase64Url(hmacSha256(key, `gatehouse pseudonym v1\n${value}`).subarray(0, PSEUDONYM_BYTES))
}

/** `pseudonymOf` with a bounded memory of the last answers. */
export function rememberedPseudonyms(key: Uint8Array): (value: string) => string {
  const known = new Map<string, string>()
  return (value) => {
    const found = known.get(value)
    if (found !== undefined) return found
    const made = pseudonymOf(key, value)
    if (known.size >= REMEMBERED) known.clear()
    known.set(value, made)
    return made
  }
}
