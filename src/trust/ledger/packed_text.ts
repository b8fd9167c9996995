import { SHA256_BYTES } from '#base/crypto.ts'
import { fromHalves, ID_BYTES, ID_CHARACTERS, toHalves } from './packed_id.ts'

// Bytes 0xFD to 0xFF never stand in UTF-8, so these marks cannot meet text of a leaf. Texts are Latin-1 here: one
// character per byte.
const MARK = { hash: 0xfd, id: 0xfe, sameId: 0xff } as const
const HASH_MARK = String.fromCharCode(MARK.hash)
const ID_MARK = String.fromCharCode(MARK.id)
const SAME_ID_MARK = String.fromCharCode(MARK.sameId)
const HASH_PATTERN = /"([A-Za-z0-9_-]{43})"/g
const ID_PATTERN = new RegExp(`"id":"([0-9A-Za-z]{${ID_CHARACTERS}})"`)
const MARK_PATTERN = /\u00fd|\u00fe|\u00ff([\u0080-\u00ff]{2})/g
/** Two characters of 7 bits say how many ids ago the same id stood. */
const FARTHEST = 128 * 128

export interface Columns {
  readonly ids: Uint8Array[]
  readonly hashes: Uint8Array[]
  /** The place of each id in the column. */
  readonly known: Map<string, number>
}

/** The text of a leaf with marks where its hashes and its id were, which go to the columns. */
export function toTemplate(leaf: Uint8Array, columns: Columns): string {
  const text = Buffer.from(leaf.buffer, leaf.byteOffset, leaf.byteLength).toString('latin1')
  const withoutHashes = text.replace(HASH_PATTERN, (whole, encoded: string) => {
    const hash = Buffer.from(encoded, 'base64url')
    // The last character carries 4 bits only; another spelling of the same hash must stay text.
    if (hash.toString('base64url') !== encoded) return whole
    columns.hashes.push(hash)
    return `"${HASH_MARK}"`
  })
  return `${withoutHashes.replace(ID_PATTERN, (_, id: string) => `"id":"${idMark(id, columns)}"`)}\n`
}

function idMark(id: string, columns: Columns): string {
  const place = columns.known.get(id)
  const back = place === undefined ? FARTHEST : columns.ids.length - place
  if (back < FARTHEST) return SAME_ID_MARK + String.fromCharCode(0x80 + (back >> 7), 0x80 + (back & 0x7f))
  columns.known.set(id, columns.ids.length)
  columns.ids.push(toHalves(id))
  return ID_MARK
}

export const NEWLINE = 0x0a

/** The text of packed leaves and the columns of what was taken out of it. */
export interface PackedText {
  readonly text: Buffer
  readonly ids: Uint8Array
  readonly hashes: Uint8Array
  readonly count: number
}

/** How many ids and hashes stand before a place in the text. */
interface ColumnPlace {
  readonly ids: number
  readonly hashes: number
}

/** Puts ids and hashes back into the text, leaf by leaf in their order. */
export class ColumnReader {
  readonly #ids: Uint8Array
  readonly #hashes: Buffer
  #nextId: number
  #nextHash: number
  #isShort = false

  constructor(
    { ids, hashes }: Pick<PackedText, 'ids' | 'hashes'>,
    from: ColumnPlace = { ids: 0, hashes: 0 },
  ) {
    this.#ids = ids
    this.#hashes = Buffer.from(hashes.buffer, hashes.byteOffset, hashes.byteLength)
    this.#nextId = from.ids
    this.#nextHash = from.hashes * SHA256_BYTES
  }

  get isUsedUp(): boolean {
    return this.#nextId * ID_BYTES === this.#ids.length && this.#nextHash === this.#hashes.length
  }

  /** The leaf of one line of the text; undefined when a column ends early. */
  fill(template: string): Uint8Array | undefined {
    const text = template.replace(MARK_PATTERN, (mark, back: string | undefined) => {
      const part = mark === HASH_MARK ? this.#hash() : this.#id(back)
      if (part === undefined) this.#isShort = true
      return part ?? ''
    })
    return this.#isShort ? undefined : Buffer.from(text, 'latin1')
  }

  #hash(): string | undefined {
    const start = this.#nextHash
    this.#nextHash += SHA256_BYTES
    if (this.#nextHash > this.#hashes.length) return undefined
    return this.#hashes.toString('base64url', start, this.#nextHash)
  }

  #id(back: string | undefined): string | undefined {
    const place =
      back === undefined ? this.#nextId++ : this.#nextId - distanceOf(back.charCodeAt(0), back.charCodeAt(1))
    const start = place * ID_BYTES
    if (place < 0 || start + ID_BYTES > this.#ids.length) return undefined
    return fromHalves(this.#ids.subarray(start, start + ID_BYTES))
  }
}

/** The leaves of one id, in order, each with its place in the segment. Only these are made. */
export function leavesOfId(pack: PackedText, id: string): readonly PlacedLeaf[] {
  const wanted = placesIn(pack.ids, toHalves(id))
  const { text } = pack
  const found: PlacedLeaf[] = []
  let [ids, hashes, at, start] = [0, 0, 0, 0]
  let line = { ids, hashes, isHit: false }
  for (let offset = 0; offset < text.length && wanted.size > 0; offset++) {
    const byte = text[offset]
    if (byte === MARK.hash) hashes += 1
    else if (byte === MARK.id) line.isHit = wanted.has(ids++) || line.isHit
    else if (byte === MARK.sameId) {
      line.isHit ||= wanted.has(ids - distanceOf(text[offset + 1], text[offset + 2]))
      // The two bytes of a distance may look like marks.
      offset += 2
    } else if (byte === NEWLINE) {
      const template = line.isHit ? text.toString('latin1', start, offset) : undefined
      const bytes = template === undefined ? undefined : new ColumnReader(pack, line).fill(template)
      if (bytes !== undefined) found.push({ at, bytes })
      at += 1
      start = offset + 1
      line = { ids, hashes, isHit: false }
    }
  }
  return found
}

export interface PlacedLeaf {
  /** Place in the segment, from 0. */
  readonly at: number
  readonly bytes: Uint8Array
}

/** Where an id stands in the column: more than once where the second time was too far behind the first. */
export function placesIn(column: Uint8Array, id: Uint8Array): ReadonlySet<number> {
  const bytes = Buffer.from(column.buffer, column.byteOffset, column.byteLength)
  const places = new Set<number>()
  for (let at = bytes.indexOf(id); at >= 0; at = bytes.indexOf(id, at + 1))
    if (at % ID_BYTES === 0) places.add(at / ID_BYTES)
  return places
}

/** Two bytes of 7 bits, told from text by their high bit. */
function distanceOf(high = 0x80, low = 0x80): number {
  return ((high - 0x80) << 7) + low - 0x80
}
