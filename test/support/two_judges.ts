import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { concat, sameBytes, toBase64, utf8 } from '#base/bytes.ts'
import { ed25519PublicBytes } from '#base/crypto.ts'
import { openCheckpoint, peekCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'
import { verifyDisclosure } from '#trust/ledger/commitment.ts'
import { mlDsa44Cosigner, parseCosignerKey, parseLogKey } from '#trust/ledger/cosignature.ts'
import { FILE, segmentPath, type OriginFolder } from '#trust/ledger/layout.ts'
import { parseLeaf } from '#trust/ledger/leaf.ts'
import { checkAnyLeaf, checkLeaf } from '#trust/ledger/leaf_check.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { leafHash } from '#trust/ledger/merkle.ts'
import { noteSigner, noteVerifier, printVerifierKey, type NoteSigner } from '#trust/ledger/note.ts'
import { verifyConsistency, verifyInclusion } from '#trust/ledger/proof.ts'
import { encodeGroup, encodeHead } from '#trust/ledger/raw_segment.ts'
import { parseReceipts, type EntryReceipt } from '#trust/ledger/receipt.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { emptyDisk, KEYS, LEDGER, newestFolder, openOn } from './ledger_fixture.ts'
import type { SimulatedFiles } from './simulated_files.ts'
import { verifier } from './verifier.ts'

/** What Gatehouse and the verifier, which share no code, make of the same: whether they accept it. */
export interface Judgement {
  readonly src: boolean
  readonly verifier: boolean
}

/** What the verifier refuses with. Anything else ends it, which is no judgement. */
const REFUSALS = [verifier.Wrong, SyntaxError, RangeError]

function accepts(check: () => unknown): boolean {
  try {
    return check() !== false
  } catch (thrown) {
    if (REFUSALS.some((kind) => thrown instanceof kind)) return false
    throw thrown
  }
}

export function judgeLeaf(bytes: Uint8Array): Judgement {
  const src = checkLeaf(bytes).wrong === undefined
  // Two ways to the same: what looks as usual is looked at in another one.
  const slow = bytes.length > 65_535 || checkAnyLeaf(Buffer.from(bytes).toString('utf8'), bytes).wrong
  if (src !== (slow === undefined)) throw new Error(`checkLeaf says ${src}, checkAnyLeaf says ${slow}`)
  return { src, verifier: accepts(() => verifier.parseLeaf(Buffer.from(bytes))) }
}

/** Verifier keys of logs and of witnesses. */
export function judgeKey(text: string, use: 'key' | 'witness'): Judgement {
  const read = use === 'key' ? parseLogKey : parseCosignerKey
  return { src: read(text) !== undefined, verifier: accepts(() => verifier.parseKey(text, use)) }
}

/** A checkpoint as it reads, whoever signed it. Two that accept it must read the same. */
export function judgeCheckpoint(note: string): Judgement {
  const read = peekCheckpoint(note)
  const by = accepts(() => {
    const { origin, size, root } = verifier.parseCheckpoint(note)
    if (read === undefined) return true
    if (origin !== read.origin || size !== read.size || !sameBytes(root, read.root))
      throw new Error('the same checkpoint reads as two')
    return true
  })
  return { src: read !== undefined, verifier: by }
}

/** A checkpoint that must be signed with one key of its log. */
export function judgeSignature(note: string, key: string): Judgement {
  const known = parseLogKey(key)
  const by = accepts(() => {
    const trust = { keys: [verifier.parseKey(key, 'key')], witnesses: [], quorum: 0 }
    const report = new verifier.Report()
    verifier.checkSignatures(verifier.parseCheckpoint(note), trust, report)
    return report.checks.every(({ verdict }) => verdict === 'ok')
  })
  return { src: known !== undefined && openCheckpoint(note, known) !== undefined, verifier: by }
}

export interface Inclusion {
  readonly index: number
  readonly size: number
  readonly leafHash: Uint8Array
  readonly root: Uint8Array
  readonly proof: readonly Uint8Array[]
}

export function judgeInclusion(claim: Inclusion): Judgement {
  const { index, size, leafHash: hash, proof, root } = claim
  const by = (): boolean => sameBytes(verifier.inclusionRoot(index, size, hash, proof), root)
  return { src: verifyInclusion(claim), verifier: accepts(by) }
}

export interface Growth {
  readonly first: number
  readonly second: number
  readonly firstRoot: Uint8Array
  readonly secondRoot: Uint8Array
  readonly proof: readonly Uint8Array[]
}

export function judgeConsistency(claim: Growth): Judgement {
  const { first, second, firstRoot, secondRoot, proof } = claim
  const by = (): boolean => {
    const [before, after] = verifier.consistencyRoots(first, second, firstRoot, proof)
    return sameBytes(before, firstRoot) && sameBytes(after, secondRoot)
  }
  return { src: verifyConsistency(claim), verifier: accepts(by) }
}

/** A log of one key, with everything to judge receipts and exports of it. */
export class JudgedLog {
  readonly origin: string
  readonly key: string
  readonly mlDsaKey: string
  readonly signer: NoteSigner
  readonly mlDsaSigner: NoteSigner
  readonly #folder: OriginFolder
  readonly #home: SimulatedFiles
  readonly #place: string

  private constructor(home: SimulatedFiles, folder: OriginFolder) {
    this.#home = home
    this.#folder = folder
    this.origin = folder.origin
    this.signer = noteSigner(folder.origin, KEYS.signingPem)
    this.mlDsaSigner = mlDsa44Cosigner(folder.origin, KEYS.mlDsaPem)
    this.key = printVerifierKey(noteVerifier(folder.origin, ed25519PublicBytes(KEYS.signingPem)))
    this.mlDsaKey = printVerifierKey(this.mlDsaSigner)
    this.#place = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-judges-'))
  }

  static async make(): Promise<JudgedLog> {
    const home = await emptyDisk()
    const ledger = await openOn(home, { keys: { ...KEYS, mlDsaPem: undefined } })
    await ledger.checkpoint()
    await ledger.close()
    return new JudgedLog(home, await newestFolder(home))
  }

  remove(): void {
    fs.rmSync(this.#place, { recursive: true, force: true })
  }

  /** Receipts in one text, all of this log. */
  judgeReceipts(text: string): Judgement {
    const file = path.join(this.#place, 'receipts')
    fs.writeFileSync(file, text)
    const receipts = parseReceipts(fs.readFileSync(file, 'utf8'))
    const src = receipts !== undefined && receipts.every((each) => this.#holds(each))
    return { src, verifier: this.#run('receipt', file) }
  }

  #holds({ leaf, disclosed, proof: { index, hashes, checkpoint } }: EntryReceipt): boolean {
    const head = openCheckpoint(checkpoint, this.signer)
    if (checkLeaf(leaf).wrong !== undefined || head === undefined) return false
    const { size, root } = head
    const isIn = verifyInclusion({ index, size, root, leafHash: leafHash(leaf), proof: hashes })
    return (
      isIn &&
      Object.entries(disclosed).every(([name, { value, salt }]) =>
        verifyDisclosure(parseLeaf(leaf), name, value, salt),
      )
    )
  }

  /** A whole log: the home as it would be, and the export of what its checkpoint covers. */
  async judgeLog(leaves: readonly Uint8Array[], note: string): Promise<Judgement> {
    const { path: at, origin } = this.#folder
    const files = this.#home.reopen('kept')
    const groups = leaves.length === 0 ? [] : [encodeGroup(0, leaves, Buffer.alloc(40))]
    files.tamper(segmentPath(this.#folder, 0, 'raw'), concat(encodeHead(origin, 0), ...groups))
    files.tamper(`${at}/${FILE.checkpoint}`, utf8(note))
    const logKeys = logKeysOf({ signingPem: KEYS.signingPem }, 0)
    const { ok } = await verifyLedger({ files, directory: LEDGER, keys: { logKeys } })
    return { src: ok, verifier: this.#run('log', this.#export(leaves, note)) }
  }

  #export(all: readonly Uint8Array[], note: string): string {
    const folder = path.join(this.#place, 'export')
    fs.rmSync(folder, { recursive: true, force: true })
    const size = Math.min(peekCheckpoint(note)?.size ?? all.length, all.length)
    const leaves = all.slice(0, size)
    const parts = leaves.flatMap((leaf) => [Buffer.of(leaf.length >> 8, leaf.length & 255), leaf])
    for (const [kind, bytes] of [
      ['entries', concat(...parts)],
      ['0', concat(...leaves.map(leafHash))],
    ] as const) {
      if (size === 0) continue
      fs.mkdirSync(path.join(folder, `tile/${kind}/000.p`), { recursive: true })
      fs.writeFileSync(path.join(folder, `tile/${kind}/000.p/${size}`), bytes)
    }
    fs.mkdirSync(folder, { recursive: true })
    fs.writeFileSync(path.join(folder, 'checkpoint'), note)
    return folder
  }

  #run(command: string, place: string): boolean {
    return verifier.run([command, place, '--key', this.key, '--witness', 'none']).exit === 0
  }
}

/** A head as it stands in a checkpoint, whatever its size is said to be. */
export function headText({ origin, root }: Pick<Head, 'origin' | 'root'>, size: string): string {
  return `${origin}\n${size}\n${toBase64(root)}\n`
}
