import { sameBytes } from '#base/bytes.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, folderOf, isTemporary, type Files } from '#base/files.ts'
import type { ScryptCost } from '#base/crypto.ts'
import { HEADS, hasHead, openHeads, writeHeads, type OpenHead } from './backup_head.ts'
import { newBackupKey, type BackupSecret } from './backup_key.ts'
import { parseManifest, printManifest, type Manifest } from './manifest.ts'
import { FOLDER, ObjectStore, readWhole, sourceOf } from './object_store.ts'

/** The same twice, since without it nobody knows what the objects are. The second one is written last. */
const MANIFESTS = ['manifest', 'manifest.copy'] as const
const [MANIFEST] = MANIFESTS
/** What `lockHome` makes in a folder. */
const LOCK = /^lock\.db/

/**
 * The folder of one backup: `gatehouse-backup`, which says how its key is encrypted; `objects/`, an encrypted file for each
 * content; `manifest`, which says which files of a home these are. The manifest is the last thing that a run writes, and
 * replaced at once: until then the one before it holds. Head and manifest are there twice.
 */
export class BackupFolder {
  readonly path: string
  readonly id: string
  readonly store: ObjectStore
  readonly #files: Files
  readonly #head: string
  readonly #damaged: Set<string>

  private constructor(files: Files, path: string, { text, key, damaged }: OpenHead) {
    this.#files = files
    this.path = path
    this.id = key.id
    this.store = new ObjectStore(files, path, key.dataKey)
    this.#head = text
    this.#damaged = new Set(damaged)
  }

  /** Makes a folder to back up into, where there is none. Throws `usage.wrong` for one with other things in it. */
  static async make(files: Files, path: string): Promise<void> {
    await files.makeDirectory(path)
    await files.syncDirectory(folderOf(path))
    const names = (await files.list(path)).filter((name) => !isTemporary(name) && !LOCK.test(name))
    // A run that was cut before it had a key has left no object.
    const isTaken =
      names.some((name) => name !== FOLDER) || (await files.list(`${path}/${FOLDER}`)).length > 0
    if (!HEADS.some((name) => names.includes(name)) && isTaken)
      throw new Fault(
        'usage.wrong',
        {},
        { say: 'The folder holds something that is no backup. Name an empty one.' },
      )
  }

  /**
   * Opens a folder that `make` has made, to write there, and gives it a key if it has none yet. Throws `backup.key` for another
   * secret, `usage.wrong` where a link in it leads elsewhere, or a folder stands in the place of a file.
   */
  static async prepare(
    files: Files,
    path: string,
    secret: BackupSecret,
    cost?: ScryptCost,
  ): Promise<BackupFolder> {
    await refuseStrange(files, path)
    if (await hasHead(files, path)) return await BackupFolder.open(files, path, secret)
    const { head, key } = await newBackupKey(secret, cost)
    await files.makeDirectory(`${path}/${FOLDER}`)
    await writeHeads(files, path, head)
    return new BackupFolder(files, path, { text: head, key, damaged: [] })
  }

  /** Throws `backup.damaged` where there is none, `backup.key` for another secret. */
  static async open(files: Files, path: string, secret: BackupSecret): Promise<BackupFolder> {
    const [head, other] = await openHeads(files, path, secret)
    const first = new BackupFolder(files, path, head)
    if (other === undefined || (await first.#opens())) return first
    // Both open, and only one is of this backup: that which opens what is in it.
    const second = new BackupFolder(files, path, other)
    return (await second.#opens()) ? second : first
  }

  /** What was found damaged in this folder, other than objects, and read from its copy. The end of a run writes it anew. */
  get damaged(): readonly string[] {
    return [...this.#damaged]
  }

  /** Throws `backup.damaged`, also where no run has come to its end yet. */
  async manifest(): Promise<Manifest> {
    const manifest = await this.finished()
    if (manifest !== undefined) return manifest
    throw new Fault(
      'backup.damaged',
      { place: MANIFEST },
      { say: 'No backup has been finished in this folder.' },
    )
  }

  /** What the last run wrote that came to its end; undefined where there was none. Throws `backup.damaged`. */
  async finished(): Promise<Manifest | undefined> {
    const read = new Map<string, Uint8Array | Fault>()
    for (const name of MANIFESTS) {
      const one = await this.#readManifest(name)
      if (one !== undefined) read.set(name, one)
    }
    if (read.size === 0) return undefined
    const whole = [...read.values()].find((one) => one instanceof Uint8Array)
    for (const name of MANIFESTS) if (isOff(name, read.get(name), whole)) this.#damaged.add(name)
    if (whole !== undefined) return parseManifest(whole)
    for (const one of read.values()) if (one instanceof Fault) throw one
    return undefined
  }

  /** Undefined where there is none, and what is wrong where it does not open. */
  async #readManifest(name: string): Promise<Uint8Array | Fault | undefined> {
    try {
      return await readWhole(await this.store.open(name))
    } catch (thrown) {
      if (!(thrown instanceof Fault) || thrown.code !== 'backup.damaged') throw thrown
      return errorCode(thrown.cause) === 'ENOENT' ? undefined : thrown
    }
  }

  /** True where the key of this folder is that of what is in it. */
  async #opens(): Promise<boolean> {
    for (const name of MANIFESTS) if ((await this.#readManifest(name)) instanceof Uint8Array) return true
    return false
  }

  /** Makes this what the backup holds, and removes what it does not name. Every object of it must have been written. */
  async finish(manifest: Manifest): Promise<void> {
    await this.store.sync()
    for (const name of MANIFESTS) {
      await this.store.write(name, sourceOf(printManifest(manifest)))
      await this.#files.syncDirectory(this.path)
    }
    // Whoever may write in the folder can have put one there since.
    await refuseStrange(this.#files, this.path)
    await writeHeads(this.#files, this.path, this.#head)
    await this.store.removeAllBut(new Set(manifest.files.map(({ object }) => object)))
    await this.store.sync()
  }
}

/** True for one that is not what it should be. A copy that was never made, as in older backups, is none. */
function isOff(name: string, read: Uint8Array | Fault | undefined, whole: Uint8Array | undefined): boolean {
  if (read === undefined) return name === MANIFEST
  // A run that was cut between the two has left that of the run before it.
  return !(read instanceof Uint8Array) || whole === undefined || !sameBytes(read, whole)
}

/**
 * What is written and removed in a backup must be its own: through a link those of another one would go. A folder in the place
 * of a file would end each run when it is nearly done.
 */
async function refuseStrange(files: Files, path: string): Promise<void> {
  for (const name of [...HEADS, ...MANIFESTS, FOLDER])
    if (await files.isLink(`${path}/${name}`))
      throw strange(`${name} in the folder of the backup is a link. Put there what it leads to`)
  for (const name of [...HEADS, ...MANIFESTS])
    if (await isFolder(files, `${path}/${name}`))
      throw strange(`${name} in the folder of the backup is a folder. Move it away`)
}

function strange(what: string): Fault {
  return new Fault('usage.wrong', {}, { say: `${what}, or name another folder.` })
}

async function isFolder(files: Files, path: string): Promise<boolean> {
  if ((await files.facts(path)) === undefined) return false
  return await files.list(path).then(
    () => true,
    () => false,
  )
}
