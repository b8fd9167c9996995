import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, type Files } from '#base/files.ts'
import { NOT_PLAIN } from '#base/plain_file.ts'
import { FILE } from './layout.ts'
import { corrupt } from './load.ts'
import { leafHash } from './merkle.ts'
import { hashesIn } from './tile_entries.ts'
import { TILE_HASHES, tilePath, type TileAddress } from './tile_path.ts'
import type { TiledLog } from './tiled_log.ts'

/** Each entry behind its length in two bytes (c2sp.org/tlog-tiles, "Log entries"). */
const MOST_BUNDLE_BYTES = TILE_HASHES * 65_537
const NO_BYTES = new Uint8Array(0)

/**
 * True where a file of an earlier export has the very hashes, or the very entries, that its log has there. What is no plain
 * file is taken away: a file could not take its place. Throws `export.foreign` for a folder, and as `signedTile`.
 */
export async function holdsTile(
  files: Files,
  log: TiledLog,
  { path, address }: { readonly path: string; readonly address: TileAddress },
): Promise<boolean> {
  const bytes = await readOrRemove(files, path, address)
  if (address.level !== 'entries') return sameBytes(bytes, await signedTile(log, address))
  return isBundle(bytes, await signedTile(log, { ...address, level: 0 }))
}

/** A tile of a log that the checkpoint covers. Throws `ledger.corrupt` where the log ends before it by now. */
export async function signedTile(log: TiledLog, address: TileAddress): Promise<Uint8Array> {
  const bytes = await log.tile(address)
  if (bytes !== undefined) return bytes
  throw corrupt(
    `${log.folder.path}/${FILE.checkpoint}`,
    'the log was set back while it was read: it covers fewer entries now',
  )
}

async function readOrRemove(files: Files, path: string, address: TileAddress): Promise<Uint8Array> {
  try {
    return await files.read(path, MOST_BUNDLE_BYTES)
  } catch (thrown) {
    if (!NOT_PLAIN.has(errorCode(thrown) ?? '')) throw thrown
  }
  try {
    await files.unlink(path)
  } catch (thrown) {
    if (errorCode(thrown) !== 'ERR_FS_EISDIR') throw thrown
    const say = `In the folder, ${tilePath(address)} is a folder too: take it away.`
    throw new Fault('export.foreign', {}, { say, cause: thrown })
  }
  return NO_BYTES
}

/** True for the entries with these hashes, and nothing behind them. */
function isBundle(bytes: Uint8Array, hashes: Uint8Array): boolean {
  const bundle = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  let end = 0
  for (const hash of hashesIn(hashes)) {
    const start = end + 2
    if (start > bundle.length) return false
    end = start + bundle.readUInt16BE(start - 2)
    if (end > bundle.length || !sameBytes(leafHash(bundle.subarray(start, end)), hash)) return false
  }
  return end === bundle.length
}
