import { SHA256_BYTES } from '#base/crypto.ts'
import { BUNDLE } from './bundle.ts'

/** Hashes of a full tile, and entries of a full bundle (c2sp.org/tlog-tiles, "Merkle Tree"). */
export const TILE_HASHES = BUNDLE
export const TILE_BYTES = TILE_HASHES * SHA256_BYTES

/** One tile of a log, or one bundle of entries. */
export interface TileAddress {
  /** 0 holds the hashes of leaves; `entries` stands for bundles of the entries themselves. */
  readonly level: number | 'entries'
  /** Its number in its level. */
  readonly index: number
  /** Hashes or entries in it: `TILE_HASHES` for a full one, fewer for a partial one. */
  readonly width: number
}

/** `tile/0/x001/234`, `tile/entries/005.p/12`: the path of a tile below the prefix of a log. */
export function tilePath({ level, index, width }: TileAddress): string {
  const partial = width === TILE_HASHES ? '' : `.p/${width}`
  return `tile/${level}/${numberPath(index)}${partial}`
}

const PATTERN = /^tile\/(entries|[0-9]{1,2})\/((?:x[0-9]{3}\/){0,5}[0-9]{3})(?:\.p\/([0-9]{1,3}))?$/
/** "a decimal ASCII integer between 0 and 63" */
const MOST_LEVEL = 63

/** Reads a path in the one form that it has; undefined for everything else. */
export function parseTilePath(path: string): TileAddress | undefined {
  const [, level = '', number, width = String(TILE_HASHES)] = PATTERN.exec(path) ?? []
  if (number === undefined) return undefined
  const address: TileAddress = {
    level: level === 'entries' ? level : Number(level),
    index: Number(number.replaceAll(/[x/]/g, '')),
    width: Number(width),
  }
  const isInRange =
    (address.level === 'entries' || address.level <= MOST_LEVEL) &&
    Number.isSafeInteger(address.index * TILE_HASHES) &&
    address.width >= 1 &&
    address.width <= TILE_HASHES
  // Leading zeros and the width of a full tile would be a second name of the same tile.
  return isInRange && tilePath(address) === path ? address : undefined
}

/** Hashes or entries that a tile has in a tree of `size` leaves, from 0 to `TILE_HASHES`. */
export function tileWidth({ level, index }: Omit<TileAddress, 'width'>, size: number): number {
  const hashes = Math.floor(size / leavesPerHash(level))
  return Math.min(TILE_HASHES, Math.max(0, hashes - index * TILE_HASHES))
}

/** Leaves below one hash of a level. */
export function leavesPerHash(level: TileAddress['level']): number {
  return level === 'entries' ? 1 : TILE_HASHES ** level
}

/** The entry behind the last one that a full tile stands for. */
export function endOf({ level, index }: Pick<TileAddress, 'level' | 'index'>): number {
  return (index + 1) * TILE_HASHES * leavesPerHash(level)
}

/** Three digits in each element, all but the last with an `x` before them. */
function numberPath(index: number): string {
  const parts = [padded(index % 1_000)]
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000))
    parts.unshift(`x${padded(rest % 1_000)}`)
  return parts.join('/')
}

function padded(number: number): string {
  return String(number).padStart(3, '0')
}
