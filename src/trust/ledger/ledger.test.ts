import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { utf8 } from '#base/bytes.ts'
import { SYSTEM_CLOCK } from '#base/clock.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { NODE_FILES } from '#base/files.ts'
import { LIMITS } from '#base/limits.ts'
import {
  draft,
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  outcome,
  PUBLIC_KEY,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles, Step } from '../../../test/support/simulated_files.ts'
import { openCheckpoint } from './checkpoint.ts'
import { openLedger, type Ledger } from './ledger.ts'
import { leafHash } from './merkle.ts'
import { noteVerifier } from './note.ts'
import { scanSegment } from './raw_segment.ts'
import { verifyLedger } from './verify.ts'

const RESERVED = { reserved: true }

test('append answers with the place of the entry: log, index and leaf hash', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  const receipts = await Promise.all([0, 1, 2].map((at) => ledger.append(intent(at))))
  const entries = await readAll(files)
  assert.deepEqual(
    receipts.map(({ origin, index, leafHash }) => [origin, index, Buffer.from(leafHash)]),
    entries.map(({ index, bytes }) => [ledger.origin, index, Buffer.from(leafHash(bytes))]),
  )
  assert.equal(ledger.size, 3)
  await ledger.close()
})

test('append writes once and syncs once for all that waits: group commit', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.settled()
  files.steps.length = 0
  await Promise.all(Array.from({ length: 50 }, (_, at) => ledger.append(intent(at))))
  assert.deepEqual(segmentSteps(files), ['write', 'datasync'])
  await ledger.close()
})

test('append shares one sync with what the next turns of the event loop bring: as long as each brings more', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await Promise.all([10, 11, 12].map((at) => ledger.append(intent(at))))
  await ledger.settled()
  files.steps.length = 0
  const appended: Promise<unknown>[] = []
  for (let at = 0; at < 5; at++) {
    // What comes from the network comes in a turn before whoever waits for its end.
    const turn = nextTurn()
    appended.push(ledger.append(intent(at)))
    await turn
  }
  for (let quiet = 0; quiet < 3; quiet++) await nextTurn()
  appended.push(ledger.append(intent(5)))
  await Promise.all(appended)
  assert.deepEqual(segmentSteps(files), ['write', 'datasync', 'write', 'datasync'])
  await ledger.close()
})

test('append waits for no turn of the event loop on a quiet ledger: the last group was of one request', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await Promise.all([ledger.append(intent(0)), ledger.append(intent(1))])
  await ledger.settled()
  files.steps.length = 0
  // Asked for before the entry is, so that it comes before any turn that the ledger would wait for.
  const turn = nextTurn()
  const appended = ledger.append(intent(2))
  await turn
  assert.deepEqual(segmentSteps(files).slice(0, 1), ['write'])
  await appended
  await ledger.close()
})

test('append starts a group with what waits: when it is enough, others may still come', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await Promise.all([10, 11, 12].map((at) => ledger.append(intent(at))))
  await ledger.settled()
  files.steps.length = 0
  const progress = { isWritten: false, turns: 0 }
  const appended: Promise<unknown>[] = []
  for (; !progress.isWritten && progress.turns < 100; progress.turns++) {
    const turn = nextTurn()
    appended.push(ledger.append(intent(progress.turns)).then(() => (progress.isWritten = true)))
    await turn
  }
  assert.ok(progress.turns < 20, `${progress.turns} turns brought an entry each`)
  await Promise.all(appended)
  await ledger.close()
})

test('append answers only after the sync: not after the write', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.settled()
  await ledger.append(intent(1))
  let answered = false
  const order: string[] = []
  files.judge = (step) => {
    if (isOfSegment(step)) order.push(`${step.kind} ${answered}`)
    return 'go'
  }
  await ledger.append(intent(2)).then(() => (answered = true))
  assert.deepEqual(order, ['write false', 'datasync false'])
  await ledger.close()
})

test('append refuses a draft that makes no leaf: and goes on', async () => {
  const ledger = await openOn(await emptyDisk())
  await assert.rejects(ledger.append({ ...intent(1), id: 'short' }), { code: 'internal.bug' })
  await assert.rejects(ledger.append(draft('note', { ms: Number.NaN })), { code: 'internal.bug' })
  await ledger.append(intent(1))
  await ledger.close()
})

