import { LIMITS } from '#base/limits.ts'
import { LAST_UNIT, type Pattern, type Units } from './pattern.ts'

/** What is known of a text so far: which patterns may have begun in it and where in them it is. */
export interface State {
  /** What is live, and what was accepted with the last character; 0 when no pattern can go on. */
  readonly bits: number
  /** The places in the patterns. */
  readonly places: readonly number[]
  /** By class of character; filled in when it is first asked for. */
  readonly next: (State | undefined)[]
}

/**
 * Follows all patterns at once, from every place of a text, with one step per character. A state is made when a text first
 * comes to it; with more than `LIMITS.automatonStates` of them all are forgotten and made anew. Those in use stay good.
 */
export class Automaton {
  /** The class of each code unit; no pattern tells two units of one class apart. */
  readonly classes: Uint8Array
  readonly #places: Places
  #states = new Map<string, State>()
  #start: State

  /** Code units that `apart` holds are never in a class with others. */
  constructor(patterns: readonly Pattern[], apart: readonly Units[] = []) {
    this.#places = new Places(patterns)
    const sets = [...this.#places.units, ...apart]
    this.classes = classesOf(sets)
    this.#places.prepare(this.classes)
    this.#start = this.#stateOf([])
  }

  /** Before the first character. */
  get start(): State {
    return this.#start
  }

  /** How many states there are now. */
  get size(): number {
    return this.#states.size
  }

  /** The state behind one more character of this class. */
  step(state: State, unitClass: number): State {
    return state.next[unitClass] ?? this.#make(state, unitClass)
  }

  #make(state: State, unitClass: number): State {
    const next = this.#stateOf(this.#places.behind(state.places, unitClass))
    state.next[unitClass] = next
    return next
  }

  #stateOf(places: readonly number[]): State {
    const key = places.join()
    const known = this.#states.get(key)
    if (known !== undefined) return known
    if (this.#states.size >= LIMITS.automatonStates) {
      this.#states = new Map()
      this.#start = this.#stateOf([])
    }
    const state: State = { places, bits: this.#places.bits(places), next: [] }
    this.#states.set(key, state)
    return state
  }
}

/** Gives each code unit a number such that no set holds one of two units with the same number and not the other. */
function classesOf(sets: readonly Units[]): Uint8Array {
  const borders = new Set(sets.flat().flatMap(([first, last]) => [first, last + 1]))
  const starts = [...new Set([0, ...borders])].filter((start) => start <= LAST_UNIT)
  starts.sort((left, right) => left - right)
  const places = new Map(starts.map((start, at) => [start, at]))
  let numbers = new Uint16Array(starts.length)
  for (const units of new Set(sets)) {
    const isIn = new Uint8Array(starts.length)
    for (const [first, last] of units) isIn.fill(1, places.get(first), places.get(last + 1))
    const split = new Map<number, number>()
    numbers = numbers.map((number, at) => {
      const key = 2 * number + (isIn[at] ?? 0)
      const known = split.get(key) ?? split.size
      split.set(key, known)
      return known
    })
    if (split.size > MOST_CLASSES) throw new RangeError('The patterns tell too many characters apart')
  }
  const classes = new Uint8Array(LAST_UNIT + 1)
  for (const [at, start] of starts.entries()) classes.fill(numbers[at] ?? 0, start, starts[at + 1])
  return classes
}

const MOST_CLASSES = 256

/** Where a part of a pattern can begin and end, as places. */
interface Part {
  readonly first: readonly number[]
  readonly last: readonly number[]
  readonly mayBeEmpty: boolean
}

const EMPTY: Part = { first: [], last: [], mayBeEmpty: true }

/** The places of all patterns, by the construction of Glushkov: one for each character that a pattern can take. */
class Places {
  readonly units: Units[] = []
  readonly #marks: number[] = []
  readonly #accepts: number[] = []
  readonly #follow: Set<number>[] = []
  readonly #first: number[]
  /** By place, which classes it takes. */
  #takes: readonly Uint8Array[] = []

  constructor(patterns: readonly Pattern[]) {
    this.#first = patterns.flatMap((pattern) => this.#add(pattern, 0).first)
  }

  prepare(classes: Uint8Array): void {
    const known = new Map<Units, Uint8Array>()
    this.#takes = this.units.map((units) => {
      const takes = known.get(units) ?? new Uint8Array(MOST_CLASSES)
      if (!known.has(units))
        for (const [first, last] of units)
          for (let unit = first; unit <= last; unit++) takes[classes[unit] ?? 0] = 1
      known.set(units, takes)
      return takes
    })
  }

  behind(places: readonly number[], unitClass: number): readonly number[] {
    const next = new Set<number>()
    const add = (place: number): void => {
      if (this.#takes[place]?.[unitClass] === 1) next.add(place)
    }
    this.#first.forEach(add)
    for (const place of places) this.#follow[place]?.forEach(add)
    return [...next].sort((left, right) => left - right)
  }

  bits(places: readonly number[]): number {
    let bits = 0
    for (const place of places) {
      if ((this.#follow[place]?.size ?? 0) > 0) bits |= this.#marks[place] ?? 0
      bits |= this.#accepts[place] ?? 0
    }
    return bits
  }

  #add(pattern: Pattern, mark: number): Part {
    switch (pattern.form) {
      case 'one':
        return this.#addOne(pattern.units, mark)
      case 'sequence':
        return pattern.parts.reduce<Part>((before, part) => this.#join(before, this.#add(part, mark)), EMPTY)
      case 'either': {
        const parts = pattern.parts.map((part) => this.#add(part, mark))
        return {
          first: parts.flatMap(({ first }) => first),
          last: parts.flatMap(({ last }) => last),
          mayBeEmpty: parts.some(({ mayBeEmpty }) => mayBeEmpty),
        }
      }
      case 'repeat':
        return this.#addRepeat(pattern, mark)
      case 'mark':
        return this.#add(pattern.part, mark === 0 ? pattern.mark : mark)
      case 'accept': {
        const part = this.#add(pattern.part, mark)
        for (const place of part.last) this.#accepts[place] = (this.#accepts[place] ?? 0) | pattern.mark
        return part
      }
    }
  }

  #addOne(units: Units, mark: number): Part {
    const place = this.units.push(units) - 1
    this.#marks.push(mark)
    this.#follow.push(new Set())
    return { first: [place], last: [place], mayBeEmpty: false }
  }

  #addRepeat({ part, least, most }: Pattern & { form: 'repeat' }, mark: number): Part {
    let whole = EMPTY
    const copies = most === Infinity ? Math.max(1, least) : most
    for (let copy = 0; copy < copies; copy++) {
      const added = this.#add(part, mark)
      if (most === Infinity && copy === copies - 1) this.#connect(added.last, added.first)
      whole = this.#join(whole, copy < least ? added : { ...added, mayBeEmpty: true })
    }
    return whole
  }

  #join(before: Part, after: Part): Part {
    this.#connect(before.last, after.first)
    return {
      first: before.mayBeEmpty ? [...before.first, ...after.first] : before.first,
      last: after.mayBeEmpty ? [...before.last, ...after.last] : after.last,
      mayBeEmpty: before.mayBeEmpty && after.mayBeEmpty,
    }
  }

  #connect(last: readonly number[], first: readonly number[]): void {
    for (const place of last) for (const next of first) this.#follow[place]?.add(next)
  }
}
