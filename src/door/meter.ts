import { Fault } from '#base/fault.ts'
import type { CallerMemory } from '#base/memory.ts'

/** What the door takes on at once. Admin and key acts have the reserves, so that no flood of calls keeps an operator out. */
export interface MeterLimits {
  readonly places: number
  readonly reservedPlaces: number
  /** Bytes of request bodies and answers in memory. */
  readonly bytes: number
  readonly reservedBytes: number
}

/** Seconds after which a caller that met the limit may try again; requests are short, so the least HTTP can say. */
const RETRY_AFTER_SECONDS = 1

/** Bounds the requests in flight, and the bytes that they hold. */
export class Meter {
  readonly #limits: MeterLimits
  readonly #taken: Taken = { places: 0, bytes: 0, byCaller: new Map() }

  constructor(limits: MeterLimits) {
    this.#limits = limits
  }

  get inFlight(): number {
    return this.#taken.places
  }

  get bytes(): number {
    return this.#taken.bytes
  }

  /** What one request of a caller, as `printRef` gives it, is going to hold: nothing yet. */
  open(caller: string, record: 'grouped' | 'strict'): Holding {
    return new Holding(this.#limits, this.#taken, { caller, isReserved: record === 'strict' })
  }
}

/** What all requests hold together. */
interface Taken {
  places: number
  bytes: number
  /** Callers that hold any bytes. */
  readonly byCaller: Map<string, number>
}

/** The bytes and the place of one request, from its body to the moment in which its reply has left. */
export class Holding implements CallerMemory {
  readonly caller: string
  readonly #limits: MeterLimits
  readonly #taken: Taken
  readonly #isReserved: boolean
  #bytes = 0
  #hasPlace = false

  constructor(
    limits: MeterLimits,
    taken: Taken,
    { caller, isReserved }: { readonly caller: string; readonly isReserved: boolean },
  ) {
    this.#limits = limits
    this.#taken = taken
    this.caller = caller
    this.#isReserved = isReserved
  }

  /** Throws `load.exceeded`. */
  takePlace(): void {
    const { places, reservedPlaces } = this.#limits
    if (this.#taken.places >= (this.#isReserved ? places + reservedPlaces : places))
      throw exceeded({ count: this.#taken.places })
    this.#taken.places += 1
    this.#hasPlace = true
  }

  /**
   * A caller may hold as much as stays free for the others: alone half of all bytes, with a second one a third each. So
   * there is room for the next caller whatever those before it do. Throws `load.exceeded`.
   */
  claim(bytes: number): void {
    const free = this.#limits.bytes - this.#taken.bytes - bytes
    const own = (this.#taken.byCaller.get(this.caller) ?? 0) + bytes
    const hasRoom = this.#isReserved ? free + this.#limits.reservedBytes >= 0 : free >= own
    if (!hasRoom) throw exceeded({ bytes: this.#taken.bytes, own })
    this.#add(bytes)
  }

  /** From now on it holds exactly so many bytes. Refuses nothing: what they are the answer to has been done. */
  keep(bytes: number): void {
    this.#add(bytes - this.#bytes)
  }

  /** Gives everything back; a second time it does nothing. */
  release(): void {
    this.keep(0)
    if (this.#hasPlace) this.#taken.places -= 1
    this.#hasPlace = false
  }

  #add(bytes: number): void {
    if (bytes === 0) return
    this.#bytes += bytes
    this.#taken.bytes += bytes
    const own = (this.#taken.byCaller.get(this.caller) ?? 0) + bytes
    if (own === 0) this.#taken.byCaller.delete(this.caller)
    else this.#taken.byCaller.set(this.caller, own)
  }
}

function exceeded(detail: Readonly<Record<string, number>>): Fault {
  return new Fault('load.exceeded', detail, { retryAfterSeconds: RETRY_AFTER_SECONDS })
}