test('append refuses beyond the queue: the last part is for reserved entries', async () => {
  const ledger = await openOn(await emptyDisk())
  const big = { policies: Array.from({ length: 50 }, (_, at) => `${at}${'x'.repeat(1_000)}`) }
  const all = Array.from({ length: 200 }, () => ledger.append(draft('note', big)))
  const reserved = Array.from({ length: 40 }, () => ledger.append({ ...draft('note', big), ...RESERVED }))
  const [results, reservedResults] = await Promise.all([
    Promise.allSettled(all),
    Promise.allSettled(reserved),
  ])
  const accepted = results.filter((each) => each.status === 'fulfilled').length
  const most = (LIMITS.ledgerQueueBytes - LIMITS.ledgerReservedQueueBytes) / 50_000
  assert.ok(accepted > most * 0.9 && accepted < most, `${accepted} ordinary entries`)
  const refused = results.find((each) => each.status === 'rejected')
  assert.equal(refused?.reason.code, 'ledger.unwritable')
  const more = reservedResults.filter((each) => each.status === 'fulfilled').length
  assert.ok(more > 15 && more < 22, `${more} reserved entries`)
  await ledger.close()
})

test('onRecorded is told of each entry in the turn in which it counts as one, and of none that was not written', async () => {
  const files = await emptyDisk()
  const told: string[] = []
  let isAlwaysCounted = true
  const ledger: Ledger = await openOn(files, {
    onRecorded: ({ kind }) => {
      told.push(kind)
      isAlwaysCounted &&= ledger.size >= told.length
    },
  })
  const first = intent(1)
  await ledger.append(first)
  ledger.appendLater(() => outcome(first, 1))
  ledger.appendLater(() => ({ ...intent(2), id: 'short' }))
  await Promise.resolve()
  assert.deepEqual(told, ['intent'], 'whoever waited for it went first, but in the same turn')
  await ledger.append(intent(3)).catch(() => undefined)
  await ledger.append(intent(4))
  await ledger.close()
  const kinds = (await readAll(files)).map(({ leaf }) => leaf['kind'])
  assert.deepEqual(told, kinds)
  assert.deepEqual([told.includes('outcome'), told.includes('note'), isAlwaysCounted], [true, true, true])
})

test('appendLater never throws: what it lost shows at the next append, once', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  ledger.appendLater(() => intent(1))
  await ledger.append(intent(2))
  assert.equal(ledger.size, 2)
  ledger.appendLater(() => ({ ...intent(1), id: 'short' }))
  await assert.rejects(ledger.append(intent(3)), { code: 'internal.bug' })
  await ledger.append(intent(3))
  const tried = Promise.withResolvers<void>()
  files.judge = (step) => {
    // A checkpoint may be due at the same time.
    if (step.kind !== 'write' || !step.path.endsWith('.raw')) return 'go'
    tried.resolve()
    return { code: 'EIO' }
  }
  ledger.appendLater(() => intent(4))
  await tried.promise
  files.judge = () => 'go'
  await assert.rejects(ledger.append(intent(5)), { code: 'ledger.unwritable' })
  await assert.rejects(ledger.append(intent(5)), { code: 'ledger.unwritable' })
})

test('append of a reserved entry goes on after a loss: who revokes a key on a full disk is not told of it', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  ledger.appendLater(() => ({ ...intent(1), id: 'short' }))
  await ledger.append({ ...intent(2), reserved: true })
  await assert.rejects(ledger.append(intent(3)), { code: 'internal.bug' })
  await ledger.append(intent(3))
  await ledger.close()
})

for (const kind of ['write', 'datasync'] as const)
  test(`append refuses for good after a failed ${kind}: until the ledger is opened anew`, async () => {
    const files = await emptyDisk()
    const ledger = await openOn(files)
    await ledger.append(intent(1))
    files.judge = (step) => (step.kind === kind ? { code: 'EIO' } : 'go')
    await assert.rejects(ledger.append(intent(2)), { code: 'ledger.unwritable' })
    files.judge = () => 'go'
    for (const each of [intent(3), { ...intent(3), ...RESERVED }])
      await assert.rejects(ledger.append(each), { code: 'ledger.unwritable' })
    assert.equal(ledger.state().writable.kind, 'no')
    const again = await openOn(files.reopen('lost'))
    await again.append(intent(4))
    assert.equal(again.state().writable.kind, 'yes')
    await again.close()
  })

