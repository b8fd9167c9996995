import { concat, utf8 } from '#base/bytes.ts'
import { deriveKey, hmacSha256, randomBytes, RunningSha256 } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { errorCode, type Files } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import {
  CHUNK_BYTES,
  chunksIn,
  openChunk,
  plainLength,
  sealChunk,
  SEALED_CHUNK_BYTES,
  sealedLength,
} from '#base/sealed_chunks.ts'

/** Bytes that can be read from any place. */
export interface ByteSource {
  readonly bytes: number
  /** Fewer only at the end. */
  read(from: number, length: number): Promise<Uint8Array>
}

export const FOLDER = 'objects'
/** Read and written in one go: sixteen chunks. */
export const PIECE_BYTES = 16 * CHUNK_BYTES
const MAGIC = utf8('GHOBJ1\n')
const SALT_BYTES = 32
const HEAD_BYTES = MAGIC.length + SALT_BYTES

/**
 * Encrypted files in the folder of a backup. Each has a key of its own, from the data key, its name and a random salt, so
 * that one cannot stand in the place of another.
 */
export class ObjectStore {
  readonly #files: Files
  readonly #folder: string
  readonly #dataKey: Uint8Array
  readonly #nameKey: Uint8Array

  constructor(files: Files, folder: string, dataKey: Uint8Array) {
    this.#files = files
    this.#folder = folder
    this.#dataKey = dataKey
    this.#nameKey = deriveKey(dataKey, 'gatehouse backup names v1')
  }

