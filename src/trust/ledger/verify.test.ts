import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { concat, utf8 } from '#base/bytes.ts'
import { newEd25519Pem, sha256 } from '#base/crypto.ts'
import {
  draft,
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  PUBLIC_KEYS,
  packOf,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { peekCheckpoint, signCheckpoint } from './checkpoint.ts'
import { leafHash, rootOf } from './merkle.ts'
import { logKeysOf } from './log_keys.ts'
import { noteSigner } from './note.ts'
import { unpackLeaves } from './packing.ts'
import { encodeGroup, encodeHead, scanSegment, type Group } from './raw_segment.ts'
import { printReceipt } from './receipt.ts'
import { verifyLedger, type VerifyReport } from './verify.ts'

const SEALED_ENTRIES = 256
const RAW = '000000000256.raw'
const LEAVES = '000000000000.leaves'
const SIDECAR = '000000000000.sidecar'

/** One sealed segment, an active one with three groups, all of it signed; the disk and the checkpoints on the way. */
async function smallLedger(): Promise<{ files: SimulatedFiles; folder: string; checkpoints: string[] }> {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  await Promise.all(Array.from({ length: SEALED_ENTRIES }, (_, at) => ledger.append(note(at))))
  const checkpoints = [await ledger.checkpoint()]
  await ledger.settled()
  for (let at = 0; at < 3; at++) {
    await Promise.all([0, 1].map((each) => ledger.append(intent(at * 2 + each))))
    checkpoints.push(await ledger.checkpoint())
  }
  await ledger.close()
  files.judge = () => 'go'
  files.tamper(`${LEDGER}/reserve`, undefined)
  return { files, folder: (await newestFolder(files)).path, checkpoints }
}

const SMALL = await smallLedger()

test('verifyLedger finds no damage: a group was written while those behind it were read already', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  for (let at = 0; at < 3; at++) await ledger.append(intent(at))
  const raw = `${(await newestFolder(files)).path}/000000000000.raw`
  const whole = await files.read(raw)
  const second = scanSegment(whole)?.groups[1] ?? assert.fail()
  const read = files.read.bind(files)
  let reads = 0
  files.read = async (path) => {
    if (path !== raw) return read(path)
    reads += 1
    return reads === 1 ? Buffer.from(whole).fill(0, second.start, second.end) : whole
  }
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER })).problems, [])
  assert.equal(reads, 2)
  await ledger.close()
})

test('verifyLedger finds nothing wrong: more ids stand in values than there are entries', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  const ids = Array.from({ length: 300 }, (_, at) => ({ id: String(at).padStart(16, '0') }))
  const change = { what: 'x', before: ids.slice(0, 150), after: ids.slice(150) }
  await Promise.all(Array.from({ length: SEALED_ENTRIES }, () => ledger.append(draft('change', change))))
  await ledger.checkpoint()
  await ledger.settled()
  assert.deepEqual(ledger.state().problems, [])
  await ledger.close()
  assert.ok(files.all().has(`${(await newestFolder(files)).path}/${LEAVES}`))
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER })).problems, [])
})

test('verifyLedger finds nothing wrong: with no key, with the public key, with all keys', async () => {
  for (const keys of [{}, { logKeys: PUBLIC_KEYS }, { logKeys: PUBLIC_KEYS, sidecarKey: KEYS.sidecarKey }]) {
    const report = await verifyLedger({ files: SMALL.files, directory: LEDGER, keys })
    assert.deepEqual(report.problems, [])
    assert.equal(report.entries, 262)
    assert.equal(
      report.statement,
      'internally consistent; 262 entries since the last checkpoint held outside (none was given)',
    )
  }
})

test('verifyLedger finds flipped bits: in every file, spread over all of it', async () => {
  // Every byte of every file is flipped in test/slow/flipped_bits.test.ts.
  for (const [name, bytes] of SMALL.files.all()) {
    const files = SMALL.files.reopen('kept')
    const stride = Math.ceil(bytes.length / 150)
    for (let at = 0; at < bytes.length; at += stride) {
      const changed = Uint8Array.from(bytes)
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8))
      files.tamper(name, changed)
      const report = await verifyLedger({ files, directory: LEDGER })
      assert.equal(report.ok, false, `byte ${at} of ${name}`)
      assert.match(report.problems[0]?.place ?? '', /^\/home\/ledger\/0001-/)
    }
  }
})