test('append refuses after close, and close can be called twice', async () => {
  const ledger = await openOn(await emptyDisk())
  await ledger.close()
  await ledger.close()
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  assert.equal(ledger.state().writable.kind, 'no')
})

test('append stops at the largest size: the last bytes are for reserved entries', async () => {
  const ledger = await openOn(await emptyDisk(), { maxBytes: 26_000, reserveBytes: 4_000 })
  const ordinary = await fill(ledger, {})
  const reserved = await fill(ledger, RESERVED)
  assert.ok(ordinary > 20 && ordinary < 35, `${ordinary} ordinary entries`)
  assert.ok(reserved >= 4 && reserved < 12, `${reserved} reserved entries`)
  assert.ok(ledger.state().bytes <= 26_000)
  await ledger.close()
})

test('append survives a full disk: reserved entries use the reserve, and it works again once there is room', async () => {
  const clock = new HandClock()
  const files = await emptyDisk()
  files.capacity = 300_000
  const ledger = await openOn(files, { clock, reserveBytes: 8_192 })
  await ledger.settled()
  files.capacity = usedBytes(files) + 10_000
  const ordinary = await fill(ledger, {})
  assert.ok(ordinary > 3, `${ordinary} ordinary entries`)
  assert.deepEqual(ledger.state().writable, { kind: 'no', reason: 'the disk is full' })
  const reserved = await fill(ledger, RESERVED)
  assert.ok(reserved > 3, `${reserved} reserved entries`)
  await tick(ledger, clock)
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  files.capacity = 400_000
  await tick(ledger, clock)
  await ledger.append(intent(2))
  assert.ok((await files.facts(`${LEDGER}/reserve`))?.bytes === 8_192, 'the reserve is back')
  await ledger.close()
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(report.problems, [])
  assert.equal(report.entries, ordinary + reserved + 1)
})

test('append keeps the reserved entries of a group that the disk refused', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { reserveBytes: 8_192 })
  await ledger.settled()
  files.capacity = usedBytes(files) + 100
  const mixed = await Promise.allSettled([
    ledger.append(intent(1)),
    ledger.append({ ...intent(2), ...RESERVED }),
    ledger.append(intent(3)),
  ])
  assert.deepEqual(
    mixed.map((each) => each.status),
    ['rejected', 'fulfilled', 'rejected'],
  )
  assert.equal(ledger.size, 1)
  await ledger.close()
})

test('append gives up the reserve for a reserved entry on a full disk, also where the entry itself would fit', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { reserveBytes: 8_192 })
  await ledger.settled()
  const held = usedBytes(files)
  files.capacity = held + 100
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  files.capacity = held + 4_000
  await ledger.append({ ...intent(2), ...RESERVED })
  assert.ok(usedBytes(files) < held, 'the act that is on record now has room too')
  await ledger.close()
})

test('append refuses for good: the disk is full and the torn write cannot be cut', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.settled()
  files.judge = (step) =>
    step.kind === 'write' ? { code: 'ENOSPC' } : step.kind === 'truncate' ? { code: 'EIO' } : 'go'
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  files.judge = () => 'go'
  await assert.rejects(ledger.append({ ...intent(1), ...RESERVED }), { code: 'ledger.unwritable' })
})

test('append goes on after a full disk that only the sync found: what it dropped is cut off, durably', async () => {
  const files = await emptyDisk()
  // With room a group is tried again without it.
  const ledger = await openOn(files, { roomBytes: 0 })
  await ledger.settled()
  await ledger.append(intent(1))
  let isFull = true
  files.judge = (step) => {
    // A checkpoint may be on its way too.
    if (step.kind !== 'datasync' || !step.path.endsWith('.raw') || !isFull) return 'go'
    isFull = false
    return { code: 'ENOSPC' }
  }
  await assert.rejects(ledger.append(intent(2)), { code: 'ledger.unwritable' })
  const { index } = await ledger.append({ ...intent(3), ...RESERVED }).catch(() => assert.fail('broken'))
  assert.equal(index, 1)
  const again = await openOn(files.reopen('lost'))
  assert.equal(again.size, 2)
  await again.close()
})

