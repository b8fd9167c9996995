import fs from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import { sameBytes } from '#base/bytes.ts'
import { sha256 } from '#base/crypto.ts'
import { noteVerifier, printVerifierKey } from '#trust/ledger/note.ts'
import { fixtureFolder } from '../support/fixtures.ts'
import { verifier } from '../support/verifier.ts'
import { CHECKERS, openForeignName, type TreeChecker } from './tree_checkers.ts'
import { proofCases, type ProofCase } from './merkle_cases.ts'
import { ownCases } from './own_trees.ts'
import { readTar } from './tar.ts'

/** What became of the cases of one set in one program. */
export interface LedgerAccount {
  readonly name: string
  readonly right: number
  readonly all: number
  readonly misses: readonly string[]
  /** What is left out, and why. */
  readonly note?: string
}

/**
 * `npm run conformance -- ledger`: trees, proofs and checkpoints of others, in Gatehouse and in the verifier, which share no
 * code. True when all agree and no public set is absent.
 */
export function runLedgerConformance(say: (line: string) => void): boolean {
  const { accounts, absent } = ledgerAccounts()
  for (const { name, right, all, misses, note } of accounts) {
    for (const miss of misses) say(`MISS ${name} ${miss}`)
    say(`${name} ${right}/${all}${note === undefined ? '' : ` (${note})`}`)
  }
  for (const name of absent) say(`${name} 0/0: the corpus is absent`)
  return absent.length === 0 && accounts.every(({ right, all }) => right === all)
}

const SETS: Readonly<Record<string, (checker: TreeChecker, folder: string) => LedgerAccount[]>> = {
  merkle: merkleAccounts,
  'tlog/tessera-log': (checker, folder) => [tesseraAccount(checker, folder)],
  'tlog/c2sp-examples': (checker, folder) => [exampleAccount(checker, folder)],
  'tlog/witness': (checker, folder) => [witnessAccount(checker, folder)],
}

/** What became of all sets that are on this machine, and the names of the others. */
export function ledgerAccounts(): {
  readonly accounts: readonly LedgerAccount[]
  readonly absent: readonly string[]
} {
  const accounts = CHECKERS.map((checker) => judge(`rfc-9162 ${checker.name}`, ownCases(), checker))
  const absent: string[] = []
  for (const [name, accountsOf] of Object.entries(SETS)) {
    const folder = fixtureFolder(name)
    if (folder === undefined) absent.push(name)
    else for (const checker of CHECKERS) accounts.push(...accountsOf(checker, folder))
  }
  return { accounts, absent }
}

/** A case with what must come of it. */
export interface TreeCase {
  readonly name: string
  readonly isRight: (checker: TreeChecker) => boolean
}

function judge(name: string, cases: readonly TreeCase[], checker: TreeChecker): LedgerAccount {
  const misses = cases.filter(({ isRight }) => !isRight(checker)).map((each) => each.name)
  return { name, right: cases.length - misses.length, all: cases.length, misses }
}

function merkleAccounts(checker: TreeChecker, folder: string): LedgerAccount[] {
  const files = readTar(gunzipSync(fs.readFileSync(path.join(folder, 'merkle-testdata.tar.gz'))))
  const cases = proofCases(files)
  const of = (kind: ProofCase['kind']): LedgerAccount =>
    judge(
      `merkle ${kind} ${checker.name}`,
      cases
        .filter((each) => each.kind === kind)
        .map((each) => ({ name: each.name, isRight: (by) => each.verify(by) !== each.mustFail })),
      checker,
    )
  // A receipt is never about a part of a tree, so the verifier knows no subtrees.
  return checker.name === 'src'
    ? [of('inclusion'), of('consistency'), of('subtreeinclusion'), of('subtreeconsistency')]
    : [of('inclusion'), of('consistency')]
}

const TESSERA_KEY = 'example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx'
const TESSERA_ENTRIES = 15

/** A checkpoint of each size, and a tile and a bundle of each but 0. */
function tesseraAccount(checker: TreeChecker, folder: string): LedgerAccount {
  const read = (name: string): Buffer => fs.readFileSync(path.join(folder, name))
  const sizes = Array.from({ length: TESSERA_ENTRIES + 1 }, (_, size) => size)
  const hashes = bundleOf(read(`tile/entries/000.p/${TESSERA_ENTRIES}`)).map((leaf) => checker.leafHash(leaf))
  const checkpoints = sizes.map((size) => ({
    name: `checkpoint.${size}`,
    isRight: () => checker.opens(read(`checkpoint.${size}`).toString('utf8'), TESSERA_KEY)?.size === size,
  }))
  const tiles = sizes.slice(1).flatMap((size) => [
    {
      name: `tile/0/000.p/${size}`,
      isRight: () => sameBytes(Buffer.concat(hashes.slice(0, size)), read(`tile/0/000.p/${size}`)),
    },
    {
      name: `tile/entries/000.p/${size}`,
      isRight: () =>
        bundleOf(read(`tile/entries/000.p/${size}`)).every((leaf, at) =>
          sameBytes(checker.leafHash(leaf), hashes[at] ?? leaf),
        ),
    },
  ])
  const whole = {
    name: 'the whole log',
    isRight: () => checker.name === 'src' || isWholeLog(folder, read('checkpoint').toString('utf8')),
  }
  return judge(`tessera-log ${checker.name}`, [...checkpoints, ...tiles, whole], checker)
}

