import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
  PUBLIC_KEY,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import { faultCode } from '../../../test/support/admin_bench.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { openCheckpoint, signCheckpoint } from './checkpoint.ts'
import { ed25519Cosigner } from './cosignature.ts'
import { verifyDisclosure } from './commitment.ts'
import { FILE, segmentPath } from './layout.ts'
import { parseLeaf } from './leaf.ts'
import { CompactRange, leafHash } from './merkle.ts'
import { noteSigner, noteVerifier } from './note.ts'
import { verifyInclusion } from './proof.ts'
import type { ReadEntry } from './read.ts'
import { parseReceipts, printReceipt, type EntryReceipt } from './receipt.ts'
import { ReceiptMaker } from './receipt_maker.ts'
import { TiledLogs } from './tiled_logs.ts'

const ALL = (): boolean => true

/** A ledger of five entries, of which the first `signed` are under its checkpoint. */
async function ledgerOf(signed: number): Promise<{ files: SimulatedFiles; entries: readonly ReadEntry[] }> {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  for (let at = 0; at < 5; at++) {
    if (at === signed) await ledger.checkpoint()
    await ledger.append(at % 2 === 0 ? intent(at) : outcome(intent(at - 1), at))
  }
  if (signed === 5) await ledger.checkpoint()
  return { files, entries: await readAll(files, { sidecarKey: KEYS.sidecarKey }) }
}

async function receiptsOf(
  files: SimulatedFiles,
  entries: readonly ReadEntry[],
  mayShow: (name: string) => boolean = ALL,
): Promise<readonly EntryReceipt[]> {
  const text = await new ReceiptMaker(files, new TiledLogs(files, LEDGER)).receiptsOf(entries, mayShow)
  return parseReceipts(text ?? assert.fail('nothing covers them')) ?? assert.fail('no receipts')
}

test('ReceiptMaker proves each entry under the newest checkpoint', async () => {
  const { files, entries } = await ledgerOf(5)
  const { origin } = await newestFolder(files)
  const receipts = await receiptsOf(files, entries)
  assert.equal(receipts.length, 5)
  for (const [at, { leaf, proof, disclosed }] of receipts.entries()) {
    const head = openCheckpoint(proof.checkpoint, noteVerifier(origin, PUBLIC_KEY)) ?? assert.fail()
    assert.deepEqual([proof.index, head.size], [at, 5])
    const { index, hashes } = proof
    assert.ok(
      verifyInclusion({ index, size: 5, leafHash: leafHash(leaf), root: head.root, proof: hashes }),
      `${at}`,
    )
    assert.ok(Object.keys(disclosed).length > 0)
    for (const [name, { value, salt }] of Object.entries(disclosed))
      assert.ok(verifyDisclosure(parseLeaf(leaf), name, value, salt), name)
  }
})

test('ReceiptMaker discloses what may be shown and nothing else', async () => {
  const { files, entries } = await ledgerOf(5)
  const [receipt] = await receiptsOf(files, entries.slice(0, 1), (name) => name === 'address')
  assert.deepEqual(Object.keys(receipt?.disclosed ?? {}), ['address'])
  const [bare] = await receiptsOf(files, entries.slice(0, 1), () => false)
  assert.deepEqual(bare?.disclosed, {})
  // Shredded, or read without the key.
  const [unopened] = await receiptsOf(files, [{ ...(entries[0] ?? assert.fail()), opened: undefined }])
  assert.deepEqual(unopened?.disclosed, {})
})

test('ReceiptMaker has nothing to give: until a checkpoint covers the last of the entries', async () => {
  const { files, entries } = await ledgerOf(3)
  const maker = new ReceiptMaker(files, new TiledLogs(files, LEDGER))
  assert.equal(await maker.receiptsOf(entries.slice(2, 4), ALL), undefined)
  assert.equal((await receiptsOf(files, entries.slice(0, 3))).length, 3)
})

test('ReceiptMaker takes what witnesses have cosigned, where it covers the entries', async () => {
  const { files, entries } = await ledgerOf(5)
  const folder = await newestFolder(files)
  const range = new CompactRange()
  for (const { bytes } of entries.slice(0, 3)) range.append(leafHash(bytes))
  const head = { origin: folder.origin, size: 3, root: range.root() }
  const signers = [noteSigner(folder.origin, KEYS.signingPem), ed25519Cosigner('w.example', newEd25519Pem())]
  const cosigned = await signCheckpoint(head, signers, 1_000)
  files.tamper(`${folder.path}/${FILE.cosigned}`, utf8(cosigned))
  const sizeOf = async (from: number, to: number): Promise<string[]> =>
    (await receiptsOf(files, entries.slice(from, to))).map(
      ({ proof }) => proof.checkpoint.split('\n')[1] ?? '',
    )
  assert.deepEqual(await sizeOf(0, 3), ['3', '3', '3'])
  assert.deepEqual(await sizeOf(2, 4), ['5', '5'])
  files.tamper(`${folder.path}/${FILE.cosigned}`, utf8('damaged'))
  assert.deepEqual(await sizeOf(0, 1), ['5'])
  // The log was set back behind it, or is another one since.
  for (const lost of [
    { ...head, size: 9 },
    { ...head, size: 4 },
  ]) {
    files.tamper(`${folder.path}/${FILE.cosigned}`, utf8(await signCheckpoint(lost, signers, 1_000)))
    assert.deepEqual(await sizeOf(0, 1), ['5'], `${lost.size}`)
  }
})

test('ReceiptMaker gives out nothing that does not hold: an entry, or a log, that is another one', async () => {
  const { files, entries } = await ledgerOf(5)
  const maker = new ReceiptMaker(files, new TiledLogs(files, LEDGER))
  const [first = assert.fail()] = entries
  const changed = { ...first, bytes: utf8('{}') }
  const foreign = { ...first, origin: 'gatehouse.local/0000000000000000' }
  for (const entry of [changed, foreign])
    assert.equal(await faultCode(() => maker.receiptsOf([entry], ALL)), 'ledger.corrupt')
  const folder = await newestFolder(files)
  files.tamper(segmentPath(folder, 0, 'raw'), undefined)
  assert.equal(
    await faultCode(() => new ReceiptMaker(files, new TiledLogs(files, LEDGER)).receiptsOf([first], ALL)),
    'ledger.corrupt',
  )
})

test('a receipt has 1.5 KB at most beside its entry: in a log of a million, cosigned by two witnesses', async () => {
  const origin = 'gatehouse.local/0123456789abcdef'
  const head = { origin, size: 2 ** 20, root: Buffer.alloc(32, 7) }
  const names = ['witness.example.com/one', 'witness.example.com/two']
  const witnesses = names.map((name) => ed25519Cosigner(name, newEd25519Pem()))
  const checkpoint = await signCheckpoint(head, [noteSigner(origin, newEd25519Pem()), ...witnesses], 1_000)
  const proof = {
    index: 2 ** 20 - 1,
    hashes: Array.from({ length: 20 }, () => Buffer.alloc(32, 9)),
    checkpoint,
  }
  const leaf = utf8('{}')
  const text = printReceipt({ leaf, disclosed: {}, proof })
  const beside = Buffer.byteLength(text) - leaf.length
  assert.ok(beside <= 1_536, `${beside} bytes`)
  assert.ok(beside > 1_300, `${beside} bytes: the page says 1.4 KB`)
})