test('append refuses for good: the cut of a torn write cannot be synced', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.settled()
  files.judge = (step) =>
    step.kind === 'write' ? { code: 'ENOSPC' } : step.kind === 'datasync' ? { code: 'EIO' } : 'go'
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  files.judge = () => 'go'
  await assert.rejects(ledger.append({ ...intent(1), ...RESERVED }), { code: 'ledger.unwritable' })
})

test('append treats a disk that cannot be measured as full', async () => {
  const clock = new HandClock()
  const files = await emptyDisk()
  const ledger = await openOn(files, { clock })
  await ledger.settled()
  const measure = files.freeBytes.bind(files)
  files.freeBytes = () => Promise.reject(new Error('no'))
  await tick(ledger, clock)
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  files.freeBytes = measure
  await tick(ledger, clock)
  await ledger.append(intent(1))
  await ledger.close()
})

const HARMS: readonly [why: string, harm: (files: SimulatedFiles, name: string) => void][] = [
  ['removed', (files, name) => files.tamper(name, undefined)],
  ['cut', (files, name) => files.tamper(name, (files.all().get(name) ?? utf8('')).subarray(0, 100))],
  [
    'written by another',
    (files, name) => files.tamper(name, Buffer.concat([files.all().get(name) ?? utf8(''), utf8('x')])),
  ],
  [
    'replaced',
    (files, name) => {
      files.tamper(name, undefined)
      files.tamper(name, utf8('another file'))
    },
  ],
]

for (const [why, harm] of HARMS)
  test(`append refuses within a second: the open file was ${why}`, async () => {
    const clock = new HandClock()
    const files = await emptyDisk()
    const ledger = await openOn(files, { clock })
    await ledger.append(intent(1))
    harm(files, `${(await newestFolder(files)).path}/000000000000.raw`)
    clock.time += 1_000
    await assert.rejects(ledger.append(intent(2)), { code: 'ledger.unwritable' })
    assert.match(JSON.stringify(ledger.state().writable), /ledger file/)
  })

test('append lets the file grow by more than it needs, once for many entries: within the largest size', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { roomBytes: 20_000, maxBytes: 60_000, reserveBytes: 4_000 })
  const lengths = new Set<number>()
  const raw = `${(await newestFolder(files)).path}/000000000000.raw`
  for (let count = 0; ledger.state().writable.kind === 'yes'; count++) {
    await ledger.append(intent(count))
    lengths.add((await files.facts(raw))?.bytes ?? 0)
    assert.equal(ledger.state().bytes, usedBytes(files) - 4_000)
  }
  assert.ok(ledger.size > 40, `${ledger.size} entries`)
  assert.ok(lengths.size < 8, `the file grew ${lengths.size} times`)
  assert.ok(usedBytes(files) <= 60_000)
  await ledger.close()
  const again = await openOn(files)
  assert.equal(again.size, ledger.size, 'what is left of the room is no entry that was lost')
  await again.close()
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER, keys: KEYS })).problems, [])
})

test('append ends a segment at a whole bundle, and a covered segment is sealed', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  for (let at = 0; at < 6; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(at * 100 + each))))
  await ledger.checkpoint()
  await ledger.settled()
  const names = [...files.all().keys()]
    .filter((name) => /[0-9]\./.test(name))
    .map((name) => name.slice(name.lastIndexOf('/') + 1))
  assert.deepEqual(names.sort(), [
    '000000000000.leaves',
    '000000000000.sidecar',
    '000000000256.leaves',
    '000000000256.sidecar',
    '000000000512.raw',
  ])
  const total = [...files.all()]
    .filter(([name]) => !name.endsWith('reserve'))
    .reduce((sum, [, bytes]) => sum + bytes.length, 0)
  await ledger.close()
  assert.ok(Math.abs(ledger.state().bytes - total) < 300, 'the books on bytes are right')
  assert.equal((await readAll(files)).length, 600)
})

test('append goes on in the old segment: a new one finds no room', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  await ledger.settled()
  files.judge = (step) =>
    step.kind === 'create' && step.path.endsWith('.raw.tmp') ? { code: 'ENOSPC' } : 'go'
  for (let at = 0; at < 3; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(each))))
  assert.equal(ledger.size, 300)
  files.judge = () => 'go'
  for (let at = 0; at < 3; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(each))))
  await ledger.close()
  assert.ok(files.all().has(`${(await newestFolder(files)).path}/000000000512.raw`))
  assert.equal((await verifyLedger({ files, directory: LEDGER })).ok, true)
})