/** As the command `log` goes through it; its entries are not those of a Gatehouse, so their form is not looked at. */
function isWholeLog(folder: string, checkpoint: string): boolean {
  const report = new verifier.Report()
  const parts = { report, points: [], checkEntry: () => undefined }
  verifier.checkTree(folder, verifier.parseCheckpoint(checkpoint), parts)
  return report.checks.length > 0 && report.checks.every(({ verdict }) => verdict === 'ok')
}

function bundleOf(bytes: Buffer): Uint8Array[] {
  const entries: Uint8Array[] = []
  for (let at = 0; at < bytes.length;) {
    const end = at + 2 + bytes.readUInt16BE(at)
    entries.push(bytes.subarray(at + 2, end))
    at = end
  }
  return entries
}

interface Example {
  readonly name: string
  readonly note?: string
  readonly body?: string
  readonly origin?: string
  readonly size?: string
  readonly proofHashes?: number
}

/** Checkpoints, alone or behind the lines of a request; what has none is for other tests. */
function exampleAccount(checker: TreeChecker, folder: string): LedgerAccount {
  const list: readonly Example[] = JSON.parse(fs.readFileSync(path.join(folder, 'examples.json'), 'utf8'))
  const cases = list.flatMap(({ name, note, body }) => {
    const text = note ?? body ?? ''
    const checkpoint = text.startsWith('old ') ? text.slice(text.indexOf('\n\n') + 2) : text
    const head = { origin: 'example.com/behind-the-sofa', size: 20_852_163 }
    const isCheckpoint = checkpoint.startsWith(`${head.origin}\n${head.size}\n`)
    const isRight = (by: TreeChecker): boolean => {
      const read = by.reads(checkpoint)
      return isCheckpoint ? read?.origin === head.origin && read.size === head.size : read === undefined
    }
    return [{ name, isRight }]
  })
  return judge(`c2sp-examples ${checker.name}`, cases, checker)
}

interface Suite {
  readonly name: string
  readonly log: { readonly origin: string; readonly vkey?: string; readonly sigsumPublicKeyHex?: string }
  readonly cases: readonly {
    readonly request: string
    readonly status: number
    readonly bodyContains?: string
  }[]
}

/** The requests to a witness: which of their checkpoints and proofs hold is what it answers by. */
function witnessAccount(checker: TreeChecker, folder: string): LedgerAccount {
  const file = path.join(folder, 'add-checkpoint.json')
  const { suites }: { suites: readonly Suite[] } = JSON.parse(fs.readFileSync(file, 'utf8'))
  const cases = suites.flatMap((suite) => witnessCases(suite, checker))
  const note = 'a key that has not the name of its log, as that of sum.golang.org, is refused by both'
  return { ...judge(`witness ${checker.name}`, cases, checker), note }
}

function witnessCases({ name, log, cases }: Suite, checker: TreeChecker): TreeCase[] {
  const key = log.vkey ?? vkeyOf(log.origin, log.sigsumPublicKeyHex ?? '')
  let held = { size: 0, root: sha256('') }
  return cases.map(({ request, status, bodyContains = '' }, at) => {
    const end = request.indexOf('\n\n')
    const [old = '', ...lines] = request.slice(0, end).split('\n')
    const note = request.slice(end + 2)
    const proof = lines.map((line) => Buffer.from(line, 'base64'))
    const head = checker.opens(note, key)
    const first = Number(old.slice('old '.length))
    const isSigned = head !== undefined
    const grows = (): boolean =>
      first === 0 ||
      (head !== undefined &&
        checker.grows({ first, second: head.size, firstRoot: held.root, secondRoot: head.root, proof }))
    const isRight = ((): boolean => {
      if (key.startsWith('sum.golang.org+')) return !isSigned && openForeignName(note, key) !== undefined
      if (status === 403) return !isSigned
      if (status === 422) return isSigned && !grows()
      // A conflict is about what the witness holds; the checkpoint itself is right.
      if (status === 409) return isSigned && first !== held.size
      return isSigned && grows()
    })()
    if (status === 200 && head !== undefined) held = { size: head.size, root: head.root }
    return { name: `${name} ${at} ${status} ${bodyContains}`, isRight: () => isRight }
  })
}

function vkeyOf(origin: string, hex: string): string {
  return printVerifierKey(noteVerifier(origin, Buffer.from(hex, 'hex')))
}
