import fs from 'node:fs'
import { NODE_FILES, type Files } from '#base/files.ts'
import type { OriginFolder } from '#trust/ledger/layout.ts'
import { exportTiles } from '#trust/ledger/tile_export.ts'
import { TiledLog } from '#trust/ledger/tiled_log.ts'

/** Exports what is signed of a log, as `gatehouse ledger export` does, into a folder of the real disk. */
export async function writeStandardTree(files: Files, folder: OriginFolder, target: string): Promise<void> {
  fs.mkdirSync(target, { recursive: true })
  await exportTiles(NODE_FILES, new TiledLog(files, folder), target, () => undefined)
}
