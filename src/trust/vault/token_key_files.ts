import { join } from 'node:path'
import type { Millis } from '#base/clock.ts'
import { utf8 } from '#base/bytes.ts'
import { es256PublicJwk } from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { addPrivateFile, readPrivateFolder, removePrivateFile } from '#base/private_folder.ts'
import { Sealed } from '#base/sealed.ts'

/** `token-<milliseconds since 1970>.pem`: when a key was made says which one signs, so that nothing else has to be kept. */
const TOKEN_KEY_FILE = /^token-(\d{13})\.pem$/

export interface StoredTokenKey {
  readonly madeAt: Millis
  /** P-256 private key, PKCS #8 PEM. */
  readonly pem: Sealed
}

/** Where the keys are kept that sign tokens: files of the keys folder that only its owner may read. */
export interface TokenKeyFiles {
  /** Oldest first. Throws `home.damaged`. */
  load(): readonly StoredTokenKey[]
  /** On disk when it returns. Throws `home.unwritable`. */
  add(key: StoredTokenKey): void
  /** Throws `home.unwritable`. */
  remove(madeAt: Millis): void
}

/**
 * The token keys in `HOME/keys`. Unlike the other keys they may be made anew when they are gone: all that is lost with one
 * is tokens that live for minutes.
 */
export function tokenKeyFiles(directory: string): TokenKeyFiles {
  return {
    load: () => {
      const files = [...(readPrivateFolder(directory) ?? [])]
      return files
        .flatMap(([name, bytes]) => {
          const time = TOKEN_KEY_FILE.exec(name)?.[1]
          return time === undefined
            ? []
            : [{ madeAt: Number(time), pem: keyIn(join(directory, name), bytes) }]
        })
        .sort((left, right) => left.madeAt - right.madeAt)
    },
    add: ({ madeAt, pem }) => pem.open((text) => addPrivateFile(directory, fileOf(madeAt), utf8(text))),
    remove: (madeAt) => removePrivateFile(directory, fileOf(madeAt)),
  }
}

function fileOf(madeAt: Millis): string {
  return `token-${String(madeAt).padStart(13, '0')}.pem`
}

function keyIn(path: string, bytes: Uint8Array): Sealed {
  const pem = Buffer.from(bytes).toString('latin1')
  try {
    es256PublicJwk(pem)
  } catch (thrown) {
    throw new Fault(
      'home.damaged',
      { path },
      { say: `${path} does not hold a P-256 key; remove it, and the door makes another.`, cause: thrown },
    )
  }
  return new Sealed(pem)
}