test('append goes on in the old segment: the folder became read-only, and says so until it is not', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  await ledger.settled()
  files.judge = (step) => (step.kind === 'create' ? { code: 'EACCES' } : 'go')
  for (let at = 0; at < 3; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(each))))
  assert.match(ledger.state().problems.join(), /a new segment cannot be started: EACCES/)
  await assert.rejects(ledger.checkpoint(), { code: 'ledger.unwritable' })
  files.judge = () => 'go'
  await Promise.all(Array.from({ length: 212 }, (_, each) => ledger.append(intent(each))))
  await ledger.checkpoint()
  assert.deepEqual(ledger.state().problems, [])
  await ledger.close()
  assert.equal((await verifyLedger({ files, directory: LEDGER, keys: KEYS })).ok, true)
})

test('append refuses for good: starting a segment failed half-way', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  await ledger.settled()
  files.judge = (step) => (step.kind === 'syncDirectory' ? { code: 'EIO' } : 'go')
  await Promise.all(Array.from({ length: 256 }, (_, each) => ledger.append(intent(each))))
  await nextTurn()
  files.judge = () => 'go'
  await assert.rejects(ledger.append(intent(1)), { code: 'ledger.unwritable' })
  const again = await openOn(files.reopen('kept'), { segmentBytes: 10_000 })
  assert.equal(again.size, 256)
  await again.close()
})

test('state keeps a failed sealing as a problem: the raw file stays and is sealed later', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  files.judge = (step) => (step.path.includes('.leaves') ? { code: 'EIO' } : 'go')
  await Promise.all(Array.from({ length: 256 }, (_, each) => ledger.append(intent(each))))
  await ledger.checkpoint()
  await ledger.settled()
  assert.match(ledger.state().problems.join(), /cannot be sealed/)
  files.judge = () => 'go'
  await ledger.append(intent(1))
  await ledger.checkpoint()
  await ledger.settled()
  assert.deepEqual(ledger.state().problems, [])
  assert.ok(files.all().has(`${(await newestFolder(files)).path}/000000000000.leaves`))
  await ledger.close()
})

test('sealing passes over a damaged segment: those behind it are sealed, and the damage is told', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  files.judge = (step) => (step.path.includes('.leaves') ? { code: 'EIO' } : 'go')
  for (let at = 0; at < 6; at++)
    await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(intent(at * 100 + each))))
  await ledger.settled()
  const { path: folder } = await newestFolder(files)
  edit(files, `${folder}/000000000000.raw`, 200)
  files.judge = () => 'go'
  for (const number of [1, 2]) {
    await ledger.append(intent(number))
    await ledger.checkpoint()
    await ledger.settled()
    assert.ok(files.all().has(`${folder}/000000000256.leaves`), 'the segment behind it is sealed')
    assert.deepEqual(ledger.state().problems, ['segment 0 cannot be sealed: not whole'])
  }
  await ledger.close()
})

test('checkpoint signs what is on disk: once, and again only for new entries', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  const text = await ledger.checkpoint()
  const verifier = noteVerifier(ledger.origin, PUBLIC_KEY)
  assert.equal(openCheckpoint(text, verifier)?.size, 1)
  assert.equal(await ledger.checkpoint(), text)
  assert.equal(ledger.state().unsigned, 0)
  await ledger.append(intent(2))
  assert.equal(ledger.state().unsigned, 1)
  assert.equal(openCheckpoint(await ledger.checkpoint(), verifier)?.size, 2)
  await ledger.close()
})

test('checkpoint throws while the file cannot be written: appends go on', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  files.judge = (step) => (step.path.includes('checkpoint') ? { code: 'EIO' } : 'go')
  await assert.rejects(ledger.checkpoint(), { code: 'ledger.unwritable' })
  await ledger.append(intent(2))
  assert.match(ledger.state().problems.join(), /checkpoint cannot be written: EIO/)
  files.judge = () => 'go'
  await ledger.checkpoint()
  assert.deepEqual(ledger.state().problems, [])
  await ledger.close()
})

