import type { Clock, Millis } from '#base/clock.ts'
import type { Recorder } from '#base/recorder.ts'

export interface DigestNumbers {
  readonly windowMs: Millis
  /** Names counted apart in one window; further ones are counted together. */
  readonly names: number
  /** Names that get an entry of their own in one window; the others are summed in one more. */
  readonly entries: number
}

/** What is counted, in the words of its entries. */
export interface DigestWords {
  /** The field that holds the name: `block` or `kid`. */
  readonly field: string
  /** In place of a name that came when all were taken. */
  readonly unremembered: string
  /** In place of the names that are summed, and the field that says how many. */
  readonly others: string
  readonly howMany: string
}

export interface DigestParts {
  readonly clock: Clock
  readonly recorder: Pick<Recorder, 'appendLater'>
  readonly newId: () => string
  /** Told of each count when it is made; its digest is written when the window ends. */
  readonly counted?: (code: string) => void
}

/** Counts what is refused without an entry of its own, by name and code, and writes it once per window. */
export class Digests {
  readonly #parts: DigestParts
  readonly #words: DigestWords
  readonly #numbers: DigestNumbers
  #counted = new Map<string, Count>()
  #windowStart: Millis | undefined

  constructor(parts: DigestParts, words: DigestWords, numbers: DigestNumbers) {
    this.#parts = parts
    this.#words = words
    this.#numbers = numbers
  }

  count(name: string, code: string, now: Millis): void {
    this.#endWindow(now, this.#numbers.windowMs)
    this.#windowStart ??= now
    const isRoom = this.#counted.has(name) || this.#counted.size < this.#numbers.names
    const counted = isRoom ? name : this.#words.unremembered
    let count = this.#counted.get(counted)
    if (count === undefined) this.#counted.set(counted, (count = { total: 0, codes: {} }))
    this.#parts.counted?.(code)
    count.total += 1
    count.codes[code] = (count.codes[code] ?? 0) + 1
  }

  /** Writes the window that is over. To be called about once a second, so that a count is not left behind. */
  tick(): void {
    this.#endWindow(this.#parts.clock.monotonic(), this.#numbers.windowMs)
  }

  /** Writes what is counted so far; for the end of the process. */
  flush(): void {
    this.#endWindow(this.#parts.clock.monotonic(), 0)
  }

  #endWindow(now: Millis, windowMs: Millis): void {
    if (this.#windowStart === undefined || now - this.#windowStart < windowMs) return
    const counted = [...this.#counted].sort(([, left], [, right]) => right.total - left.total)
    const spanMs = Math.round(now - this.#windowStart)
    this.#counted = new Map()
    this.#windowStart = undefined
    const { field, others, howMany } = this.#words
    const own = counted.slice(0, this.#numbers.entries)
    const rest = counted.slice(this.#numbers.entries)
    for (const [name, { total, codes }] of own) this.#write({ [field]: name, count: total, codes }, spanMs)
    if (rest.length > 0) this.#write({ [field]: others, [howMany]: rest.length, ...sum(rest) }, spanMs)
  }

  #write(fields: Readonly<Record<string, string | number | Codes>>, windowMs: Millis): void {
    const { clock, recorder, newId } = this.#parts
    const [id, at] = [newId(), clock.now()]
    const entry = {
      kind: 'digest',
      id,
      at,
      fields: { ...fields, window_ms: windowMs },
      reserved: false,
    } as const
    recorder.appendLater(() => entry)
  }
}

type Codes = Record<string, number>

interface Count {
  total: number
  readonly codes: Codes
}

function sum(counted: readonly (readonly [name: string, count: Count])[]): {
  readonly count: number
  readonly codes: Codes
} {
  const codes: Codes = {}
  let count = 0
  for (const [, one] of counted) {
    count += one.total
    for (const [code, times] of Object.entries(one.codes)) codes[code] = (codes[code] ?? 0) + times
  }
  return { count, codes }
}
