import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { concat, utf8 } from '#base/bytes.ts'
import { ed25519PublicBytes, newEd25519Pem } from '#base/crypto.ts'
import { printHead, signCheckpoint } from '#trust/ledger/checkpoint.ts'
import { FILE, segmentPath, type OriginFolder } from '#trust/ledger/layout.ts'
import { logKeysOf } from '#trust/ledger/log_keys.ts'
import { leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { noteSigner, noteVerifier, printVerifierKey } from '#trust/ledger/note.ts'
import { encodeGroup, encodeHead, groupPlace, scanSegment, type Group } from '#trust/ledger/raw_segment.ts'
import { ReceiptMaker } from '#trust/ledger/receipt_maker.ts'
import { SidecarBox } from '#trust/ledger/sidecar.ts'
import { TiledLogs } from '#trust/ledger/tiled_logs.ts'
import { verifyLedger } from '#trust/ledger/verify.ts'
import { writeStandardTree } from '../support/exported_log.ts'
import { emptyDisk, intent, KEYS, LEDGER, newestFolder, openOn, readAll } from '../support/ledger_fixture.ts'
import type { SimulatedFiles } from '../support/simulated_files.ts'
import { verifier } from '../support/verifier.ts'

/** Two full tiles, which are sealed, and the groups of an active segment behind them. */
const SEALED = 512
const GROUPS = [512, 514, 516]
const SIZE = 518
const SEGMENT = { segmentBytes: 10_000 }
/** With Ed25519 alone: what a second kind of key adds is the same once more. */
const RING = { ...KEYS, mlDsaPem: undefined }

/** A home as its owner left it, as it was some entries before, and what was noted elsewhere. */
export interface Scene {
  readonly home: SimulatedFiles
  readonly older: SimulatedFiles
  readonly folder: OriginFolder
  /** The newest checkpoint, as somebody else holds it. */
  readonly outside: string
  /** The verifier key of the log, as it was noted when the log was made. */
  readonly key: string
  readonly receipt: string
}

export async function tamperScene(): Promise<Scene> {
  const home = await emptyDisk()
  const ledger = await openOn(home, { ...SEGMENT, keys: RING })
  await Promise.all(Array.from({ length: SEALED }, (_, at) => ledger.append(intent(at))))
  await ledger.checkpoint()
  await ledger.settled()
  let older = home
  for (const first of GROUPS) {
    await Promise.all([first, first + 1].map((at) => ledger.append(intent(at))))
    await ledger.checkpoint()
    if (first === GROUPS[0]) older = home.reopen('kept')
  }
  const outside = await ledger.checkpoint()
  await ledger.close()
  const folder = await newestFolder(home)
  const entries = await readAll(home, { sidecarKey: KEYS.sidecarKey, from: 3, to: 4 })
  const receipt = await new ReceiptMaker(home, new TiledLogs(home, LEDGER)).receiptsOf(entries, () => true)
  const key = printVerifierKey(noteVerifier(folder.origin, ed25519PublicBytes(KEYS.signingPem)))
  return { home, older, folder, outside, key, receipt: receipt ?? '' }
}

/** What a verifier says first; undefined when it says that all holds. */
export type Finding = string | undefined

/** `gatehouse ledger verify`, with the keys of the home and, where given, a checkpoint from outside. */
export async function verifyHome(
  files: SimulatedFiles,
  against?: string,
  signingPem = RING.signingPem,
): Promise<Finding> {
  const logKeys = logKeysOf({ signingPem }, 0)
  const keys = { logKeys, sidecarKey: KEYS.sidecarKey }
  const { problems } = await verifyLedger({ files, directory: LEDGER, keys, against })
  const [first] = problems
  return first === undefined ? undefined : `${first.place}: ${first.what}`
}

/** The verifier, on the files of a folder; `words` are its command and where what it reads stands. */
export function verifyOutside(words: readonly string[], key: string): Finding {
  const { exit, checks } = verifier.run([...words, '--key', key, '--witness', 'none'])
  const wrong = checks.find(({ verdict }) => verdict === 'wrong')
  if ((exit === 0) !== (wrong === undefined)) throw new Error(`exit ${exit} without a reason`)
  return wrong?.what
}

/** A folder that is gone when `use` is over. */
export async function inFolder<Result>(use: (folder: string) => Promise<Result> | Result): Promise<Result> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-tamper-'))
  try {
    return await use(folder)
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

export async function exportTo(files: SimulatedFiles, target: string): Promise<void> {
  await writeStandardTree(files, await newestFolder(files), target)
}

/** Rewrites the active segment of a home with other leaves, and makes every checksum right again; the sidecars stay. */
export function editLeaves(
  scene: Scene,
  edit: (leaves: readonly Uint8Array[]) => readonly Uint8Array[],
): SimulatedFiles {
  const files = scene.home.reopen('kept')
  const name = segmentPath(scene.folder, SEALED, 'raw')
  const groups: readonly Group[] = scanSegment(files.all().get(name) ?? new Uint8Array(0))?.groups ?? []
  const leaves = edit(groups.flatMap((group) => group.leaves))
  const sealed = groups.map((group) => group.sealed)
  const parts = [encodeHead(scene.folder.origin, SEALED)]
  for (let at = 0; at < leaves.length; at += 2)
    parts.push(encodeGroup(SEALED + at, leaves.slice(at, at + 2), sealed[at / 2] ?? Buffer.alloc(40)))
  files.tamper(name, concat(...parts))
  return files
}

/** The same by whoever has all keys of the home: the sidecars fit the other leaves, and the checkpoint is of them. */
export async function remade(scene: Scene, edit: (leaf: Uint8Array) => Uint8Array): Promise<SimulatedFiles> {
  const { folder } = scene
  const files = scene.home.reopen('kept')
  const name = segmentPath(folder, SEALED, 'raw')
  const box = new SidecarBox(KEYS.sidecarKey, folder.origin)
  const parts = [encodeHead(folder.origin, SEALED)]
  for (const group of scanSegment(files.all().get(name) ?? new Uint8Array(0))?.groups ?? []) {
    const records = box.open(group.sealed, groupPlace(SEALED, group)) ?? new Uint8Array(0)
    const leaves = group.leaves.map((leaf, at) => (group.first + at === SEALED + 2 ? edit(leaf) : leaf))
    const sealed = box.close(records, groupPlace(SEALED, { ...group, leaves }))
    parts.push(encodeGroup(group.first, leaves, sealed))
  }
  files.tamper(name, concat(...parts))
  await resign(files, folder, KEYS.signingPem)
  return files
}

/** Signs what is there. */
async function resign(files: SimulatedFiles, { origin, path: at }: OriginFolder, pem: string): Promise<void> {
  const hashes = (await readAll(files)).map(({ bytes }) => leafHash(bytes))
  const head = { origin, size: hashes.length, root: rootOf(hashes) }
  files.tamper(`${at}/${FILE.checkpoint}`, utf8(await signCheckpoint(head, [noteSigner(origin, pem)], 0)))
}

/** The last bundle of an export, with other leaves. */
export function editBundle(
  target: string,
  edit: (leaves: readonly Uint8Array[]) => readonly Uint8Array[],
): void {
  const file = path.join(target, `tile/entries/002.p/${SIZE - SEALED}`)
  const bytes = fs.readFileSync(file)
  const leaves: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + bytes.readUInt16BE(at)
    leaves.push(bytes.subarray(at + 2, end))
    at = end
  }
  const parts = edit(leaves).flatMap((leaf) => {
    const length = Buffer.alloc(2)
    length.writeUInt16BE(leaf.length)
    return [length, leaf]
  })
  fs.writeFileSync(file, Buffer.concat(parts))
}

/** The hash tile over the last bundle, made anew from it. */
export function mendTile(target: string): void {
  const width = SIZE - SEALED
  const hashes: Uint8Array[] = []
  editBundle(target, (leaves) => {
    hashes.push(...leaves.map(leafHash))
    return leaves
  })
  fs.writeFileSync(path.join(target, `tile/0/002.p/${width}`), Buffer.concat(hashes))
}

/** An entry that says something else, in the exact form of an entry. */
export function retold(leaf: Uint8Array | undefined): Uint8Array {
  return rewritten(leaf, '"kid":"kid', '"kid":"bad')
}

export function rewritten(leaf: Uint8Array | undefined, from: string, to: string): Uint8Array {
  const text = Buffer.from(leaf ?? '').toString('utf8')
  if (!text.includes(from)) throw new Error(`${from} is not in the entry`)
  return utf8(text.replace(from, to))
}

/** The same log from some entries before on, written on by whoever has its key. */
export async function forkOf(scene: Scene): Promise<SimulatedFiles> {
  const files = scene.older.reopen('kept')
  const ledger = await openOn(files, { ...SEGMENT, keys: RING })
  for (let at = 0; at < 6; at++) await ledger.append(intent(900 + at))
  await ledger.checkpoint()
  await ledger.close()
  return files
}

/** All of a home under another key: its files, and the keys that it is checked with. */
export async function rekeyed(
  scene: Scene,
): Promise<{ readonly files: SimulatedFiles; readonly pem: string }> {
  const files = scene.home.reopen('kept')
  const pem = newEd25519Pem()
  const key = printVerifierKey(noteSigner(scene.folder.origin, pem))
  files.tamper(`${scene.folder.path}/${FILE.origin}`, utf8(`${key}\n`))
  await resign(files, scene.folder, pem)
  return { files, pem }
}

/** A checkpoint of these entries under the right name, signed by nobody who may. */
export async function forgedCheckpoint(scene: Scene): Promise<string> {
  const head = { origin: scene.folder.origin, size: SIZE, root: Buffer.alloc(32, 1) }
  const lines = scene.outside.slice(scene.outside.indexOf('\n\n') + 1)
  return Promise.resolve(`${printHead(head)}${lines}`)
}
