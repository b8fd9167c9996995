import { parseTilePath, TILE_HASHES, type TileAddress } from '#trust/ledger/tile_path.ts'

/** What a path below the prefix of a log asks for. */
export interface LogAsked {
  /** The folder of the log; undefined for the newest. */
  readonly log: string | undefined
  readonly what: 'checkpoint' | TileAddress
}

/** Prefix of the newest log, which another one takes the place of where a home goes on in a new log. */
export const NEWEST = '/log/'
/** With the name of its folder behind it the prefix of any log, for ever. */
export const EACH = '/logs/'

/** Reads the path of a request for a checkpoint or a tile of hashes; undefined for all others, bundles too. */
export function parseLogPath(path: string): LogAsked | undefined {
  if (path.startsWith(NEWEST)) return asked(undefined, path.slice(NEWEST.length))
  if (!path.startsWith(EACH)) return undefined
  const slash = path.indexOf('/', EACH.length)
  const log = path.slice(EACH.length, Math.max(EACH.length, slash))
  return LOG_NAME.test(log) ? asked(log, path.slice(slash + 1)) : undefined
}

/** More than any name of a log is, and nothing that is a way to elsewhere. */
const LOG_NAME = /^[0-9A-Za-z-]{1,64}$/

function asked(log: string | undefined, rest: string): LogAsked | undefined {
  const what = rest === 'checkpoint' ? rest : parseTilePath(rest)
  if (what === undefined || (what !== 'checkpoint' && what.level === 'entries')) return undefined
  return { log, what }
}

const YEAR_SECONDS = 31_536_000
const DAY_SECONDS = 86_400

/**
 * How long a tile may be kept: "this endpoint is immutable" (c2sp.org/tlog-tiles, "Merkle Tree"). But below the prefix of the
 * newest log there may be another log one day, and it must not be mixed with this one for long; and a partial tile is not
 * asked for any more once there is a wider one.
 */
export function tileCache(log: string | undefined, { width }: Pick<TileAddress, 'width'>): string {
  const isForEver = log !== undefined && width === TILE_HASHES
  return `max-age=${isForEver ? YEAR_SECONDS : DAY_SECONDS}, immutable`
}
