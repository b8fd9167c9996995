import type { EntityRef } from '#base/decider.ts'
import { fnv1a } from '#base/fnv1a.ts'

/** A place holds the number of its reference, from 1 on: a new table is empty as it is. */
const EMPTY = 0
export const NOWHERE = -1
const LEAST_PLACES = 8
/** Places for each reference, so that most are found at the first look. */
const SPREAD = 2
/** Looks at most for one reference; names that somebody chose so that they meet end in a map, which they cannot slow. */
const PROBES_MAX = 32

/**
 * Numbers entity references from 0 on, in the order in which they come (open addressing). A caller that was never seen
 * before brings dozens of references for one question; a `Map` takes longer to hash their texts than the question takes
 * to answer.
 */
export class RefNumbers {
  readonly #refs: EntityRef[] = []
  #places: Int32Array
  #mask: number
  #crowded: Map<string, Map<string, number>> | undefined

  /** `expected` references fit without growing. */
  constructor(expected = 0) {
    this.#places = newPlaces(expected)
    this.#mask = this.#places.length - 1
  }

  get size(): number {
    return this.#refs.length
  }

  /** `hash` is that of the reference. Gives `NOWHERE` for one that has no number. */
  find(ref: EntityRef, hash: number): number {
    if (this.#crowded !== undefined) return this.#crowded.get(ref.type)?.get(ref.id) ?? NOWHERE
    // There is always an empty place to end at.
    for (let place = hash & this.#mask; ; place = (place + 1) & this.#mask) {
      const number = this.#places[place] ?? EMPTY
      if (number === EMPTY) return NOWHERE
      const other = this.#refs[number - 1]
      if (other !== undefined && isSameRef(other, ref)) return number - 1
    }
  }

  /** The number that it has, or else the next one. */
  add(ref: EntityRef, hash: number): number {
    const known = this.find(ref, hash)
    if (known !== NOWHERE) return known
    const at = this.#refs.push(ref) - 1
    const isFull = this.#refs.length * SPREAD > this.#places.length
    if (isFull && this.#crowded === undefined) this.#grow()
    else this.#place(ref, at, hash)
    return at
  }

  #place(ref: EntityRef, at: number, hash: number): void {
    if (this.#crowded !== undefined) {
      addTo(this.#crowded, ref, at)
      return
    }
    let place = hash & this.#mask
    for (let probe = 0; probe < PROBES_MAX; probe++) {
      if ((this.#places[place] ?? EMPTY) === EMPTY) {
        this.#places[place] = at + 1
        return
      }
      place = (place + 1) & this.#mask
    }
    const crowded = new Map<string, Map<string, number>>()
    for (let known = 0; known <= at; known++) addTo(crowded, this.#refs[known] ?? ref, known)
    this.#crowded = crowded
  }

  /** Gives every reference a place in a larger table, the last one too. */
  #grow(): void {
    this.#places = newPlaces(this.#refs.length * SPREAD)
    this.#mask = this.#places.length - 1
    for (const [at, ref] of this.#refs.entries()) this.#place(ref, at, hashOf(ref))
  }
}

/** A map by entity reference. */
export class RefMap<T> {
  readonly #numbers: RefNumbers
  readonly #values: T[] = []

  /** `expected` references fit without growing. */
  constructor(expected = 0) {
    this.#numbers = new RefNumbers(expected)
  }

  /** `hash` is that of the reference, where it is known already. */
  get(ref: EntityRef, hash = hashOf(ref)): T | undefined {
    const at = this.#numbers.find(ref, hash)
    return at === NOWHERE ? undefined : this.#values[at]
  }

  has(ref: EntityRef): boolean {
    return this.#numbers.find(ref, hashOf(ref)) !== NOWHERE
  }

  /** True when the reference was not there before; the value is replaced either way. */
  set(ref: EntityRef, value: T, hash = hashOf(ref)): boolean {
    const at = this.#numbers.add(ref, hash)
    const isNew = at === this.#values.length
    this.#values[at] = value
    return isNew
  }
}

export function isSameRef(left: EntityRef, right: EntityRef): boolean {
  return left === right || (left.id === right.id && left.type === right.type)
}

function newPlaces(count: number): Int32Array {
  let size = LEAST_PLACES
  while (size < count * SPREAD) size *= 2
  return new Int32Array(size)
}

function addTo(crowded: Map<string, Map<string, number>>, { type, id }: EntityRef, at: number): void {
  const byId = crowded.get(type) ?? new Map<string, number>()
  crowded.set(type, byId.set(id, at))
}

/** The hash by which a `RefMap` finds a reference. Types repeat, so only their length counts. */
export function hashOf({ type, id }: EntityRef): number {
  const hash = fnv1a(id) ^ type.length
  // The low bits of FNV are its weakest, and they choose the place.
  return hash ^ (hash >>> 15)
}