  /** The name of the object for a file of this content. It says nothing of either to whoever has not the key. */
  nameOf(path: string, sha256: string): string {
    const name = hmacSha256(this.#nameKey, `${path}\n${sha256}`)
    return `${FOLDER}/${Buffer.from(name).toString('hex')}`
  }

  /** True when it is there, with as many bytes as it should have, and is no link. */
  async has(name: string, bytes: number): Promise<boolean> {
    const path = this.#pathOf(name)
    const facts = await this.#files.facts(path)
    return facts?.bytes === HEAD_BYTES + sealedLength(bytes) && !(await this.#files.isLink(path))
  }

  /**
   * Writes an object, or puts another in its place; the name is durable after `sync`. Gives the SHA-256 of what was read, so
   * that the caller can tell whether the source has changed meanwhile.
   */
  async write(name: string, source: ByteSource): Promise<string> {
    const path = this.#pathOf(name)
    const temporary = `${path}.tmp`
    await this.#files.unlink(temporary)
    const salt = randomBytes(SALT_BYTES)
    const key = this.#keyOf(name, salt)
    const file = await this.#files.openForWriting(temporary)
    const hash = new RunningSha256()
    try {
      await file.write(concat(MAGIC, salt), 0)
      let at = HEAD_BYTES
      for await (const { from, plain } of piecesOf(source)) {
        hash.add(plain)
        const sealed = sealPieceAt(key, source.bytes, from, plain)
        await file.write(sealed, at)
        at += sealed.length
      }
    } finally {
      await file.close()
    }
    await this.#files.rename(temporary, path)
    return hash.hex()
  }

  /** An object as bytes that can be read from any place. Throws `backup.damaged`, as do its reads. */
  async open(name: string): Promise<ByteSource> {
    const path = this.#pathOf(name)
    const head = await this.#read(path, 0, HEAD_BYTES)
    const facts = await this.#files.facts(path)
    const bytes = plainLength((facts?.bytes ?? 0) - HEAD_BYTES)
    const isObject = Buffer.from(head.subarray(0, MAGIC.length)).equals(MAGIC) && head.length === HEAD_BYTES
    if (!isObject || bytes === undefined) throw damaged(name)
    const key = this.#keyOf(name, head.subarray(MAGIC.length))
    return { bytes, read: async (from, length) => await this.#open({ name, path, key, bytes }, from, length) }
  }

  /** Makes the names of what was written durable. */
  async sync(): Promise<void> {
    await this.#files.syncDirectory(`${this.#folder}/${FOLDER}`)
  }

  /**
   * Removes every object but these, and what was not finished. Gives how many. What has no name of ours stays: whoever can
   * write the folder of the backup must not choose what is removed elsewhere, through a link in its place.
   */
  async removeAllBut(names: ReadonlySet<string>): Promise<number> {
    const folder = `${this.#folder}/${FOLDER}`
    const doomed = (await this.#files.list(folder)).filter(
      (name) => OURS.test(name) && !names.has(`${FOLDER}/${name}`),
    )
    for (const name of doomed) await this.#files.unlink(`${folder}/${name}`)
    return doomed.length
  }

  async #open({ name, path, key, bytes }: OpenObject, from: number, length: number): Promise<Uint8Array> {
    const end = Math.min(bytes, from + length)
    // Also one of no bytes has a chunk, which says that it has none.
    if (from >= end && from > 0) return new Uint8Array(0)
    const first = Math.floor(from / CHUNK_BYTES)
    const count = Math.max(1, Math.ceil(end / CHUNK_BYTES) - first)
    const sealed = await this.#read(path, HEAD_BYTES + first * SEALED_CHUNK_BYTES, count * SEALED_CHUNK_BYTES)
    const plain: Uint8Array[] = []
    for (let at = 0; at < count; at++) {
      const place = { number: first + at, isLast: first + at === chunksIn(bytes) - 1 }
      const chunk = openChunk(
        key,
        place,
        sealed.subarray(at * SEALED_CHUNK_BYTES, (at + 1) * SEALED_CHUNK_BYTES),
      )
      if (chunk === undefined) throw damaged(name)
      plain.push(chunk)
    }
    return concat(...plain).subarray(from - first * CHUNK_BYTES, end - first * CHUNK_BYTES)
  }

  async #read(path: string, from: number, length: number): Promise<Uint8Array> {
    try {
      return await this.#files.readRange(path, from, length)
    } catch (thrown) {
      if (errorCode(thrown) === undefined) throw thrown
      throw damaged(path.slice(this.#folder.length + 1), thrown)
    }
  }

  #keyOf(name: string, salt: Uint8Array): Uint8Array {
    return deriveKey(
      this.#dataKey,
      `gatehouse backup object v1\n${name}\n${Buffer.from(salt).toString('hex')}`,
    )
  }

  #pathOf(name: string): string {
    return `${this.#folder}/${name}`
  }
}

const MISSING = 'ENOENT'

/** Names in the folder of objects, whole and unfinished. */
const OURS = /^[0-9a-f]{64}(\.tmp)?$/

interface OpenObject {
  readonly name: string
  readonly path: string
  readonly key: Uint8Array
  readonly bytes: number
}

/** The pieces of a source in order; one empty piece of an empty source. Throws where it ends too soon. */
export async function* piecesOf(
  source: ByteSource,
): AsyncGenerator<{ readonly from: number; readonly plain: Uint8Array }, void, undefined> {
  let from = 0
  do {
    const length = Math.min(PIECE_BYTES, source.bytes - from)
    const plain = await source.read(from, length)
    if (plain.length !== length) throw new ChangedSource()
    yield { from, plain }
    from += length
  } while (from < source.bytes)
}

/** A file became shorter while it was read. */
export class ChangedSource extends Error {}

export function sourceOf(content: Uint8Array): ByteSource {
  return {
    bytes: content.length,
    read: async (from, length) => content.subarray(from, from + length),
  }
}

export async function sha256Of(source: ByteSource): Promise<string> {
  const hash = new RunningSha256()
  for await (const { plain } of piecesOf(source)) hash.add(plain)
  return hash.hex()
}

/** Throws `backup.damaged`, as `read` does, also for more than a file that is read whole may have: nobody has proven its length yet. */
export async function readWhole(source: ByteSource): Promise<Uint8Array> {
  if (source.bytes > LIMITS.homeFileBytes) throw damaged('an object of too many bytes')
  return await source.read(0, source.bytes)
}

function sealPieceAt(key: Uint8Array, bytes: number, from: number, plain: Uint8Array): Uint8Array {
  const first = from / CHUNK_BYTES
  const last = chunksIn(bytes) - 1
  return concat(
    ...Array.from({ length: chunksIn(plain.length) }, (_, at) =>
      sealChunk(
        key,
        { number: first + at, isLast: first + at === last },
        plain.subarray(at * CHUNK_BYTES, (at + 1) * CHUNK_BYTES),
      ),
    ),
  )
}

function damaged(place: string, cause?: unknown): Fault {
  const code = errorCode(cause) ?? MISSING
  // Of a file that this user may not read nothing is known.
  const why = code === MISSING ? 'is missing or damaged' : `cannot be read (${code})`
  return new Fault('backup.damaged', { place }, { say: `${place} ${why}.`, cause })
}