test('checkpoint waits only for what waits already: while entries come without end', async () => {
  const ledger = await openOn(await emptyDisk())
  const progress = { isSigned: false, written: 0 }
  const feed = async (): Promise<void> => {
    for (let at = 0; at < 500 && !progress.isSigned; at++) {
      await ledger.append(intent(at))
      progress.written += 1
    }
  }
  const feeds = [feed(), feed(), feed()]
  const before = ledger.append(intent(0))
  const signed = ledger.checkpoint().then((text) => {
    progress.isSigned = true
    return text
  })
  await Promise.all(feeds)
  const { index } = await before
  const head = openCheckpoint(await signed, noteVerifier(ledger.origin, PUBLIC_KEY))
  assert.ok((head?.size ?? 0) > index, 'it covers what waited')
  assert.ok(progress.written < 200, `${progress.written} entries were written before it came`)
  await ledger.close()
})

test('a checkpoint is signed by itself soon after an entry, and at most once per interval', async () => {
  const files = await emptyDisk()
  const clock = new HandClock()
  const ledger = await openOn(files, { checkpointEveryMs: 1, clock })
  await ledger.append(intent(1))
  const until = performance.now() + 10_000
  // The process must be left to its timer; the bound only ends a test that fails.
  while (ledger.state().unsigned > 0 && performance.now() < until) await nextTurn()
  assert.equal(ledger.state().unsigned, 0)
  await ledger.close()
})

test('anchors get every checkpoint: one that cannot be written is a problem and no refusal', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { anchors: ['/anchor/a', '/nowhere/b'] })
  await ledger.append(intent(1))
  const text = await ledger.checkpoint()
  await ledger.settled()
  assert.equal(Buffer.from(await files.read('/anchor/a')).toString('utf8'), text)
  const state = ledger.state()
  assert.equal(state.unanchored, 0)
  assert.match(state.problems.join(), /\/nowhere\/b cannot be written: ENOENT/)
  await ledger.append(intent(2))
  assert.equal(ledger.state().unanchored, 1)
  await ledger.close()
})

test('state says what doctor needs', async () => {
  const clock = new HandClock()
  const files = await emptyDisk()
  const ledger = await openOn(files, { clock, maxBytes: 1_000_000 })
  await ledger.settled()
  const { oldestAt, bytesPerEntry } = ledger.state()
  assert.deepEqual([oldestAt, bytesPerEntry], [undefined, undefined])
  const started = clock.time
  for (let at = 0; at < 100; at++) await ledger.append(intent(at))
  clock.time += 86_400_000
  const state = ledger.state()
  assert.equal(state.entries, 100)
  assert.equal(state.unanchored, 100)
  assert.equal(state.oldestAt, started)
  assert.ok((state.bytesPerEntry ?? 0) > 300 && (state.bytesPerEntry ?? 0) < 900)
  const left = (1_000_000 - state.bytes - 1_024) / (100 * (state.bytesPerEntry ?? 1))
  assert.ok(Math.abs((state.daysLeft ?? 0) - left) < 1)
  await ledger.close()
})

test('openLedger goes on where the last process stopped: the same log, the next index', async () => {
  const files = await emptyDisk()
  const first = await openOn(files, { segmentBytes: 10_000 })
  await Promise.all(Array.from({ length: 300 }, (_, at) => first.append(intent(at))))
  await first.close()
  const second = await openOn(files, { segmentBytes: 10_000 })
  assert.equal(second.origin, first.origin)
  assert.equal((await second.append(intent(300))).index, 300)
  await second.close()
})

test('openLedger refuses: the signing key is not that of the log', async () => {
  const files = await emptyDisk()
  await (await openOn(files)).close()
  await assert.rejects(openOn(files, { keys: { ...KEYS, signingPem: newEd25519Pem() } }), {
    code: 'home.damaged',
  })
})