const HARMS: readonly [
  why: string,
  harm: (files: SimulatedFiles, at: (name: string) => string) => void,
  place: RegExp,
][] = [
  ['the checkpoint is gone', (files, at) => files.tamper(at('checkpoint'), undefined), /checkpoint$/],
  ['the origin file is gone', (files, at) => files.tamper(at('origin'), undefined), /origin$/],
  ['the leaves are gone', (files, at) => files.tamper(at(LEAVES), undefined), /000000000000/],
  ['the sidecar is gone', (files, at) => files.tamper(at(SIDECAR), undefined), /000000000000\.sidecar$/],
  ['the active segment is gone', (files, at) => files.tamper(at(RAW), undefined), /last segment|256/],
  ['a stray file', (files, at) => files.tamper(at('x'), utf8('')), /\/x$/],
  ['a stray file above', (files) => files.tamper(`${LEDGER}/x`, utf8('')), /ledger\/x$/],
]

for (const [why, harm, place] of HARMS)
  test(`verifyLedger names the file: ${why}`, async () => {
    const files = SMALL.files.reopen('kept')
    harm(files, (name) => `${SMALL.folder}/${name}`)
    assert.match((await verifyLedger({ files, directory: LEDGER })).problems[0]?.place ?? '', place)
  })

/** Edits by someone who knows the format and makes every checksum right again, but has no key. */
const EDITS: readonly [why: string, edit: (groups: Group[]) => Group[], what: RegExp][] = [
  [
    'an entry is changed',
    (groups) => withLeaves(groups, 1, (leaves) => leaves.with(0, retold(leaves[0]))),
    /not the entries/,
  ],
  ['an entry is dropped', (groups) => withLeaves(groups, 1, (leaves) => leaves.slice(1)), /truncated/],
  [
    'an entry is doubled',
    (groups) => withLeaves(groups, 1, (leaves) => [...leaves, ...leaves.slice(1)]),
    /not the entries/,
  ],
  [
    'entries are swapped',
    (groups) => withLeaves(groups, 1, (leaves) => leaves.toReversed()),
    /not the entries/,
  ],
  [
    'groups are swapped',
    (groups) => [groups[1], groups[0], groups[2]].filter((each) => each !== undefined),
    /not the entries/,
  ],
  ['a group is dropped', (groups) => groups.toSpliced(1, 1), /truncated/],
  ['the last group is dropped', (groups) => groups.slice(0, -1), /truncated/],
  ['all groups are dropped', () => [], /truncated/],
]

for (const [why, edit, what] of EDITS)
  test(`verifyLedger finds what an expert changed: ${why}`, async () => {
    const files = SMALL.files.reopen('kept')
    const name = `${SMALL.folder}/${RAW}`
    const raw = scanSegment(files.all().get(name) ?? utf8(''))
    let first = SEALED_ENTRIES
    const groups = edit([...(raw?.groups ?? [])]).map((group) => {
      const bytes = encodeGroup(first, group.leaves, group.sealed)
      first += group.leaves.length
      return bytes
    })
    files.tamper(name, concat(encodeHead(raw?.origin ?? '', SEALED_ENTRIES), ...groups))
    const report = await verifyLedger({ files, directory: LEDGER })
    assert.match(report.problems[0]?.what ?? '', what)
    assert.match(report.problems[0]?.place ?? '', /entr(y|ies) 25[6-9]|entries 256 to 261|entry 26[0-2]/)
    await assert.rejects(openOn(files, { segmentBytes: 10_000 }), { code: 'ledger.corrupt' })
  })

test('verifyLedger names the group: an entry was changed, and the key of the sidecar is there', async () => {
  const files = SMALL.files.reopen('kept')
  const name = `${SMALL.folder}/${RAW}`
  const raw = scanSegment(files.all().get(name) ?? utf8(''))
  const groups = withLeaves([...(raw?.groups ?? [])], 1, (leaves) => leaves.with(0, retold(leaves[0])))
  files.tamper(
    name,
    concat(
      encodeHead(raw?.origin ?? '', 256),
      ...groups.map((each) => encodeGroup(each.first, each.leaves, each.sealed)),
    ),
  )
  const report = await verifyLedger({ files, directory: LEDGER, keys: { sidecarKey: KEYS.sidecarKey } })
  assert.match(report.problems[0]?.place ?? '', /entries 258 to 259$/)
})

