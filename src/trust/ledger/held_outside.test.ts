import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { newEd25519Pem } from '#base/crypto.ts'
import { outsideFilesOf } from '#base/outside_files.ts'
import { ed25519Cosigner } from './cosignature.ts'
import {
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import {
  furthest,
  heldBy,
  readHeldOutside,
  witnessedAt,
  type HeldCopy,
  type HeldSources,
  type Holding,
} from './held_outside.ts'
import { logKeysOf, verifiersOf } from './log_keys.ts'
import { verifyLedger } from './verify.ts'

const COSIGNERS = [1, 2, 3].map((at) => ed25519Cosigner(`example.test/w${at}`, newEd25519Pem()))
const AT = new HandClock().now()

/** A log of five entries, of which three were cosigned by so many witnesses, a second after each other. */
async function cosignedLog(by: number): Promise<{ files: SimulatedFiles; sources: HeldSources }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { anchors: ['/anchor/copy'] })
  for (let at = 0; at < 3; at++) await ledger.append(intent(at))
  await ledger.checkpoint()
  const { newest } = ledger.checkpoints
  const [text = ''] = newest.text.split('\n\n')
  const lines = await Promise.all(
    COSIGNERS.slice(0, by).map(async (signer, at) => await signer.sign(`${text}\n`, AT + at * 1_000)),
  )
  await ledger.checkpoints.cosign(newest, lines, by >= 2)
  const copy = newest.text
  for (let at = 3; at < 5; at++) await ledger.append(intent(at))
  const { origin } = ledger
  await ledger.close()
  files.tamper('/anchor/old', utf8(copy))
  return {
    files,
    sources: {
      anchors: [],
      outside: outsideFilesOf(files),
      policy: { quorum: 2, witnesses: COSIGNERS.map((each) => [each]) },
      verifiers: verifiersOf(logKeysOf(KEYS, 0), origin),
    },
  }
}

test('witnessedAt gives the time at which enough witnesses had cosigned: each counts once', async () => {
  const { files } = await cosignedLog(3)
  const folder = await newestFolder(files)
  const note = Buffer.from(files.all().get(`${folder.path}/cosigned`) ?? []).toString('utf8')
  const witnesses = COSIGNERS.map((each) => [each])
  const second = Math.floor(AT / 1_000) * 1_000
  for (const [quorum, expected] of [
    [0, undefined],
    [1, second],
    [2, second + 1_000],
    [3, second + 2_000],
    [4, undefined],
  ] as const)
    assert.equal(witnessedAt(note, { quorum, witnesses }), expected, `quorum ${quorum}`)
  assert.equal(witnessedAt(note, { quorum: 2, witnesses: [COSIGNERS] }), undefined, 'two keys of one witness')
  assert.equal(witnessedAt('nothing', { quorum: 1, witnesses }), undefined)
})

test('witnessedAt counts from when enough had cosigned: in whatever order, and with its first key each', async () => {
  const { files } = await cosignedLog(0)
  const folder = await newestFolder(files)
  const [text = ''] = Buffer.from(files.all().get(`${folder.path}/checkpoint`) ?? [])
    .toString('utf8')
    .split('\n\n')
  const [one = assert.fail(), two = assert.fail(), three = assert.fail()] = COSIGNERS
  const times = [
    [one, 50_000],
    [two, 10_000],
    [three, 30_000],
  ] as const
  const lines = await Promise.all(times.map(async ([signer, at]) => await signer.sign(`${text}\n`, at)))
  const note = `${text}\n\n${lines.join('')}`
  const at = (quorum: number, ...witnesses: (typeof COSIGNERS)[]): unknown =>
    witnessedAt(note, { quorum, witnesses })
  assert.deepEqual(
    [1, 2, 3].map((quorum) => at(quorum, [one], [two], [three])),
    [10_000, 30_000, 50_000],
  )
  assert.equal(at(1, [one, three]), 30_000)
})

const FURTHEST: readonly [
  why: string,
  holdings: readonly (Holding | undefined)[],
  expected: Holding | undefined,
][] = [
  ['nobody', [], undefined],
  ['nobody yet', [undefined], undefined],
  [
    'the one with more entries',
    [{ entries: 3, at: 1 }, { entries: 5, at: 9 }, undefined],
    { entries: 5, at: 9 },
  ],
  [
    'of equal ones the earlier',
    [
      { entries: 5, at: 9 },
      { entries: 5, at: 4 },
    ],
    { entries: 5, at: 4 },
  ],
  [
    'a time that is known',
    [
      { entries: 5, at: undefined },
      { entries: 5, at: 4 },
    ],
    { entries: 5, at: 4 },
  ],
  [
    'no time that is known',
    [
      { entries: 5, at: undefined },
      { entries: 3, at: 4 },
    ],
    { entries: 5, at: undefined },
  ],
]

