import type { EntityRef } from '#base/decider.ts'
import { Fault } from '#base/fault.ts'
import { deepFreeze, type JsonObject } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { knownTarget, type ActedBytes, type RawRequest, type Route } from '#door/route.ts'
import { checkPermit } from '#trust/access/authorize.ts'
import { parseTilePath, tilePath, type TileAddress } from '#trust/ledger/tile_path.ts'
import type { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { EACH, NEWEST, tileCache } from './log_paths.ts'

const ACTION = 'log:read-entries'
const LOG: EntityRef = { type: 'Endpoint', id: 'log' }
const TARGET = knownTarget(LOG)

interface BundleName extends JsonObject {
  /** The folder of the log; null for the newest. */
  readonly log: string | null
  /** As `tile/entries/005.p/12`. */
  readonly bundle: string
}

/**
 * `GET /log/tile/entries/…` and `GET /logs/{log}/tile/entries/…`: bundles of entries (c2sp.org/tlog-tiles, "Log entries").
 * They say who did what and when, so that they are read by who may do so only, and each read is on record.
 */
export function bundleRoutes(logs: TiledLogs): readonly Route<BundleName>[] {
  const reading = { count: 0 }
  const bundle = '/tile/entries/{bundle...}'
  return [
    bundleRoute(logs, reading, { name: 'log_entries', path: `${NEWEST.slice(0, -1)}${bundle}` }),
    bundleRoute(logs, reading, { name: 'log_entries_of', path: `${EACH}{log}${bundle}` }),
  ]
}

function bundleRoute(
  logs: TiledLogs,
  reading: { count: number },
  { name, path }: Pick<Route<BundleName>, 'name' | 'path'>,
): Route<BundleName> {
  return {
    name,
    listener: 'door',
    method: 'GET',
    path,
    media: 'json',
    envelope: 'problem',
    action: ACTION,
    record: 'grouped',
    inspect: {
      request: { exempt: 'It is a number in a path.' },
      response: { exempt: 'Entries hold no content, and changed ones would prove nothing.' },
    },
    parse: parseBundle,
    target: () => TARGET,
    act: async (permit, asked) => {
      checkPermit(permit, ACTION, LOG)
      if (reading.count >= LIMITS.logReads) throw new Fault('load.exceeded', {}, { retryAfterSeconds: 1 })
      reading.count += 1
      try {
        return await read(logs, asked)
      } finally {
        reading.count -= 1
      }
    },
  }
}

async function read(logs: TiledLogs, { log: name, bundle }: BundleName): Promise<ActedBytes> {
  const log = name === null ? await logs.newest() : await logs.named(name)
  const address = addressOf(bundle)
  const bytes = log && (await log.tile(address))
  if (bytes === undefined) throw new Fault('log.unknown')
  // Whoever keeps it must be the one who may read it.
  const cache = `private, ${tileCache(name ?? undefined, address)}`
  return { kind: 'bytes', bytes, cache, facts: { bundle } }
}

function parseBundle({ params, query, body }: RawRequest): BundleName {
  if (query.length > 0 || body.length > 0)
    throw new Fault('input.invalid', {}, { say: 'This route takes no query and no body.' })
  const { log = null, bundle = '' } = params
  // One form only, so that what is on record is the name of a bundle and nothing else.
  return deepFreeze({ log, bundle: tilePath(addressOf(`tile/entries/${bundle}`)) })
}

function addressOf(path: string): TileAddress {
  const address = parseTilePath(path)
  if (address?.level !== 'entries') throw new Fault('log.unknown')
  return address
}
