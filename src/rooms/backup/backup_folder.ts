import { Fault } from '#base/fault.ts'
import { errorCode, folderOf, isTemporary, writeAtomic, type Files } from '#base/files.ts'
import { utf8 } from '#base/bytes.ts'
import type { ScryptCost } from '#base/crypto.ts'
import { LIMITS } from '#base/limits.ts'
import { newBackupKey, openBackupKey, type BackupKey, type BackupSecret } from './backup_key.ts'
import { parseManifest, printManifest, type Manifest } from './manifest.ts'
import { FOLDER, ObjectStore, readWhole, sourceOf } from './object_store.ts'

const HEAD = 'gatehouse-backup'
const MANIFEST = 'manifest'
/** What `lockHome` makes in a folder. */
const LOCK = /^lock\.db/

/**
 * The folder of one backup: `gatehouse-backup`, which says how its key is encrypted; `objects/`, an encrypted file for each
 * content; `manifest`, which says which files of a home these are. The manifest is the last thing that a run writes, and
 * replaced at once: until then the one before it holds.
 */
export class BackupFolder {
  readonly path: string
  readonly id: string
  readonly store: ObjectStore
  readonly #files: Files

  private constructor(files: Files, path: string, { id, dataKey }: BackupKey) {
    this.#files = files
    this.path = path
    this.id = id
    this.store = new ObjectStore(files, path, dataKey)
  }

  /** Makes a folder to back up into, where there is none. Throws `usage.wrong` for one with other things in it. */
  static async make(files: Files, path: string): Promise<void> {
    await files.makeDirectory(path)
    await files.syncDirectory(folderOf(path))
    const names = (await files.list(path)).filter((name) => !isTemporary(name) && !LOCK.test(name))
    // A run that was cut before it had a key has left no object.
    const isTaken =
      names.some((name) => name !== FOLDER) || (await files.list(`${path}/${FOLDER}`)).length > 0
    if (!names.includes(HEAD) && isTaken)
      throw new Fault(
        'usage.wrong',
        {},
        { say: 'The folder holds something that is no backup. Name an empty one.' },
      )
  }

  /**
   * Opens a folder that `make` has made, to write there, and gives it a key if it has none yet. Throws `backup.key` for another
   * secret, `usage.wrong` where a link in it leads elsewhere.
   */
  static async prepare(
    files: Files,
    path: string,
    secret: BackupSecret,
    cost?: ScryptCost,
  ): Promise<BackupFolder> {
    await refuseLinks(files, path)
    if ((await files.facts(`${path}/${HEAD}`)) !== undefined)
      return await BackupFolder.open(files, path, secret)
    const { head, key } = await newBackupKey(secret, cost)
    await files.makeDirectory(`${path}/${FOLDER}`)
    await writeAtomic(files, `${path}/${HEAD}`, utf8(head))
    return new BackupFolder(files, path, key)
  }

  /** Throws `backup.damaged` where there is none, `backup.key` for another secret. */
  static async open(files: Files, path: string, secret: BackupSecret): Promise<BackupFolder> {
    const head = await files.read(`${path}/${HEAD}`, LIMITS.noteBytes).catch((thrown: unknown) => {
      if (errorCode(thrown) === undefined) throw thrown
      throw new Fault(
        'backup.damaged',
        { place: HEAD },
        { say: 'There is no backup in this folder.', cause: thrown },
      )
    })
    const key = await openBackupKey(Buffer.from(head).toString('utf8'), secret)
    return new BackupFolder(files, path, key)
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
    if ((await this.#files.facts(`${this.path}/${MANIFEST}`)) === undefined) return undefined
    return parseManifest(await readWhole(await this.store.open(MANIFEST)))
  }

  /** Makes this what the backup holds, and removes what it does not name. Every object of it must have been written. */
  async finish(manifest: Manifest): Promise<void> {
    await this.store.sync()
    await this.store.write(MANIFEST, sourceOf(printManifest(manifest)))
    await this.#files.syncDirectory(this.path)
    // Whoever may write in the folder can have put one there since.
    await refuseLinks(this.#files, this.path)
    await this.store.removeAllBut(new Set(manifest.files.map(({ object }) => object)))
    await this.store.sync()
  }
}

/** What is written and removed in a backup must be its own: through a link those of another one would go. */
async function refuseLinks(files: Files, path: string): Promise<void> {
  for (const name of [HEAD, MANIFEST, FOLDER])
    if (await files.isLink(`${path}/${name}`))
      throw new Fault(
        'usage.wrong',
        {},
        {
          say: `${name} in the folder of the backup is a link. Put there what it leads to, or name another folder.`,
        },
      )
}