test('verifyLedger names the bundle: a sealed entry was changed and the file made right again', async () => {
  const files = SMALL.files.reopen('kept')
  const name = `${SMALL.folder}/${LEAVES}`
  const packed = files.all().get(name) ?? utf8('')
  const leaves = (await unpackLeaves(packed)) ?? []
  const again = await packOf(0, 1_795_000_000_000, leaves.with(7, retold(leaves[7])))
  const body = concat(again.subarray(0, 36), packed.subarray(36, 68), again.subarray(68, -32))
  files.tamper(name, concat(body, sha256(body)))
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.match(report.problems[0]?.place ?? '', /000000000000\.leaves entries 0 to 255$/)
  assert.match(report.problems[0]?.what ?? '', /bundle/)
  // With the bundle hash changed too, the tree differs from its tile, and from the checkpoint.
  files.tamper(name, again)
  const second = await verifyLedger({ files, directory: LEDGER })
  assert.match(second.problems[0]?.place ?? '', /\/tile\/0\/000$/)
  assert.match(second.problems[0]?.what ?? '', /entries 0 to 255$/)
  assert.match(second.problems[1]?.what ?? '', /not the entries that the checkpoint covers/)
})

test('verifyLedger finds a filter that hides an entry: the file was made right again', async () => {
  const files = SMALL.files.reopen('kept')
  const name = `${SMALL.folder}/${LEAVES}`
  const body = Uint8Array.from((files.all().get(name) ?? utf8('')).subarray(0, -32))
  body[70] = (body[70] ?? 0) ^ 0xff
  files.tamper(name, concat(body, sha256(body)))
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(
    report.problems.map(({ what }) => what),
    ['the filter of ids is not that of its entries'],
  )
})

test('verifyLedger reads on behind a sealed segment that cannot be read: its bundle hashes stand in', async () => {
  const files = SMALL.files.reopen('kept')
  const name = `${SMALL.folder}/${LEAVES}`
  const bytes = Uint8Array.from(files.all().get(name) ?? utf8(''))
  bytes.fill(0, bytes.length - 300, bytes.length - 32)
  files.tamper(name, bytes)
  const report = await verifyLedger({ files, directory: LEDGER, keys: { sidecarKey: KEYS.sidecarKey } })
  assert.deepEqual(
    report.problems.map((each) => each.what.slice(0, 20)),
    ['the file was changed', 'entries 0 to 255 can'],
  )
  assert.equal(report.entries, 262)
})

test('verifyLedger finds a sidecar that does not belong: of another ledger, or with other values', async () => {
  const other = await smallLedger()
  const files = SMALL.files.reopen('kept')
  files.tamper(`${SMALL.folder}/${SIDECAR}`, other.files.all().get(`${other.folder}/${SIDECAR}`))
  assert.equal(
    (await verifyLedger({ files, directory: LEDGER })).ok,
    true,
    'without the key it is a whole file',
  )
  const report = await verifyLedger({ files, directory: LEDGER, keys: { sidecarKey: KEYS.sidecarKey } })
  assert.match(report.problems[0]?.what ?? '', /does not open/)
})

test('verifyLedger knows how far outside checkpoints reach', async () => {
  for (const [at, against] of SMALL.checkpoints.entries()) {
    const report = await verifyLedger({ files: SMALL.files, directory: LEDGER, against })
    assert.deepEqual(report.problems, [])
    assert.equal(report.sinceOutside, 6 - at * 2)
    assert.equal(
      report.statement,
      `internally consistent; ${6 - at * 2} entries since the last checkpoint held outside`,
    )
  }
})

test('verifyLedger finds a rollback: files and checkpoint were put back together', async () => {
  const { files, checkpoints } = await grown(3)
  const old = files.reopen('kept')
  const ledger = await openOn(files)
  await ledger.append(intent(9))
  const against = await ledger.checkpoint()
  await ledger.close()
  assert.equal((await verifyLedger({ files: old, directory: LEDGER })).ok, true)
  assert.match(firstOf(await verifyLedger({ files: old, directory: LEDGER, against })), /rolled back/)
  assert.equal((await verifyLedger({ files, directory: LEDGER, against: checkpoints[0] })).ok, true)
})

test('verifyLedger finds a fork: the key holder signed another history', async () => {
  const { files } = await grown(3)
  const twin = files.reopen('kept')
  const checkpoints: string[] = []
  for (const disk of [files, twin]) {
    const ledger = await openOn(disk)
    await ledger.append(intent(9))
    checkpoints.push(await ledger.checkpoint())
    await ledger.close()
  }
  assert.equal((await verifyLedger({ files: twin, directory: LEDGER, against: checkpoints[1] })).ok, true)
  assert.match(
    firstOf(await verifyLedger({ files: twin, directory: LEDGER, against: checkpoints[0] })),
    /forked/,
  )
})

