import assert from 'node:assert/strict'
import test, { after } from 'node:test'
import fc from 'fast-check'
import { toBase64, toBase64Url } from '#base/bytes.ts'
import { canonicalJson } from '#base/canonical_json.ts'
import { sha256 } from '#base/crypto.ts'
import type { JsonObject, JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { parseSize } from '#trust/ledger/checkpoint.ts'
import { parseLeaf } from '#trust/ledger/leaf.ts'
import { leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { signNote, type NoteSigner } from '#trust/ledger/note.ts'
import { consistencyRanges, inclusionRanges, rangeRoot } from '#trust/ledger/proof.ts'
import type { ReadEntry } from '#trust/ledger/read.ts'
import { draft, emptyDisk, intent, KEYS, openOn, outcome, readAll } from './ledger_fixture.ts'
import { edited, oddLeaf, oddNumber, OPENINGS, textEdits, type TextEdit } from './odd_ledger_texts.ts'
import {
  headText,
  judgeCheckpoint,
  judgeConsistency,
  JudgedLog,
  judgeInclusion,
  judgeKey,
  judgeLeaf,
  judgeSignature,
  type Judgement,
} from './two_judges.ts'
import { verifier } from './verifier.ts'

/** The same in every run, and in the title of each test. */
const SEED = 20_260_722

/** What is made and judged of one kind, where it should be as likely as not that it is accepted. */
interface Kind<Made> {
  readonly what: string
  readonly made: fc.Arbitrary<Made>
  readonly judge: (made: Made) => Judgement | Promise<Judgement>
  /** Parts of the runs: some cost a signature, a file or a log. */
  readonly share?: number
}

/**
 * Tests that both verifiers judge the same things alike. What differs on purpose is not made here:
 * - of several kinds of keys of a log the verifier wants a line of each, because whoever could forge one kind would leave the
 *   others out; `openCheckpoint` takes any, and `verifyLedger` reports those that are missing;
 * - entries behind the checkpoint are in the home alone: an export has what is signed;
 * - files of a home and of an export have other forms: what damage of each comes to is in the tamper table.
 */
export async function testSameJudgement(runs: number): Promise<void> {
  const log = await JudgedLog.make()
  after(() => log.remove())
  const entries = await someEntries()
  testAlike(runs, ofLeaves(entries))
  testAlike(runs, ofKeys(log))
  testAlike(runs, ofCheckpoints(log))
  testAlike(runs, ofSignatures(log))
  testAlike(runs, ofInclusion())
  testAlike(runs, ofConsistency())
  testAlike(runs, ofReceipts(log, entries))
  testAlike(runs, ofReceiptsOfLargeLogs(log, entries))
  testAlike(runs, ofLogs(log, entries))
}

function testAlike<Made>(runs: number, { what, made, judge, share = 1 }: Kind<Made>): void {
  const numRuns = Math.ceil(runs * share)
  test(`both verifiers judge alike: ${numRuns} ${what}, seed ${SEED}`, async () => {
    const verdicts = { accepted: 0, refused: 0 }
    const property = fc.asyncProperty(made, async (each) => {
      const { src, verifier: by } = await judge(each)
      assert.equal(by, src, `Gatehouse says ${src}, the verifier says ${by}`)
      verdicts[src ? 'accepted' : 'refused'] += 1
    })
    await fc.assert(property, { seed: SEED, numRuns })
    // Else it would be of no use that they agree.
    for (const count of Object.values(verdicts)) assert.ok(count > numRuns / 20, JSON.stringify(verdicts))
  })
}

/** One of each kind of entry, and what they disclose. */
async function someEntries(): Promise<readonly ReadEntry[]> {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const first = intent(1)
  const drafts = [
    first,
    outcome(first, 1),
    draft('refusal', {
      stage: 'decide',
      code: 'caller.denied',
      errors: ['e'],
      asked: 'x',
      reason: 'é\u2028"',
    }),
    draft('change', { what: 'limits', before: { cost: 1.5 }, after: [null, { a: ['b'] }] }),
    draft('digest', { block: '10.0.0.0/24', count: 7, from: 1, to: 2 }),
    draft('note', { what: 'w'.repeat(5_000), asked: null }),
  ]
  for (const each of drafts) await ledger.append(each)
  await ledger.close()
  return await readAll(files, { sidecarKey: KEYS.sidecarKey })
}

function ofLeaves(entries: readonly ReadEntry[]): Kind<Uint8Array> {
  const made = fc.oneof(...entries.map(({ bytes }) => oddLeaf(parseLeaf(bytes))))
  return { what: 'leaves', made, judge: judgeLeaf, share: 4 }
}

/** One of some texts, edited. */
interface Edited {
  readonly of: number
  readonly edits: readonly TextEdit[]
}

function textOf(texts: readonly string[], { of, edits }: Edited): string {
  return edited(texts[of % texts.length] ?? '', edits)
}

function ofKeys({ key, mlDsaKey }: JudgedLog): Kind<Edited & { readonly use: 'key' | 'witness' }> {
  const made = fc.record({
    of: fc.nat(1),
    edits: textEdits,
    use: fc.constantFrom('key' as const, 'witness' as const),
  })
  return { what: 'keys', made, judge: ({ use, ...text }) => judgeKey(textOf([key, mlDsaKey], text), use) }
}

const ROOT = sha256(Buffer.of(1))
const numbers = fc.record({ text: oddNumber, more: fc.constantFrom('', 'more\n', '\u007f\u0085\n', '\n') })

interface OddNote extends Edited {
  readonly head: { readonly text: string; readonly more: string }
  readonly lines: number
}
const oddNote = fc.record({
  head: numbers,
  of: fc.nat(1),
  edits: textEdits,
  lines: fc.constantFrom(1, 1, 1, 2, 64, 65),
})

async function noteOf(log: JudgedLog, { head, lines }: OddNote, signer: NoteSigner): Promise<string> {
  const note = await signNote(
    headText({ origin: log.origin, root: ROOT }, head.text) + head.more,
    [signer],
    0,
  )
  const stranger = `\u2014 x ${toBase64(Buffer.alloc(68))}\n`
  return note + stranger.repeat(lines - 1)
}

function ofCheckpoints(log: JudgedLog): Kind<OddNote> {
  const judge = async (odd: OddNote): Promise<Judgement> =>
    judgeCheckpoint(edited(await noteOf(log, odd, log.signer), odd.edits))
  return { what: 'checkpoints', made: oddNote, judge }
}

/** Times of signatures in milliseconds, up to and beyond those that a date can show. */
const TIMES = [0, 1_700_000_000_000, 253_402_300_799_000, 253_402_300_800_000, Number.MAX_SAFE_INTEGER]

function ofSignatures(log: JudgedLog): Kind<OddNote & { readonly at: number; readonly isTwice: boolean }> {
  const made = fc.record({
    head: fc.record({
      text: fc.constantFrom('0', '1', '9007199254740991'),
      more: fc.constantFrom('', 'more\n', '\u007f\u0085\n'),
    }),
    of: fc.nat(1),
    edits: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: textEdits }),
    lines: fc.constant(1),
    at: fc.constantFrom(...TIMES),
    isTwice: fc.boolean(),
  })
  const judge = async (odd: OddNote & { at: number; isTwice: boolean }): Promise<Judgement> => {
    const signer = odd.of === 0 ? log.signer : log.mlDsaSigner
    const text = headText({ origin: log.origin, root: ROOT }, odd.head.text) + odd.head.more
    const note = await signNote(text, odd.isTwice ? [signer, signer] : [signer], odd.at)
    return judgeSignature(edited(note, odd.edits), odd.of === 0 ? log.key : log.mlDsaKey)
  }
  return { what: 'signatures', made, judge, share: 0.5 }
}

