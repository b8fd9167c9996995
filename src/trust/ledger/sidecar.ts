import { concat, utf8 } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { beginSeal, deriveKey, SHA256_BYTES, sha256Hex, unseal } from '#base/crypto.ts'
import type { JsonValue } from '#base/json.ts'
import { SEED_BYTES } from './commitment.ts'
import type { Secrets } from './leaf.ts'

/** One entry's secrets; undefined once they are shredded. */
export type SecretRecord = Secrets | undefined

/**
 * The form of a record: number of fields (0 when there are none, `SHREDDED` when they are gone), seed, then per field
 * its name, its type and its value. A text that is a SHA-256 in hex is kept as its 32 bytes.
 */
export function encodeRecord(record: SecretRecord): Uint8Array {
  if (record === undefined) return SHREDDED_RECORD
  if (record.fields.length === 0) return EMPTY_RECORD
  let most = 1 + SEED_BYTES
  const fields = record.fields.map(([name, value]) => {
    const hash = isHash(value) ? value : undefined
    const text = hash ?? canonicalJson(value)
    most += FIELD_BYTES + MOST_UTF8 * (name.length + text.length)
    return { name, text, isHash: hash !== undefined }
  })
  const target = Buffer.allocUnsafe(most)
  target[0] = fields.length
  target.set(record.seed, 1)
  let end = 1 + SEED_BYTES
  for (const field of fields) {
    end = putText(target, end, field.name)
    target[end++] = field.isHash ? HASH_VALUE : JSON_VALUE
    end = field.isHash ? end + target.write(field.text, end, 'hex') : putText(target, end, field.text)
  }
  return target.subarray(0, end)
}

/** Reads `count` records that stand one after another; undefined unless they fill the bytes exactly. */
export function decodeRecords(bytes: Uint8Array, count: number): readonly SecretRecord[] | undefined {
  const reader = new RecordReader(bytes)
  try {
    const records: SecretRecord[] = []
    for (let at = 0; at < count; at++) records.push(reader.record())
    return reader.isAtEnd ? records : undefined
  } catch (thrown) {
    if (thrown instanceof RangeError || thrown instanceof SyntaxError) return undefined
    throw thrown
  }
}

/** The same one after another, as they are asked for. Throws RangeError or SyntaxError where they are not records. */
export function* recordsIn(bytes: Uint8Array): Generator<SecretRecord, void, undefined> {
  const reader = new RecordReader(bytes)
  while (!reader.isAtEnd) yield reader.record()
}

/** Reads the records at the given places only; a place without a record is left out, as is all when the bytes are wrong. */
export function decodeRecordsAt(
  bytes: Uint8Array,
  places: ReadonlySet<number>,
): ReadonlyMap<number, SecretRecord> {
  const reader = new RecordReader(bytes)
  const records = new Map<number, SecretRecord>()
  try {
    for (let at = 0; records.size < places.size && !reader.isAtEnd; at++)
      if (places.has(at)) records.set(at, reader.record())
      else reader.skip()
    return records
  } catch (thrown) {
    if (thrown instanceof RangeError || thrown instanceof SyntaxError) return new Map()
    throw thrown
  }
}

/** What a box is bound to: it opens only for the same entries of the same log, with the same leaves. */
export interface BoxPlace {
  /** First entry of the segment. */
  readonly segment: number
  readonly form: 'group' | 'segment'
  readonly first: number
  readonly count: number
  /** Hashes of the leaves, or of their bundles, one after another. */
  readonly hashes: readonly Uint8Array[]
}

/** Encrypts records with AES-256-GCM. Each segment has a key of its own, so random nonces stay far from repeating. */
export class SidecarBox {
  readonly #key: Uint8Array
  readonly #origin: string
  readonly #segmentKeys = new Map<string, Uint8Array>()
  #begun: { readonly segment: number; readonly seal: ReturnType<typeof beginSeal> } | undefined

  constructor(key: Uint8Array, origin: string) {
    this.#key = key
    this.#origin = origin
  }

  close(plain: Uint8Array, place: BoxPlace): Uint8Array {
    return this.#takeBegun(place)(plain, this.#bound(place))
  }