test('verifyLedger compares each checkpoint in what was held outside: a newer one hides no fork', async () => {
  const { files, checkpoints } = SMALL
  const folder = await newestFolder(files)
  const [good = '', newer = ''] = checkpoints.slice(-2)
  const size = peekCheckpoint(good)?.size ?? 0
  const signer = noteSigner(folder.origin, KEYS.signingPem)
  const fork = await signCheckpoint({ origin: folder.origin, size, root: leafHash(utf8('x')) }, [signer], 1)
  const receipt = (checkpoint: string): string =>
    printReceipt({ leaf: utf8('{}'), disclosed: {}, proof: { index: 0, hashes: [], checkpoint } })
  const verified = async (...notes: readonly string[]): Promise<VerifyReport> =>
    await verifyLedger({ files, directory: LEDGER, against: notes.map(receipt).join('') })
  assert.equal((await verified(good, newer)).ok, true)
  for (const notes of [
    [fork, newer],
    [newer, fork],
  ])
    assert.match(
      firstOf(await verified(...notes)),
      /forked: the checkpoint held outside covers other entries/,
    )
})

const OUTSIDE: readonly [why: string, against: (origin: string) => Promise<string>, what: RegExp][] = [
  ['not a checkpoint', async () => Promise.resolve('x'), /not a checkpoint/],
  ['of another log', () => forged('gatehouse.local/another', KEYS.signingPem), /not here/],
  ['of another key', (origin) => forged(origin, newEd25519Pem()), /not signed/],
]

for (const [why, against, what] of OUTSIDE)
  test(`verifyLedger refuses the outside checkpoint: ${why}`, async () => {
    const origin = (await newestFolder(SMALL.files)).origin
    assert.match(
      firstOf(await verifyLedger({ files: SMALL.files, directory: LEDGER, against: await against(origin) })),
      what,
    )
  })

test('verifyLedger finds another key: than the one of the home', async () => {
  const keys = { logKeys: logKeysOf({ signingPem: newEd25519Pem() }, 0) }
  const report = await verifyLedger({ files: SMALL.files, directory: LEDGER, keys })
  assert.match(report.problems[0]?.what ?? '', /not the key of this home/)
})

test('verifyLedger finds that there is no ledger', async () => {
  const files = await emptyDisk()
  assert.match(firstOf(await verifyLedger({ files, directory: LEDGER })), /no ledger/)
})

test('verifyLedger runs beside a process that appends and seals', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files, { segmentBytes: 10_000 })
  const progress = { isDone: false, rounds: 0 }
  const work = (async () => {
    for (let at = 0; at < 12; at++) {
      await Promise.all(Array.from({ length: 100 }, (_, each) => ledger.append(note(at * 100 + each))))
      await ledger.checkpoint()
    }
    progress.isDone = true
  })()
  for (; !progress.isDone; progress.rounds++) {
    const report = await verifyLedger({ files, directory: LEDGER, keys: { sidecarKey: KEYS.sidecarKey } })
    assert.deepEqual(report.problems, [])
    // The simulated disk answers at once, and who appends needs turns of the event loop.
    await nextTurn()
  }
  await work
  await ledger.close()
  assert.ok(progress.rounds > 1)
})

function note(at: number): ReturnType<typeof draft> {
  return draft('note', { what: `note ${at}`, asked: `secret ${at}` })
}

async function grown(count: number): Promise<{ files: SimulatedFiles; checkpoints: string[] }> {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  for (let at = 0; at < count; at++) await ledger.append(intent(at))
  const checkpoints = [await ledger.checkpoint()]
  await ledger.close()
  return { files, checkpoints }
}

function firstOf(report: VerifyReport): string {
  assert.equal(report.ok, false)
  assert.match(report.statement, /^not consistent: /)
  return report.problems[0]?.what ?? ''
}

async function forged(origin: string, pem: string): Promise<string> {
  const head = { origin, size: 1, root: rootOf([leafHash(utf8('x'))]) }
  return await signCheckpoint(head, [noteSigner(origin, pem)], 0)
}

function withLeaves(groups: Group[], at: number, change: (leaves: Uint8Array[]) => Uint8Array[]): Group[] {
  return groups.map((group, each) => (each === at ? { ...group, leaves: change([...group.leaves]) } : group))
}

function retold(leaf: Uint8Array | undefined): Uint8Array {
  return utf8(
    Buffer.from(leaf ?? [])
      .toString('utf8')
      .replace(/"at":\d/, '"at":2'),
  )
}

test('verifyLedger tells of something that is no plain file in the place of one', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  await ledger.close()
  const read = files.read.bind(files)
  files.read = async (path) =>
    path.endsWith('.raw')
      ? Promise.reject(Object.assign(new Error('x'), { code: 'ENOTPLAIN' }))
      : await read(path)
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(
    report.problems.map((each) => each.what),
    ['not a plain file of a ledger'],
  )
  files.read = () => Promise.reject(Object.assign(new Error('x'), { code: 'EIO' }))
  await assert.rejects(verifyLedger({ files, directory: LEDGER }), { code: 'EIO' })
})
