import { errorCode, folderOf, replaceFile, type Files } from '#base/files.ts'
import { NOT_PLAIN } from '#base/plain_file.ts'
import { FILE, type OriginFolder } from './layout.ts'
import { TILE_BYTES, TILE_HASHES, tilePath } from './tile_path.ts'

/** A full tile of hashes: only these are on disk, and they never change. */
export interface FullTile {
  readonly level: number
  readonly index: number
  /** `TILE_BYTES` of them. */
  readonly hashes: Uint8Array
}

type Place = Pick<FullTile, 'level' | 'index'>

/** Where a full tile stands in the folder of its log. */
export function tileFile(folder: OriginFolder, { level, index }: Place): string {
  return `${folder.path}/${tilePath({ level, index, width: TILE_HASHES })}`
}

/** A tile from disk; undefined when it is missing or cannot be one. Whether it is the right one is for others to say. */
export async function readTile(
  files: Files,
  folder: OriginFolder,
  place: Place,
): Promise<Uint8Array | undefined> {
  const bytes = await readPlace(files, folder, place)
  return bytes?.length === TILE_BYTES ? bytes : undefined
}

/** What stands where a tile should: undefined when nothing does, no bytes when it is too long or no plain file. */
export async function readPlace(
  files: Files,
  folder: OriginFolder,
  place: Place,
): Promise<Uint8Array | undefined> {
  try {
    return await files.read(tileFile(folder, place), TILE_BYTES)
  } catch (thrown) {
    const code = errorCode(thrown) ?? ''
    if (NOTHING_THERE.has(code)) return undefined
    if (NOT_PLAIN.has(code)) return NO_BYTES
    throw thrown
  }
}

/** The second where something else stands in the place of a folder. */
const NOTHING_THERE: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR'])
const NO_BYTES = new Uint8Array(0)

/**
 * Writes tiles, durably: when it resolves, a crash leaves them all. A crash before leaves any of them, each whole, and
 * temporary files that the next write of the same tiles removes.
 */
export async function writeTiles(
  files: Files,
  folder: OriginFolder,
  tiles: readonly FullTile[],
): Promise<void> {
  const named = tiles.map((tile) => ({ path: tileFile(folder, tile), bytes: tile.hashes }))
  await writeBelow(files, folder.path, named)
}

/** Writes files below a folder as `writeTiles` does. Who may write the same ones beside others has a name of its own. */
export async function writeBelow(
  files: Files,
  folder: string,
  named: readonly { readonly path: string; readonly bytes: Uint8Array }[],
  writer = '',
): Promise<void> {
  const folders = new Set<string>()
  for (const { path, bytes } of named) {
    await files.makeDirectory(folderOf(path))
    // The folders above it may be new, too.
    for (let above = folderOf(path); above.length >= folder.length; above = folderOf(above))
      folders.add(above)
    await replaceFile(files, path, bytes, writer)
  }
  for (const each of folders) await files.syncDirectory(each)
}

/** The tiles of a segment of whole bundles that starts at entry `first`: `hashes` are those of the leaves of each. */
export function leafTiles(first: number, hashes: readonly Uint8Array[]): readonly FullTile[] {
  return hashes.map((each, at) => ({ level: 0, index: first / TILE_HASHES + at, hashes: each }))
}

/** Which files are there, by the names in their folders; asked in order it lists each folder once. */
export class FileNames {
  readonly #files: Files
  #listed: { readonly folder: string; readonly names: ReadonlySet<string> } | undefined

  constructor(files: Files) {
    this.#files = files
  }

  async has(path: string): Promise<boolean> {
    const folder = folderOf(path)
    if (this.#listed?.folder !== folder)
      this.#listed = { folder, names: new Set(await this.#files.list(folder)) }
    return this.#listed.names.has(path.slice(folder.length + 1))
  }
}

/**
 * The paths of all files below `tile` in the folder of a log, from that folder on: tiles, and what else is there, also
 * where a file stands in the place of a folder.
 */
export async function* tileFiles(
  files: Files,
  { path }: Pick<OriginFolder, 'path'>,
  inside: string = FILE.tile,
): AsyncGenerator<string, void, undefined> {
  const names = await files.list(`${path}/${inside}`).catch(whereNoFolder)
  if (names === undefined) yield inside
  for (const name of names ?? []) {
    const isFolder = inside === FILE.tile ? /^[0-9]{1,2}$/.test(name) : /^x[0-9]{3}$/.test(name)
    if (isFolder) yield* tileFiles(files, { path }, `${inside}/${name}`)
    else yield `${inside}/${name}`
  }
}

function whereNoFolder(thrown: unknown): undefined {
  if (errorCode(thrown) !== 'ENOTDIR') throw thrown
}
