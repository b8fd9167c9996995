import { fromBase64, sameBytes, toBase64, utf8 } from '#base/bytes.ts'
import type { Millis } from '#base/clock.ts'
import {
  ed25519PublicBytes,
  ed25519Signer,
  ed25519Verify,
  mlDsa44PublicBytes,
  newEd25519Pem,
  newMlDsa44Pem,
} from '#base/crypto.ts'
import { Fault } from '#base/fault.ts'
import { addPrivateFile, readPrivateFolder, removePrivateFile } from '#base/private_folder.ts'

/**
 * The keys of the ledger in `HOME/keys`: of each pair `ledger.pem` (Ed25519) and `ledger.ml-dsa.pem`, from the second pair
 * on with its number, as in `ledger-2.pem`. What another pair has taken the place of has a file `ledger.ends` too, with its
 * public keys and the time until which it signs; after that its private keys are destroyed.
 */
export interface KeptLogKeys extends KeptPair {
  /** Newest first. */
  readonly earlier: readonly KeptEarlierKeys[]
}

export interface KeptPair {
  /** Ed25519 private key, PKCS #8 PEM. */
  readonly signingPem: string
  /** ML-DSA-44 private key, PKCS #8 PEM; undefined in a home of a time when there was none. */
  readonly mlDsaPem: string | undefined
}

export interface KeptEarlierKeys {
  readonly ed25519: Uint8Array
  readonly mlDsa44: Uint8Array | undefined
  readonly endsAt: Millis
  /** Undefined once they are destroyed. */
  readonly pair: KeptPair | undefined
}

const FILE = /^ledger(?:-([1-9][0-9]{0,3}))?\.(pem|ml-dsa\.pem|ends)$/
type Part = 'pem' | 'ml-dsa.pem' | 'ends'
type Files = ReadonlyMap<string, Uint8Array>

/** The files of a first pair, for a new home. */
export function newLogKeyFiles(): Files {
  const { signingPem, mlDsaPem } = newPair()
  return new Map([
    [nameOf(1, 'pem'), utf8(signingPem)],
    [nameOf(1, 'ml-dsa.pem'), utf8(mlDsaPem)],
  ])
}

/** The keys of the ledger among the files of the keys folder. Throws `home.damaged` when the newest pair is not whole. */
export function logKeysIn(files: Files): KeptLogKeys {
  const newest = newestIn(files)
  const pair = pairIn(files, newest)
  if (pair === undefined) throw lostKeys(files, newest)
  const numbers = numbersIn(files).filter((number) => number < newest)
  return { ...pair, earlier: numbers.map((number) => earlierIn(files, number)) }
}

/** Makes the ML-DSA-44 key of a home from a time when there was none. True when it was made. Throws `home.unwritable`. */
export function addMissingLogKey(directory: string): boolean {
  const files = readPrivateFolder(directory) ?? new Map<string, Uint8Array>()
  const newest = newestIn(files)
  if (!files.has(nameOf(newest, 'pem')) || files.has(nameOf(newest, 'ml-dsa.pem'))) return false
  addPrivateFile(directory, nameOf(newest, 'ml-dsa.pem'), utf8(newMlDsa44Pem()))
  return true
}

/**
 * Makes a new pair, which signs from now on; all pairs before it sign until `endsAt` at most. Gives the keys as they are
 * then. Throws `home.damaged` and `home.unwritable`; the old keys hold until the new ones are on disk whole.
 */