for (const [why, holdings, expected] of FURTHEST)
  test(`furthest gives the furthest holding: ${why}`, () => {
    assert.deepEqual(furthest(holdings), expected)
  })

test('readHeldOutside tells what files prove: cosignatures of enough witnesses, and copies', async () => {
  const { files, sources } = await cosignedLog(2)
  const folder = await newestFolder(files)
  const notes = await readHeldOutside(files, folder, { ...sources, anchors: ['/anchor/none', '/anchor/old'] })
  const held = heldBy(folder.origin, notes)
  assert.deepEqual(held.witnessed, { entries: 3, at: Math.floor(AT / 1_000) * 1_000 + 1_000 })
  assert.deepEqual(held.anchored, { entries: 3, at: undefined })
  assert.deepEqual(
    notes.map(({ place }) => place),
    ['what witnesses have cosigned', '/anchor/old'],
  )
  const all = await readHeldOutside(files, folder, { ...sources, anchors: ['/anchor/copy'] })
  assert.equal(heldBy(folder.origin, all).anchored?.entries, 5)
})

const NOT_HELD: readonly [why: string, by: number, change: (sources: HeldSources) => HeldSources][] = [
  ['too few witnesses', 1, (sources) => sources],
  ['witnesses that nobody named', 2, (sources) => ({ ...sources, policy: { quorum: 1, witnesses: [] } })],
  [
    'the log as its own witness',
    2,
    (sources) => ({ ...sources, policy: { quorum: 1, witnesses: sources.verifiers.map((key) => [key]) } }),
  ],
  ['no quorum', 2, (sources) => ({ ...sources, policy: { ...sources.policy, quorum: 0 } })],
  [
    'another log key',
    2,
    (sources) => ({ ...sources, verifiers: verifiersOf(logKeysOf({ signingPem: newEd25519Pem() }, 0), 'x') }),
  ],
]

for (const [why, by, change] of NOT_HELD)
  test(`readHeldOutside takes nothing for held: ${why}`, async () => {
    const { files, sources } = await cosignedLog(by)
    const held = await readHeldOutside(files, await newestFolder(files), change(sources))
    assert.deepEqual(held, [])
  })

test('verifyLedger compares a ledger with all that is held: a rollback shows without anybody being asked', async () => {
  const { files, sources } = await cosignedLog(2)
  const held = await readHeldOutside(files, await newestFolder(files), sources)
  const good = await verifyLedger({ files, directory: LEDGER, held })
  assert.deepEqual([good.problems, good.sinceOutside], [[], 2])
  const short = await emptyDisk()
  const ledger = await openOn(short)
  await ledger.append(intent(1))
  await ledger.close()
  // Of another log, which is no problem of this one.
  assert.deepEqual((await verifyLedger({ files: short, directory: LEDGER, held })).problems, [])
})

const HELD_BY: readonly [why: string, copies: readonly HeldCopy[], anchored: number | undefined][] = [
  ['a file on the disk of the ledger holds more than one elsewhere', [copy(5, true), copy(3, false)], 3],
  ['files elsewhere', [copy(3, false), copy(4, false)], 4],
  ['files on the disk of the ledger alone', [copy(5, true), copy(4, true)], 5],
  ['a copy of another log', [{ ...copy(9, false), isOfAnother: true }], undefined],
]

function copy(entries: number, isNear: boolean): HeldCopy {
  return { place: '/copy', note: '', by: 'anchor', holding: { entries, at: undefined }, isNear }
}

for (const [why, copies, anchored] of HELD_BY)
  test(`heldBy counts what nobody on this machine can change, where there is any: ${why}`, () => {
    assert.equal(heldBy('log', copies).anchored?.entries, anchored)
  })