const hash = fc.nat(3).map((byte) => sha256(Buffer.of(byte)))
const wild = fc.oneof(
  fc.integer({ min: 0, max: 20 }),
  fc.constantFrom(
    -1,
    0.5,
    1.5,
    Number.NaN,
    Infinity,
    2 ** 53 - 2,
    2 ** 53 - 1,
    2 ** 53,
    2 ** 60,
    2 ** 32,
    1e15,
  ),
)

/** A root to which a proof leads, whatever is proven: the verifier works it out. */
function rootBy(work: () => Uint8Array): Uint8Array {
  try {
    return work()
  } catch {
    return ROOT
  }
}

function lengthOf(ranges: () => readonly unknown[]): number {
  try {
    return ranges().length
  } catch {
    return 0
  }
}

interface OddProof {
  readonly one: number
  readonly two: number
  readonly more: number
  readonly hashes: readonly Uint8Array[]
}
const oddProof = fc.record({
  one: wild,
  two: wild,
  more: fc.constantFrom(0, 0, 0, 1, -1),
  hashes: fc.array(hash, { minLength: 66, maxLength: 66 }),
})

function ofInclusion(): Kind<OddProof> {
  const judge = ({ one, two, more, hashes }: OddProof): Judgement => {
    const [index, size] = one < two ? [one, two] : [two, one]
    const isSafe = Number.isSafeInteger(index) && Number.isSafeInteger(size)
    const count = isSafe ? lengthOf(() => inclusionRanges(index, size)) : 1
    const proof = hashes.slice(0, Math.max(0, count + more))
    const root = rootBy(() => verifier.inclusionRoot(index, size, ROOT, proof))
    return judgeInclusion({ index, size, leafHash: ROOT, root, proof })
  }
  return { what: 'proofs of inclusion', made: oddProof, judge }
}

