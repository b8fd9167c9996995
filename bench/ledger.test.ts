import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { randomBytes } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { newEntryId } from '#base/ids.ts'
import type { EntryDraft } from '#base/recorder.ts'
import { makeLeaf } from '#trust/ledger/leaf.ts'
import { pseudonymOf } from '#trust/ledger/pseudonym.ts'
import {
  countingFiles,
  LEAF_BYTES,
  newKeys,
  readKeys,
  wideIntent,
  wideOutcome,
  writeKeys,
} from './ledger_entries.ts'
import { benchLedger } from './ledger.ts'
import { drawLedger } from './ledger_report.ts'

test('benchLedger measures appends beside the disk, and one log at each size', async () => {
  const before = leftovers()
  const sizes = [700, 9_000]
  const short = { rounds: 1, seconds: 0.2, requests: 400, producers: [1, 64], say: () => undefined }
  const report = await benchLedger({ ...short, sizes })
  assert.deepEqual(Object.keys(report.appends), ['1', '64'])
  for (const rate of [...Object.values(report.appends), report.while_sealing]) {
    assert.ok(rate.per_s > 0 && rate.disk.per_s > 0 && rate.p50_us > 0 && rate.p99_us >= rate.p50_us)
    assert.ok(rate.entries_per_group >= 0.9, 'each entry is in a group')
    assert.ok(rate.group_bytes > rate.entries_per_group * LEAF_BYTES, 'a group holds its leaves')
    assert.ok(rate.provable.p50_ms * 1_000 > rate.p50_us, 'what is not on disk is not signed')
  }
  assert.ok((report.appends['64']?.entries_per_group ?? 0) > 16, 'producers share groups')
  assert.deepEqual(
    report.sizes.map(({ entries }) => entries),
    sizes,
  )
  for (const { verify, inclusion, consistency, start_ms: startMs } of report.sizes) {
    assert.ok(startMs > 0 && inclusion.p50_us > 0 && consistency.p50_us > 0)
    assert.ok(verify.floor.hashes_per_s > verify.with_secrets.hashes_per_s, 'hashing alone is the floor')
    assert.ok(Object.values(verify.steps_us).every((us) => us > 0))
  }
  assert.equal(report.bars.length, 8)
  assert.equal(
    report.within_bars,
    report.bars.every((bar) => bar.is_met),
  )
  assert.match(drawLedger(report), /a quiet ledger: provable after \d+ ms[^]+verify, hashes\/s of a core/)
  assert.deepEqual(leftovers(), before)
})

function leftovers(): readonly string[] {
  return fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith('gatehouse-ledger-'))
}

test('wideIntent makes leaves of the size that is asked for, whatever its id', () => {
  for (let at = 0; at < 100; at += 1) {
    const leafOf = (draft: EntryDraft): Uint8Array =>
      makeLeaf(draft, randomBytes(32), (value) => pseudonymOf(randomBytes(32), value)).bytes
    assert.equal(leafOf(wideIntent()).length, LEAF_BYTES)
    assert.equal(leafOf(wideOutcome(newEntryId())).length, LEAF_BYTES + 1)
  }
})

test('countingFiles counts groups by where the next one begins: not the room behind them', async (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-count-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const count = { groups: 0, bytes: 0, measured: 0 }
  const files = countingFiles(count)
  const file = await files.openForWriting(path.join(folder, 'a.raw'))
  for (const at of [0, 10, 30]) await file.write(new Uint8Array(500), at)
  await file.close()
  const other = await files.openForWriting(path.join(folder, 'a.tmp'))
  await other.write(new Uint8Array(500), 0)
  await other.close()
  assert.deepEqual(count, { groups: 3, bytes: 30, measured: 2 })
  assert.equal((await NODE_FILES.facts(path.join(folder, 'a.raw')))?.bytes, 530)
})

test('readKeys gives back what writeKeys wrote, for its owner alone', (t) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-keys-'))
  t.after(() => fs.rmSync(folder, { recursive: true }))
  const file = path.join(folder, 'keys.json')
  const keys = newKeys()
  writeKeys(file, keys)
  const hex = ({ sidecarKey, pseudonymKey, ...pems }: typeof keys): object => {
    return { ...pems, keys: [sidecarKey, pseudonymKey].map((key) => Buffer.from(key).toString('hex')) }
  }
  assert.deepEqual(hex(readKeys(file)), hex(keys))
  assert.equal(fs.statSync(file).mode & 0o777, 0o600)
})
