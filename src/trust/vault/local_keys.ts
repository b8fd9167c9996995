import { inspect } from 'node:util'
import { hmacSha256, randomBytes, SHA256_BYTES } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import type { Peppers } from '#base/peppers.ts'
import { createPrivateFolder, readPrivateFolder } from '#base/private_folder.ts'
import { logKeysIn, newLogKeyFiles, type KeptLogKeys } from './log_key_files.ts'

const PSEUDONYM_FILE = 'pseudonym.key'
const SIDECAR_FILE = 'sidecar.key'
/** One file for each pepper; the highest number is the one in use. */
const PEPPER_FILE = /^pepper-([1-9][0-9]{0,5})\.key$/
const PRINTED = '[keys]'

export interface LocalKeysParts {
  /** `HOME/keys`. */
  readonly directory: string
  /** True when the home holds nothing yet that older keys would be needed for: no ledger, no callers. */
  readonly isNewHome: boolean
}

/**
 * Loads the keys of a home from files, or makes them when the home is new. Keys in files are for development: whoever
 * reads the disk has them.
 *
 * Throws `home.damaged` when a key is missing, broken, or readable by others: a new key in the place of a lost one
 * would cut the ledger in two and make every caller's key worthless, so none is ever made in silence.
 */
export function openLocalKeys({ directory, isNewHome }: LocalKeysParts): LocalKeys {
  const found = readPrivateFolder(directory)
  if (found !== undefined && found.size > 0) return new LocalKeys(found)
  if (!isNewHome)
    throw damaged('The keys folder is empty or missing, and this home needs the keys that it had.')
  const made = newKeys()
  createPrivateFolder(directory, made)
  return new LocalKeys(made)
}

/** The keys of a home. It has no printable form and does not serialize. */
export class LocalKeys {
  readonly #log: KeptLogKeys
  readonly #pseudonymKey: Uint8Array
  readonly #sidecarKey: Uint8Array
  readonly #peppers: Peppers

  constructor(files: ReadonlyMap<string, Uint8Array>) {
    this.#log = logKeysIn(files)
    this.#pseudonymKey = secretOf(files, PSEUDONYM_FILE)
    this.#sidecarKey = secretOf(files, SIDECAR_FILE)
    this.#peppers = peppersOf(files)
  }

  /** Sign checkpoints of the ledger. */
  get log(): KeptLogKeys {
    return this.#log
  }

  /** 32 bytes: turns callers into pseudonyms. */
  get pseudonymKey(): Uint8Array {
    return this.#pseudonymKey
  }

  /** 32 bytes: encrypts what leaves of the ledger only commit to. */
  get sidecarKey(): Uint8Array {
    return this.#sidecarKey
  }

  get peppers(): Peppers {
    return this.#peppers
  }

  toString(): string {
    return PRINTED
  }

  toJSON(): string {
    return PRINTED
  }

  [inspect.custom](): string {
    return PRINTED
  }
}

function newKeys(): ReadonlyMap<string, Uint8Array> {
  return new Map([
    ...newLogKeyFiles(),
    ['pepper-1.key', randomBytes(SHA256_BYTES)],
    [PSEUDONYM_FILE, randomBytes(SHA256_BYTES)],
    [SIDECAR_FILE, randomBytes(SHA256_BYTES)],
  ])
}

function peppersOf(files: ReadonlyMap<string, Uint8Array>): Peppers {
  const numbers = [...files.keys()].flatMap((name) => PEPPER_FILE.exec(name)?.[1] ?? [])
  const secrets = new Map(numbers.map((number) => [number, secretOf(files, `pepper-${number}.key`)]))
  const current = numbers.sort((left, right) => Number(left) - Number(right)).at(-1)
  if (current === undefined) throw missing('pepper-1.key')
  return {
    current,
    has: (id) => secrets.has(id),
    mac: (id, text) => {
      const secret = secrets.get(id)
      if (secret === undefined) throw new Fault('internal.bug', { error: 'no such pepper' })
      return hmacSha256(secret, text)
    },
  }
}

function secretOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = bytesOf(files, name)
  if (bytes.length !== SHA256_BYTES)
    throw damaged(`The key file ${name} does not hold ${SHA256_BYTES} bytes.`)
  return bytes
}

function bytesOf(files: ReadonlyMap<string, Uint8Array>, name: string): Uint8Array {
  const bytes = files.get(name)
  if (bytes === undefined) throw missing(name)
  return bytes
}

function missing(name: string): Fault {
  return damaged(`The key file ${name} is missing.`)
}

function damaged(say: string): Fault {
  return new Fault('home.damaged', {}, { say })
}
