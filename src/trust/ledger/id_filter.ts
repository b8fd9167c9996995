import { fnv1a } from '#base/fnv1a.ts'

/**
 * Which ids a segment may hold (a Bloom filter): it answers yes for every id that is there and for about one in a
 * hundred others, so that a search reads few segments in vain. Ids are random, so their own characters serve as hashes.
 */
const BITS_PER_ID = 10
const PROBES = 7
const BYTE_BITS = 8

/**
 * The filter of the ids in a segment of so many entries; repeated ones count once. It is no larger than the filter of as
 * many ids, so that values that only look like ids make a search read in vain, and never a segment that nobody takes.
 */
export function idFilter(ids: ReadonlySet<string>, entries: number): Uint8Array {
  const filter = new Uint8Array(filterBytes(Math.min(ids.size, entries)))
  for (const id of ids) {
    const probes = new Probes(id, filter.length)
    for (let probe = 0; probe < PROBES; probe += 1) {
      const bit = probes.bit(probe)
      filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & (BYTE_BITS - 1)))
    }
  }
  return filter
}

/** Bytes of the filter of so many ids; at least one, or there would be no bit to look at. */
export function filterBytes(ids: number): number {
  return Math.max(1, Math.ceil((ids * BITS_PER_ID) / BYTE_BITS))
}

/** False only when the id is not among those the filter was made of. */
export function mayHoldId(filter: Uint8Array, id: string): boolean {
  const probes = new Probes(id, filter.length)
  for (let probe = 0; probe < PROBES; probe += 1) {
    const bit = probes.bit(probe)
    if (((filter[bit >> 3] ?? 0) & (1 << (bit & (BYTE_BITS - 1)))) === 0) return false
  }
  return true
}

/** Double hashing (Kirsch and Mitzenmacher, 2006): two hashes give all probes. */
class Probes {
  readonly #first: number
  readonly #second: number
  readonly #bits: number

  constructor(id: string, bytes: number) {
    const half = id.length >> 1
    this.#first = fnv1a(id, 0, half)
    this.#second = (fnv1a(id, half, id.length) | 1) >>> 0
    this.#bits = bytes * BYTE_BITS
  }

  bit(probe: number): number {
    return (this.#first + probe * this.#second) % this.#bits
  }
}