  /** Does ahead what the next `close` for a group of this segment needs: while the disk is at work there is time for it. */
  begin(segment: number): void {
    const place = { segment, form: 'group' } as const
    if (this.#begun?.segment !== segment) this.#begun = { segment, seal: beginSeal(this.#keyOf(place)) }
  }

  /** Undefined when the key, the place, a leaf or the content is not the one it was closed with. */
  open(sealed: Uint8Array, place: BoxPlace): Uint8Array | undefined {
    return unseal(this.#keyOf(place), sealed, this.#bound(place))
  }

  #takeBegun(place: BoxPlace): ReturnType<typeof beginSeal> {
    const begun = place.form === 'group' && this.#begun?.segment === place.segment ? this.#begun : undefined
    if (begun === undefined) return beginSeal(this.#keyOf(place))
    this.#begun = undefined
    return begun.seal
  }

  #keyOf(place: Pick<BoxPlace, 'segment' | 'form'>): Uint8Array {
    const info = `gatehouse sidecar v1\n${this.#origin}\n${place.segment}\n${place.form}`
    const known = this.#segmentKeys.get(info)
    if (known !== undefined) return known
    const key = deriveKey(this.#key, info)
    if (this.#segmentKeys.size >= KEPT_KEYS) this.#segmentKeys.clear()
    this.#segmentKeys.set(info, key)
    return key
  }

  #bound(place: BoxPlace): Uint8Array {
    const leaves = sha256Hex(concat(...place.hashes))
    return utf8(
      `gatehouse sidecar v1\n${this.#origin}\n${place.form}\n${place.first}\n${place.count}\n${leaves}`,
    )
  }
}

const SHREDDED = 0xff
const SHREDDED_RECORD = Uint8Array.of(SHREDDED)
const EMPTY_RECORD = Uint8Array.of(0)
const JSON_VALUE = 0
const HASH_VALUE = 1
const HEX_HASH = /^[0-9a-f]{64}$/
/** Type and two lengths of a field; a length of 28 bits takes four bytes. */
const FIELD_BYTES = 9
/** Bytes that one UTF-16 code unit takes at most. */
const MOST_UTF8 = 3
/** Derived keys that are remembered: the active segment, the one being sealed, and some that are read. */
const KEPT_KEYS = 16

function isHash(value: JsonValue): value is string {
  return typeof value === 'string' && value.length === 2 * SHA256_BYTES && HEX_HASH.test(value)
}

/** Writes the length of a text, seven bits to a byte, and its UTF-8; gives the offset behind it. */
function putText(target: Buffer, offset: number, text: string): number {
  let at = offset
  let rest = Buffer.byteLength(text)
  for (; rest > 0x7f; rest >>>= 7) target[at++] = (rest & 0x7f) | 0x80
  target[at++] = rest
  return at + target.write(text, at, 'utf8')
}

const ENDS_EARLY = 'a record ends early'

class RecordReader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length
  }

  record(): SecretRecord {
    const count = this.#byte()
    if (count === SHREDDED) return undefined
    if (count === 0) return { seed: new Uint8Array(0), fields: [] }
    const seed = this.#take(SEED_BYTES)
    const fields: [string, JsonValue][] = []
    for (let at = 0; at < count; at++) fields.push(this.#field())
    return { seed, fields }
  }

  skip(): void {
    const count = this.#byte()
    if (count === SHREDDED || count === 0) return
    this.#take(SEED_BYTES)
    for (let at = 0; at < count; at++) {
      this.#take(this.#varint())
      this.#take(this.#byte() === HASH_VALUE ? SHA256_BYTES : this.#varint())
    }
  }

  #field(): [string, JsonValue] {
    const name = this.#text(this.#varint())
    const type = this.#byte()
    if (type === HASH_VALUE) return [name, this.#take(SHA256_BYTES).toString('hex')]
    if (type !== JSON_VALUE) throw new RangeError('unknown value type')
    // What we encrypted ourselves is JSON of ours; a SyntaxError is caught by the caller.
    const value: JsonValue = JSON.parse(this.#text(this.#varint()))
    return [name, value]
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError(ENDS_EARLY)
    return byte
  }

  #varint(): number {
    let value = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      value |= (byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a length is too long')
  }

  #text(length: number): string {
    return this.#bytes.toString('utf8', this.#at, this.#pass(length))
  }

  #take(length: number): Buffer {
    return this.#bytes.subarray(this.#at, this.#pass(length))
  }

  #pass(length: number): number {
    if (this.#at + length > this.#bytes.length) throw new RangeError(ENDS_EARLY)
    this.#at += length
    return this.#at
  }
}
