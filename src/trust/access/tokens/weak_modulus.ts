/**
 * True for a modulus of the faulty library of 2017 whose keys can be factored (CVE-2017-15361, ROCA): its primes are made of
 * powers of 65,537 modulo the product of the first primes, so that the modulus is such a power modulo each of them. Of other
 * keys one in a billion looks so.
 */
export function isFactorable(modulus: Uint8Array): boolean {
  const number = modulus.length === 0 ? 0n : BigInt(`0x${Buffer.from(modulus).toString('hex')}`)
  return POWERS.every(({ prime, powers }) => powers.has(Number(number % BigInt(prime))))
}

const GENERATOR = 65_537
/** For all of these the library's product is divided by them, also for the shortest keys. */
const PRIMES = [
  3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97, 101, 103, 107,
  109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167,
]

const POWERS = PRIMES.map((prime) => ({ prime, powers: powersModulo(prime) }))

function powersModulo(prime: number): ReadonlySet<number> {
  const powers = new Set<number>()
  for (let power = 1; !powers.has(power); power = (power * GENERATOR) % prime) powers.add(power)
  return powers
}