export function rotateLogKeys(directory: string, endsAt: Millis): KeptLogKeys {
  const files = readPrivateFolder(directory) ?? new Map<string, Uint8Array>()
  const { earlier, ...pair } = logKeysIn(files)
  const newest = newestIn(files)
  const { ed25519, mlDsa44 } = publicKeysOf(pair)
  const made = newPair()
  const next = newest + 1
  // What an attempt left that did not come to its last file.
  for (const name of [nameOf(next, 'ml-dsa.pem'), nameOf(newest, 'ends')]) removePrivateFile(directory, name)
  addPrivateFile(directory, nameOf(next, 'ml-dsa.pem'), utf8(made.mlDsaPem))
  addPrivateFile(directory, nameOf(newest, 'ends'), printEnd({ ed25519, mlDsa44, endsAt }))
  addPrivateFile(directory, nameOf(next, 'pem'), utf8(made.signingPem))
  const before = numbersIn(files).filter((number) => number < newest)
  for (const [at, each] of earlier.entries()) {
    const name = nameOf(before[at] ?? 0, 'ends')
    if (each.endsAt <= endsAt) continue
    // Between the two it has no end, and counts as ended.
    removePrivateFile(directory, name)
    addPrivateFile(directory, name, printEnd({ ...each, endsAt }))
  }
  return logKeysIn(readPrivateFolder(directory) ?? new Map())
}

/** Destroys the private keys of pairs that have ended. Gives how many pairs. Throws `home.unwritable`. */
export function destroyEndedLogKeys(directory: string, now: Millis): number {
  const files = readPrivateFolder(directory) ?? new Map<string, Uint8Array>()
  const newest = newestIn(files)
  const ended = numbersIn(files).filter(
    (number) => number < newest && files.has(nameOf(number, 'pem')) && earlierIn(files, number).endsAt <= now,
  )
  for (const number of ended) {
    if (!files.has(nameOf(number, 'ends')))
      addPrivateFile(
        directory,
        nameOf(number, 'ends'),
        printEnd({ ...earlierIn(files, number), endsAt: now }),
      )
    removePrivateFile(directory, nameOf(number, 'ml-dsa.pem'))
    removePrivateFile(directory, nameOf(number, 'pem'))
  }
  return ended.length
}

/**
 * Puts a new pair in place of one that is lost, whose public keys the caller knows from elsewhere. Throws `home.unwritable`.
 */
export function replaceLostLogKeys(
  directory: string,
  lost: Pick<KeptEarlierKeys, 'ed25519' | 'mlDsa44'>,
  now: Millis,
): void {
  const files = readPrivateFolder(directory) ?? new Map<string, Uint8Array>()
  const number = lostNumber(files, lost.ed25519)
  for (const part of ['ends', 'ml-dsa.pem', 'pem'] as const)
    removePrivateFile(directory, nameOf(number, part))
  addPrivateFile(directory, nameOf(number, 'ends'), printEnd({ ...lost, endsAt: now }))
  const made = newPair()
  removePrivateFile(directory, nameOf(number + 1, 'ml-dsa.pem'))
  addPrivateFile(directory, nameOf(number + 1, 'ml-dsa.pem'), utf8(made.mlDsaPem))
  addPrivateFile(directory, nameOf(number + 1, 'pem'), utf8(made.signingPem))
}

/** The number of a pair of which the private keys are gone: behind all that ended before it. */
function lostNumber(files: Files, ed25519: Uint8Array): number {
  const newest = newestIn(files)
  const end = files.get(nameOf(newest, 'ends'))
  if (end === undefined || files.has(nameOf(newest, 'pem'))) return newest
  const known = parseEnd(nameOf(newest, 'ends'), Buffer.from(end).toString('latin1'))
  return sameBytes(known.ed25519, ed25519) ? newest : newest + 1
}

function newPair(): { readonly signingPem: string; readonly mlDsaPem: string } {
  return { signingPem: newEd25519Pem(), mlDsaPem: newMlDsa44Pem() }
}

function nameOf(number: number, part: Part): string {
  return number === 1 ? `ledger.${part}` : `ledger-${number}.${part}`
}

/** The pairs of which there is anything, newest first. */
function numbersIn(files: Files): readonly number[] {
  const numbers = [...files.keys()].flatMap((name) => {
    const [found, digits = '1'] = FILE.exec(name) ?? []
    return found === undefined ? [] : [Number(digits)]
  })
  return [...new Set(numbers)].sort((left, right) => right - left)
}

