import type { Millis } from '#base/clock.ts'
import { SHA256_BYTES } from '#base/crypto.ts'
import type { CallerRecord } from './directory_record.ts'
import type { KeyRecord, SecretRecord } from './key_record.ts'

/** What many keys have alike; they share it. */
export type KeyTerms = Readonly<
  Pick<KeyRecord, 'environment' | 'pepperId' | 'scope' | 'addresses' | 'ranges' | 'limits' | 'createdBy'>
>

/** No time and no day. */
const NONE = -1

/**
 * Times of keys, in columns: as numbers of their own a hundred thousand keys would keep half a million objects alive, which
 * the garbage collector visits again and again.
 */
export class KeyColumns {
  readonly notBefore: Float64Array
  readonly createdAt: Float64Array
  readonly revokedAt: Float64Array
  #used = 0

  constructor(room: number) {
    this.notBefore = new Float64Array(room)
    this.createdAt = new Float64Array(room)
    this.revokedAt = new Float64Array(room)
  }

  /** Gives the place. */
  add(notBefore: Millis, createdAt: Millis, revokedAt: Millis | undefined): number {
    const place = this.#used++
    this.notBefore[place] = notBefore
    this.createdAt[place] = createdAt
    this.revokedAt[place] = revokedAt ?? NONE
    return place
  }
}

/** A key as it was loaded. */
export class StoredKey implements KeyRecord {
  readonly kid: string
  readonly owner: CallerRecord
  secrets: readonly SecretRecord[] = NO_SECRETS
  readonly #terms: KeyTerms
  readonly #columns: KeyColumns
  readonly #place: number

  constructor(
    kid: string,
    from: {
      readonly owner: CallerRecord
      readonly terms: KeyTerms
      readonly columns: KeyColumns
      readonly place: number
    },
  ) {
    this.kid = kid
    this.owner = from.owner
    this.#terms = from.terms
    this.#columns = from.columns
    this.#place = from.place
  }

  get environment(): KeyRecord['environment'] {
    return this.#terms.environment
  }

  get pepperId(): string {
    return this.#terms.pepperId
  }

  get scope(): KeyRecord['scope'] {
    return this.#terms.scope
  }

  get addresses(): readonly string[] {
    return this.#terms.addresses
  }

  get ranges(): KeyRecord['ranges'] {
    return this.#terms.ranges
  }

  get limits(): KeyRecord['limits'] {
    return this.#terms.limits
  }

  get createdBy(): string {
    return this.#terms.createdBy
  }

  get notBefore(): Millis {
    return this.#columns.notBefore[this.#place] ?? 0
  }

  get createdAt(): Millis {
    return this.#columns.createdAt[this.#place] ?? 0
  }

  get revokedAt(): Millis | undefined {
    const at = this.#columns.revokedAt[this.#place]
    return at === NONE ? undefined : at
  }

  set revokedAt(at: Millis | undefined) {
    this.#columns.revokedAt[this.#place] = at ?? NONE
  }
}

const NO_SECRETS: readonly SecretRecord[] = Object.freeze([])

/** As `KeyColumns`, of secrets. */
export class SecretColumns {
  readonly number: Int32Array
  readonly macs: Uint8Array
  readonly createdAt: Float64Array
  readonly notAfter: Float64Array
  readonly lastUsedDay: Int32Array
  #used = 0

  constructor(room: number) {
    this.number = new Int32Array(room)
    this.macs = new Uint8Array(room * SHA256_BYTES)
    this.createdAt = new Float64Array(room)
    this.notAfter = new Float64Array(room)
    this.lastUsedDay = new Int32Array(room)
  }

  /** Gives the place. */
  add({ number, mac, createdAt, notAfter, lastUsedDay }: SecretRecord): number {
    const place = this.#used++
    this.number[place] = number
    this.macs.set(mac, place * SHA256_BYTES)
    this.createdAt[place] = createdAt
    this.notAfter[place] = notAfter
    this.lastUsedDay[place] = lastUsedDay ?? NONE
    return place
  }
}

/** A secret as it was loaded. */
export class StoredSecret implements SecretRecord {
  readonly #columns: SecretColumns
  readonly #place: number

  constructor(columns: SecretColumns, place: number) {
    this.#columns = columns
    this.#place = place
  }

  get number(): number {
    return this.#columns.number[this.#place] ?? 0
  }

  get mac(): Uint8Array {
    const start = this.#place * SHA256_BYTES
    return this.#columns.macs.subarray(start, start + SHA256_BYTES)
  }

  get createdAt(): Millis {
    return this.#columns.createdAt[this.#place] ?? 0
  }

  get notAfter(): Millis {
    return this.#columns.notAfter[this.#place] ?? 0
  }

  get lastUsedDay(): number | undefined {
    const day = this.#columns.lastUsedDay[this.#place]
    return day === NONE ? undefined : day
  }

  set lastUsedDay(day: number | undefined) {
    this.#columns.lastUsedDay[this.#place] = day ?? NONE
  }
}