const DAMAGE: readonly [why: string, harm: (files: SimulatedFiles, folder: string) => void][] = [
  ['the origin file is gone', (files, folder) => files.tamper(`${folder}/origin`, undefined)],
  ['the checkpoint is gone', (files, folder) => files.tamper(`${folder}/checkpoint`, undefined)],
  ['the leaves are gone', (files, folder) => files.tamper(`${folder}/000000000000.leaves`, undefined)],
  ['the sidecar is gone', (files, folder) => files.tamper(`${folder}/000000000000.sidecar`, undefined)],
  [
    'the first segment is gone',
    (files, folder) => {
      files.tamper(`${folder}/000000000000.leaves`, undefined)
      files.tamper(`${folder}/000000000000.sidecar`, undefined)
    },
  ],
  ['the active segment is gone', (files, folder) => files.tamper(`${folder}/000000000256.raw`, undefined)],
  [
    'the head of the active segment is damaged',
    (files, folder) => edit(files, `${folder}/000000000256.raw`, 12),
  ],
  [
    'an entry before the last group is damaged',
    (files, folder) => edit(files, `${folder}/000000000256.raw`, 100),
  ],
  [
    'the head of a sealed segment is damaged',
    (files, folder) => edit(files, `${folder}/000000000000.leaves`, 3),
  ],
  ['a bundle hash is damaged', (files, folder) => edit(files, `${folder}/000000000000.leaves`, 50)],
  [
    'the log is shorter than its checkpoint',
    (files, folder) => {
      const name = `${folder}/000000000256.raw`
      files.tamper(name, withoutRoom(files.all().get(name)).subarray(0, -1))
    },
  ],
]

for (const [why, harm] of DAMAGE)
  test(`openLedger refuses with the place: ${why}`, async () => {
    const files = await emptyDisk()
    const ledger = await openOn(files, { segmentBytes: 10_000 })
    for (let at = 0; at < 4; at++)
      await Promise.all(Array.from({ length: 70 }, (_, each) => ledger.append(intent(each))))
    await ledger.checkpoint()
    await ledger.settled()
    await ledger.append(intent(1))
    await ledger.close()
    harm(files, (await newestFolder(files)).path)
    const thrown: unknown = await openOn(files, { segmentBytes: 10_000 }).catch((each: unknown) => each)
    assert.ok(thrown instanceof Error && 'code' in thrown && 'detail' in thrown)
    assert.equal(thrown.code, 'ledger.corrupt')
    assert.match(JSON.stringify(thrown.detail), /"place":"\/home\/ledger\/0001-/)
  })

test('openLedger works on the disk of this machine', async () => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-ledger-'))
  const options = {
    files: NODE_FILES,
    directory: `${directory}/ledger`,
    keys: KEYS,
    clock: SYSTEM_CLOCK,
    reserveBytes: 100_000,
    segmentBytes: 10_000,
  }
  try {
    const ledger = await openLedger(options)
    await Promise.all(
      Array.from({ length: 150 }, async (_, at) => {
        const before = intent(at)
        await ledger.append(before)
        await ledger.append(outcome(before, at))
      }),
    )
    await ledger.close()
    const again = await openLedger(options)
    assert.equal(again.size, 300)
    assert.ok((again.state().freeBytes ?? 1) > 0)
    await again.close()
    const report = await verifyLedger({ files: NODE_FILES, directory: options.directory, keys: KEYS })
    assert.deepEqual(report.problems, [])
  } finally {
    fs.rmSync(directory, { recursive: true })
  }
})

/** The content of an active segment up to the zeros at its end. */
function withoutRoom(content: Uint8Array = utf8('')): Uint8Array {
  return content.subarray(0, scanSegment(content)?.bytes)
}

async function fill(ledger: Ledger, more: { readonly reserved?: boolean }): Promise<number> {
  for (let count = 0; count < 1_000; count++)
    try {
      await ledger.append({ ...intent(count), ...more })
    } catch (thrown) {
      assert.ok(thrown instanceof Error && 'code' in thrown && thrown.code === 'ledger.unwritable')
      return count
    }
  return assert.fail('it never refused')
}

/** Lets a second pass; the next append starts the measuring, which runs beside it. */
async function tick(ledger: Ledger, clock: HandClock): Promise<void> {
  clock.time += 1_000
  await ledger.append({ ...intent(0), id: 'measures only' }).catch(() => undefined)
  await ledger.settled()
}

/** What was done to active segments; a checkpoint may be written beside it. */
function segmentSteps(files: SimulatedFiles): readonly string[] {
  return files.steps.filter(isOfSegment).map((step) => step.kind)
}

function isOfSegment(step: Step): boolean {
  return step.path.endsWith('.raw')
}

function usedBytes(files: SimulatedFiles): number {
  return [...files.all().values()].reduce((sum, bytes) => sum + bytes.length, 0)
}

function edit(files: SimulatedFiles, name: string, at: number): void {
  const bytes = Uint8Array.from(files.all().get(name) ?? assert.fail(name))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  files.tamper(name, bytes)
}