function ofConsistency(): Kind<OddProof> {
  const judge = ({ one, two, more, hashes }: OddProof): Judgement => {
    const [first, second] = one < two ? [one, two] : [two, one]
    const isSafe = Number.isSafeInteger(first) && Number.isSafeInteger(second)
    const count = isSafe ? lengthOf(() => consistencyRanges(first, second)) : 1
    const proof = hashes.slice(0, Math.max(0, count + more))
    // Where the old tree is a node of the new one its root is free, else the proof says what it is.
    const before = rootBy(() => verifier.consistencyRoots(first, second, ROOT, proof)[0])
    const secondRoot = rootBy(() => verifier.consistencyRoots(first, second, before, proof)[1])
    return judgeConsistency({ first, second, firstRoot: before, secondRoot, proof })
  }
  return { what: 'proofs of consistency', made: oddProof, judge }
}

interface ReceiptParts {
  readonly leaf: Uint8Array
  readonly opened: JsonValue | undefined
  readonly index: string
  readonly hashes: readonly Uint8Array[]
  readonly note: string
}

function receiptOf({ leaf, opened, index, hashes, note }: ReceiptParts): string {
  const entry = `gatehouse receipt v1\nentry ${Buffer.from(leaf).toString('utf8')}\n`
  const open = opened === undefined ? '' : `open ${canonicalJson(opened)}\n`
  const proof = `c2sp.org/tlog-proof@v1\nindex ${index}\n${hashes.map((each) => `${toBase64(each)}\n`).join('')}`
  return `${entry}${open}${proof}\n${note}`
}

/** What an entry discloses, as it stands in a receipt. */
function openedOf({ opened = {} }: ReadEntry): JsonObject {
  const values = Object.entries(opened).map(([name, { value, salt }]) => [
    name,
    { value, salt: toBase64Url(salt) },
  ])
  return Object.fromEntries(values) as JsonObject
}

/** The leaf of an entry as it is, or an odd one in its place. */
function leafOf({ bytes }: ReadEntry): fc.Arbitrary<Uint8Array> {
  return fc.oneof(
    { weight: 2, arbitrary: fc.constant(bytes) },
    { weight: 1, arbitrary: oddLeaf(parseLeaf(bytes)) },
  )
}

const someEdits = fc.oneof({ weight: 1, arbitrary: fc.constant([]) }, { weight: 2, arbitrary: textEdits })

interface OddReceipt {
  readonly at: number
  readonly leaf: Uint8Array
  readonly opening: (opened: JsonObject) => JsonValue | undefined
  readonly size: number
  readonly edits: readonly TextEdit[]
}

function ofReceipts(log: JudgedLog, entries: readonly ReadEntry[]): Kind<OddReceipt> {
  const made = fc.oneof(
    ...entries.map((entry, at) =>
      fc.record({
        at: fc.constant(at),
        leaf: leafOf(entry),
        opening: fc.constantFrom(...OPENINGS),
        size: fc.integer({ min: at + 1, max: entries.length }),
        edits: someEdits,
      }),
    ),
  )
  const judge = async ({ at, leaf, opening, size, edits }: OddReceipt): Promise<Judgement> => {
    const hashes = entries.slice(0, size).map(({ bytes }, place) => leafHash(place === at ? leaf : bytes))
    const note = await signed(log, size, rootOf(hashes))
    const proof = inclusionRanges(at, size).map((range) => rangeRoot(hashes, range))
    const opened = opening(openedOf(entries[at] ?? assert.fail()))
    return log.judgeReceipts(
      edited(receiptOf({ leaf, opened, index: String(at), hashes: proof, note }), edits),
    )
  }
  return { what: 'receipts', made, judge, share: 2 }
}