/** The last pair that was made whole. The Ed25519 key is its last file. */
function newestIn(files: Files): number {
  const numbers = numbersIn(files)
  return (
    numbers.find((number) => files.has(nameOf(number, 'pem'))) ??
    numbers.find((number) => files.has(nameOf(number, 'ends'))) ??
    1
  )
}

function pairIn(files: Files, number: number): KeptPair | undefined {
  const [signingPem, mlDsaPem] = (['pem', 'ml-dsa.pem'] as const).map((part) => {
    const bytes = files.get(nameOf(number, part))
    return bytes && Buffer.from(bytes).toString('latin1')
  })
  if (signingPem === undefined) return undefined
  if (!signs(signingPem)) throw damaged(`The key file ${nameOf(number, 'pem')} does not hold an Ed25519 key.`)
  if (mlDsaPem !== undefined && !isMlDsa44(mlDsaPem))
    throw damaged(`The key file ${nameOf(number, 'ml-dsa.pem')} does not hold an ML-DSA-44 key.`)
  return { signingPem, mlDsaPem }
}

function earlierIn(files: Files, number: number): KeptEarlierKeys {
  const name = nameOf(number, 'ends')
  const pair = pairIn(files, number)
  const bytes = files.get(name)
  if (bytes !== undefined) return { ...parseEnd(name, Buffer.from(bytes).toString('latin1')), pair }
  if (pair === undefined) throw damaged(`The key file ${name} is missing.`)
  return { ...publicKeysOf(pair), endsAt: 0, pair }
}

function publicKeysOf({ signingPem, mlDsaPem }: KeptPair): Pick<KeptEarlierKeys, 'ed25519' | 'mlDsa44'> {
  const mlDsa44 = mlDsaPem === undefined ? undefined : mlDsa44PublicBytes(mlDsaPem)
  return { ed25519: ed25519PublicBytes(signingPem), mlDsa44 }
}

/** A key of another kind is refused by its first signature, not by the first checkpoint. */
function signs(pem: string): boolean {
  const message = utf8('gatehouse key check')
  try {
    return ed25519Verify(ed25519PublicBytes(pem), message, ed25519Signer(pem)(message))
  } catch {
    return false
  }
}

function isMlDsa44(pem: string): boolean {
  try {
    return mlDsa44PublicBytes(pem).length > 0
  } catch {
    return false
  }
}

function printEnd({ ed25519, mlDsa44, endsAt }: Omit<KeptEarlierKeys, 'pair'>): Uint8Array {
  const last = mlDsa44 === undefined ? '' : `ml-dsa-44 ${toBase64(mlDsa44)}\n`
  return utf8(`ends ${new Date(endsAt).toISOString()}\ned25519 ${toBase64(ed25519)}\n${last}`)
}

function parseEnd(name: string, text: string): Omit<KeptEarlierKeys, 'pair'> {
  const [, ends = '', first = '', second] =
    /^ends (\S+)\ned25519 (\S+)\n(?:ml-dsa-44 (\S+)\n)?$/.exec(text) ?? []
  const endsAt = Date.parse(ends)
  const ed25519 = fromBase64(first)
  const mlDsa44 = second === undefined ? undefined : fromBase64(second)
  if (Number.isNaN(endsAt) || ed25519 === undefined || (second !== undefined && mlDsa44 === undefined))
    throw damaged(`The key file ${name} does not say which keys have ended, and when.`)
  return { ed25519, mlDsa44, endsAt }
}

/** Where the newest pair that is known of has ended, the one that followed it is gone without a trace. */
function lostKeys(files: Files, newest: number): Fault {
  const name = nameOf(files.has(nameOf(newest, 'ends')) ? newest + 1 : newest, 'pem')
  return damaged(
    `The key file ${name} is missing, and it signs the ledger. Put it back from a copy; where there is none: gatehouse ledger key replace (docs/how-to/keys-of-the-ledger.md).`,
  )
}

function damaged(say: string): Fault {
  return new Fault('home.damaged', {}, { say })
}