test('verifyLedger counts from a checkpoint elsewhere: not from one on the disk of the ledger', async () => {
  const { files, sources } = await cosignedLog(2)
  const anchors = ['/anchor/old', '/anchor/copy']
  const held = await readHeldOutside(files, await newestFolder(files), { ...sources, anchors })
  const since = async (near: string): Promise<number> => {
    const notes = held.map((each) => ({ ...each, isNear: each.place === near }))
    const { agreeing, sinceOutside } = await verifyLedger({ files, directory: LEDGER, held: notes })
    assert.equal(agreeing.length, held.length)
    return sinceOutside
  }
  assert.equal(await since('/anchor/old'), 0)
  assert.equal(await since('/anchor/copy'), 2)
})

test('verifyLedger finds that a log of the home is gone: an anchor has a checkpoint of its keys under that name', async () => {
  const now = await emptyDisk()
  const first = await openOn(now)
  await first.append(intent(1))
  const older = now.reopen('kept')
  await first.append(intent(2))
  await first.close()
  const anchor = now.all().get(`${(await newestFolder(now)).path}/checkpoint`) ?? assert.fail()
  // It was restored: it goes on in a second log, whose checkpoints the anchor gets from then on.
  const files = older.reopen('kept')
  files.tamper('/anchor/one', anchor)
  const second = await openOn(files, { anchors: ['/anchor/one'] })
  await second.append(intent(3))
  await second.checkpoint()
  await second.close()
  const copied = files.all().get('/anchor/one') ?? assert.fail()
  const problemsOf = async (
    disk: SimulatedFiles,
    logKeys = logKeysOf(KEYS, 0),
  ): Promise<readonly string[]> => {
    disk.tamper('/anchor/one', copied)
    const folder = await newestFolder(disk)
    const verifiers = verifiersOf(logKeys, folder.origin)
    const policy = { quorum: 0, witnesses: [] }
    const sources = { anchors: ['/anchor/one'], outside: outsideFilesOf(disk), policy, verifiers }
    const held = await readHeldOutside(disk, folder, sources)
    return (await verifyLedger({ files: disk, directory: LEDGER, held })).problems.map(({ what }) => what)
  }
  assert.match(
    (await problemsOf(older)).join(),
    /^it holds \d entries of [^ ]+, a log of this home that is not here/,
  )
  assert.doesNotMatch((await problemsOf(files)).join(), /not here/)
  // What other keys have signed is of somebody else.
  assert.deepEqual(await problemsOf(older, logKeysOf({ signingPem: newEd25519Pem() }, 0)), [])
})

test('verifyLedger says who holds what is here: nobody does who holds a fork, or more', async () => {
  const now = await emptyDisk()
  const first = await openOn(now)
  const notes = new Map<string, string>()
  const grow = async (ledger: typeof first, name: string, numbers: readonly number[]): Promise<void> => {
    for (const number of numbers) await ledger.append(intent(number))
    notes.set(name, await ledger.checkpoint())
  }
  await grow(first, 'before', [1, 2])
  const files = now.reopen('kept')
  await grow(first, 'fork', [3, 4])
  await grow(first, 'more', [5, 6, 7, 8])
  await first.close()
  const twin = await openOn(files)
  await grow(twin, 'all', [13, 14, 15])
  await twin.close()
  const held = [...notes].map(([place, note]) => ({ place, note }))
  const report = await verifyLedger({ files, directory: LEDGER, held })
  assert.deepEqual([report.agreeing, report.sinceOutside], [['before', 'all'], 0])
  assert.equal(report.problems.length, 2)
  const alone = await verifyLedger({
    files,
    directory: LEDGER,
    held: held.filter(({ place }) => place === 'fork'),
  })
  assert.deepEqual([alone.agreeing, alone.sinceOutside], [[], 5])
})

test('a checkpoint that witnesses have cosigned is a head that is known: a log that does not reach it is not appended to', async () => {
  const { files } = await cosignedLog(2)
  const folder = await newestFolder(files)
  const cosigned = files.all().get(`${folder.path}/cosigned`) ?? assert.fail()
  const twin = await emptyDisk()
  const ledger = await openOn(twin)
  await ledger.append(intent(1))
  await ledger.close()
  const other = await newestFolder(twin)
  twin.tamper(`${other.path}/cosigned`, Buffer.from('nothing'))
  const opened = await openOn(twin)
  assert.match(opened.state().problems.join(), /holds no checkpoint/)
  await opened.close()
  twin.tamper(`${other.path}/cosigned`, cosigned)
  const next = await openOn(twin)
  assert.notEqual(next.origin, ledger.origin)
  await next.close()
})