async function signed(log: JudgedLog, size: number | string, root: Uint8Array): Promise<string> {
  return await signNote(headText({ origin: log.origin, root }, String(size)), [log.signer], 0)
}

/** Indexes and sizes up to and beyond what numbers hold. */
function ofReceiptsOfLargeLogs(
  log: JudgedLog,
  [entry = assert.fail()]: readonly ReadEntry[],
): Kind<readonly [index: string, size: string, more: number]> {
  const made = fc.tuple(oddNumber, oddNumber, fc.constantFrom(0, 0, 0, 1, -1))
  const judge = async ([one, two, more]: readonly [string, string, number]): Promise<Judgement> => {
    const [index, size] = Number(one) < Number(two) ? [one, two] : [two, one]
    const [at = 0, end = 1] = [parseSize(index), parseSize(size)]
    const count = lengthOf(() => inclusionRanges(at, end)) + more
    const hashes = Array.from({ length: Math.max(0, count) }, (_, place) => sha256(Buffer.of(place)))
    const root = rootBy(() => verifier.inclusionRoot(at, end, leafHash(entry.bytes), hashes))
    const note = await signed(log, size, root)
    return log.judgeReceipts(receiptOf({ leaf: entry.bytes, opened: undefined, index, hashes, note }))
  }
  return { what: 'receipts of large logs', made, judge }
}

type LeavesEdit = (leaves: readonly Uint8Array[], odd: Uint8Array, at: number) => readonly Uint8Array[]
const LEAVES_EDITS: readonly LeavesEdit[] = [
  (leaves) => leaves,
  (leaves, odd, at) => leaves.with(at, odd),
  (leaves, _odd, at) => leaves.toSpliced(at, 1),
  (leaves, _odd, at) => leaves.toSpliced(at, 0, leaves[at] ?? assert.fail()),
  (leaves, _odd, at) => leaves.toSpliced(at, 2, ...leaves.slice(at, at + 2).toReversed()),
  (leaves, _odd, at) => leaves.slice(0, at),
  (leaves, _odd, at) => leaves.with(at, leaves[at]?.subarray(0, -1) ?? assert.fail()),
  (leaves, _odd, at) => leaves.with(at, new Uint8Array(0)),
]

interface OddLog {
  readonly edit: LeavesEdit
  readonly odd: Uint8Array
  readonly at: number
  /** Whether who edits has the key of the log. */
  readonly isSigned: boolean
  readonly note: readonly TextEdit[]
  /** So many entries are signed, or all. */
  readonly covers: number | undefined
}

function ofLogs(log: JudgedLog, entries: readonly ReadEntry[]): Kind<OddLog> {
  const all = entries.map(({ bytes }) => bytes)
  const odd = fc.oneof(...entries.map(({ bytes }) => oddLeaf(parseLeaf(bytes))))
  const made = fc.record({
    edit: fc.constantFrom(...LEAVES_EDITS),
    // A bundle has two bytes for the length of an entry.
    odd: odd.filter(({ length }) => length <= LIMITS.leafBytes),
    at: fc.nat(all.length - 1),
    isSigned: fc.constantFrom(true, true, false),
    note: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: textEdits }),
    covers: fc.option(fc.nat(all.length), { nil: undefined }),
  })
  const judge = async ({ edit, odd: leaf, at, isSigned, note, covers }: OddLog): Promise<Judgement> => {
    const leaves = edit(all, leaf, at)
    const covered = (isSigned ? leaves : all).slice(0, covers)
    const text = await signed(log, covered.length, rootOf(covered.map(leafHash)))
    // What stands behind the checkpoint is in the home alone, and is looked at there.
    return await log.judgeLog(leaves.slice(0, covered.length), edited(text, note))
  }
  return { what: 'logs', made, judge, share: 0.5 }
}
