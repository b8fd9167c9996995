import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { newEd25519Pem, newMlDsa44Pem, sha256Hex } from '#base/crypto.ts'
import { openDatabase, type Database } from '#base/sqlite.ts'
import { printHead, signCheckpoint, type Head } from '#trust/ledger/checkpoint.ts'
import { cosignaturesOf, ed25519Cosigner, mlDsa44Cosigner, parseLogKey } from '#trust/ledger/cosignature.ts'
import { leafHash, rootOf } from '#trust/ledger/merkle.ts'
import { noteSigner, noteVerifier, signNote, type NoteSigner, type NoteVerifier } from '#trust/ledger/note.ts'
import { consistencyRanges, rangeRoot } from '#trust/ledger/proof.ts'
import { HandClock } from '../../../test/support/ledger_fixture.ts'
import { fixtureFolder, NO_CORPUS } from '../../../test/support/fixtures.ts'
import { parseAddCheckpoint, printAddCheckpoint } from './add_checkpoint.ts'
import { Witness, type WitnessParts } from './witness.ts'
import { makeWitnessStore, openWitnessStore } from './witness_store.ts'

const ORIGIN = 'gatehouse.local/AAAABBBBCCCCDDDD'
const LOG = noteSigner(ORIGIN, newEd25519Pem())
const COSIGNERS = [
  ed25519Cosigner('example.com/witness', newEd25519Pem()),
  mlDsa44Cosigner('example.com/witness', newMlDsa44Pem()),
]
const LEAVES = Array.from({ length: 20 }, (_, at) => leafHash(Buffer.from([at])))

interface Opened {
  readonly witness: Witness
  readonly folder: string
  /** What was told: the size of each checkpoint, and whether it proves a fork. */
  readonly forks: [size: string, isProven: boolean][]
  /** The same witness after a new start. */
  again(): Witness
}

function open(
  t: TestContext,
  logs: ReadonlyMap<string, readonly NoteVerifier[]>,
  clock = new HandClock(),
): Opened {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-witness-'))
  const forks: [string, boolean][] = []
  const start = (isNew: boolean): Witness => {
    const database = openDatabase(path.join(folder, 'witness.db'))
    if (isNew) makeWitnessStore(database)
    t.after(() => database.close())
    const store = openWitnessStore(database)
    const onInconsistent: WitnessParts['onInconsistent'] = (_origin, checkpoint, isProven): void =>
      void forks.push([checkpoint.split('\n')[1] ?? '', isProven])
    return new Witness({ signers: COSIGNERS, logs, store, clock, onInconsistent })
  }
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  return { witness: start(true), folder, forks, again: () => start(false) }
}

const OURS: ReadonlyMap<string, readonly NoteVerifier[]> = new Map([[ORIGIN, [LOG]]])

function headAt(size: number, leaves: readonly Uint8Array[] = LEAVES): Head {
  return { origin: ORIGIN, size, root: rootOf(leaves.slice(0, size)) }
}

function proofOf(first: number, second: number, leaves: readonly Uint8Array[] = LEAVES): Uint8Array[] {
  return first === 0 ? [] : consistencyRanges(first, second).map((each) => rangeRoot(leaves, each))
}

async function request(
  first: number,
  second: number,
  more: { readonly leaves?: readonly Uint8Array[]; readonly signer?: NoteSigner } = {},
): Promise<string> {
  const { leaves = LEAVES, signer = LOG } = more
  const checkpoint = await signCheckpoint(headAt(second, leaves), [signer], 0)
  return printAddCheckpoint({ oldSize: first, proof: proofOf(first, second, leaves), checkpoint })
}

test('add cosigns a log that grows, with every key and the time', async (t) => {
  const clock = new HandClock()
  const { witness } = open(t, OURS, clock)
  for (const [first, second] of [
    [0, 3],
    [3, 3],
    [3, 4],
    [4, 20],
  ] as const) {
    clock.time += 60_000
    const answer = await witness.add(await request(first, second))
    assert.equal(answer.status, 200)
    const note = `${printHead(headAt(second))}\n${answer.body}`
    const found = cosignaturesOf(note, COSIGNERS)
    assert.deepEqual(
      found.map(({ at }) => at),
      [clock.time, clock.time],
    )
  }
})

test('add remembers before it answers: a new start knows the newest checkpoint, and gives it to monitors', async (t) => {
  const { witness, again } = open(t, OURS)
  assert.equal(witness.newest(sha256Hex(ORIGIN)), undefined)
  await witness.add(await request(0, 3))
  const other = again()
  const answer = await other.add(await request(0, 20))
  assert.deepEqual([answer.status, answer.type, answer.body], [409, 'text/x.tlog.size', '3\n'])
  const note = other.newest(sha256Hex(ORIGIN)) ?? ''
  assert.equal(cosignaturesOf(note, COSIGNERS).length, 2)
  assert.ok(note.startsWith(await signNote(printHead(headAt(3)), [LOG], 0)))
  assert.equal(other.newest(sha256Hex('x')), undefined)
})

const FORKED = LEAVES.with(1, leafHash(Buffer.from('forked')))

const REFUSALS: readonly [why: string, body: () => Promise<string>, status: number, isFork: boolean][] = [
  ['a fork with the proof of the fork', async () => await request(4, 8, { leaves: FORKED }), 422, true],
  ['another tree of the same size', async () => await request(4, 4, { leaves: FORKED }), 422, true],
  ['no proof', async () => (await request(4, 8)).replace(/^old 4\n[^]*?\n\n/, 'old 4\n\n'), 422, true],
  [
    'a proof for the same size',
    async () => (await request(4, 4)).replace('\n\n', `\n${'A'.repeat(43)}=\n\n`),
    422,
    true,
  ],
  ['a rollback', async () => await request(2, 3), 409, false],
  [
    'a rollback with the right old size',
    async () => (await request(3, 3)).replace('old 3', 'old 4'),
    400,
    false,
  ],
  ['an old size that is not the newest', async () => await request(0, 8), 409, false],
  [
    'another key',
    async () => await request(4, 8, { signer: noteSigner(ORIGIN, newEd25519Pem()) }),
    403,
    false,
  ],
  ['a changed checkpoint', async () => (await request(4, 8)).replace('\n8\n', '\n9\n'), 403, false],
  ['another log', async () => (await request(4, 8)).replace(ORIGIN, 'gatehouse.local/x'), 404, false],
  ['nothing', async () => Promise.resolve(''), 400, false],
  ['no old size', async () => (await request(4, 8)).replace('old 4\n', ''), 400, false],
  [
    'an old size with a zero in front',
    async () => (await request(4, 8)).replace('old 4', 'old 04'),
    400,
    false,
  ],
  [
    'an old size beyond 2^53',
    async () => (await request(4, 8)).replace('old 4', 'old 9007199254740993'),
    400,
    false,
  ],
  [
    'a hash of 31 bytes',
    async () => (await request(4, 8)).replace('\n\n', `\n${'A'.repeat(42)}==\n\n`),
    400,
    false,
  ],
  [
    '64 hashes',
    async () => (await request(4, 8)).replace('\n\n', `\n${`${'A'.repeat(43)}=\n`.repeat(64)}\n`),
    400,
    false,
  ],
  ['no signature', async () => (await request(4, 8)).replace(/— .*\n$/, ''), 403, false],
  ['no line break at the end', async () => (await request(4, 8)).slice(0, -1), 403, false],
]

for (const [why, body, status, isFork] of REFUSALS)
  test(`add refuses with ${status}, and cosigns nothing: ${why}`, async (t) => {
    const { witness, forks } = open(t, OURS)
    await witness.add(await request(0, 4))
    const before = witness.newest(sha256Hex(ORIGIN))
    const answer = await witness.add(await body())
    assert.equal(answer.status, status)
    assert.doesNotMatch(answer.body, /—/)
    assert.equal(witness.newest(sha256Hex(ORIGIN)), before)
    assert.equal(forks.length, isFork ? 1 : 0)
    if (status === 409) assert.equal(answer.body, '4\n')
    assert.equal((await witness.add(await request(4, 20))).status, 200, 'the log can go on')
  })

test('add refuses what an old size of 0 may not bring: a proof, and an empty tree with another root', async (t) => {
  const { witness } = open(t, OURS)
  const some = printAddCheckpoint({
    oldSize: 0,
    proof: [Buffer.alloc(32)],
    checkpoint: await signCheckpoint(headAt(4), [LOG], 0),
  })
  assert.equal((await witness.add(some)).status, 422)
  const empty = { ...headAt(0), root: Buffer.alloc(32) }
  const checkpoint = await signCheckpoint(empty, [LOG], 0)
  assert.equal((await witness.add(printAddCheckpoint({ oldSize: 0, proof: [], checkpoint }))).status, 422)
  assert.equal((await witness.add(await request(0, 0))).status, 200)
  assert.equal((await witness.add(await request(0, 4))).status, 200)
})

test('add cosigns one of two checkpoints that follow the same one: whichever comes first', async (t) => {
  const { witness } = open(t, OURS)
  await witness.add(await request(0, 4))
  const bodies = await Promise.all([
    request(4, 8),
    request(4, 9),
    request(4, 8, { leaves: LEAVES.with(7, leafHash(Buffer.from('other'))) }),
    request(4, 20),
  ])
  // All four are looked at before the first signature is made.
  const answers = await Promise.all(bodies.map(async (body) => await witness.add(body)))
  assert.deepEqual(
    answers.map(({ status }) => status).sort((left, right) => left - right),
    [200, 409, 409, 409],
  )
  const won = answers.findIndex(({ status }) => status === 200)
  const size = /\n(\d+)\n/.exec(parseAddCheckpoint(bodies[won] ?? '')?.checkpoint ?? '')?.[1]
  for (const answer of answers) if (answer.status === 409) assert.equal(answer.body, `${size}\n`)
})

test('add tells of forks that are proven each time, and of what anybody can bring about once a minute', async (t) => {
  const clock = new HandClock()
  const { witness, forks } = open(t, OURS, clock)
  await witness.add(await request(0, 4))
  // A checkpoint of the log that everybody can read, with a proof that is none.
  const wrong = (await request(4, 8)).replace(/^old 4\n[^]*?\n\n/, 'old 4\n\n')
  for (let times = 0; times < 3; times++) assert.equal((await witness.add(wrong)).status, 422)
  assert.deepEqual(forks, [['8', false]])
  for (let times = 0; times < 2; times++) await witness.add(await request(4, 4, { leaves: FORKED }))
  assert.deepEqual(forks.slice(1), [
    ['4', true],
    ['4', true],
  ])
  clock.time += 60_000
  await witness.add(wrong)
  assert.deepEqual(forks.slice(3), [['8', false]])
})

test('add cosigns a checkpoint with more lines than three: with every key', async (t) => {
  const { witness } = open(t, OURS)
  const checkpoint = await signNote(`${printHead(headAt(4))}more\n`, [LOG], 0)
  const answer = await witness.add(printAddCheckpoint({ oldSize: 0, proof: [], checkpoint }))
  assert.equal(answer.status, 200)
  const [ed25519, mlDsa] = answer.body.split('\n')
  assert.equal(cosignaturesOf(`${checkpoint}${ed25519}\n`, COSIGNERS).length, 1)
  // It says nothing of those lines.
  assert.equal(cosignaturesOf(`${printHead(headAt(4))}\n${mlDsa}\n`, COSIGNERS).length, 1)
})

test('add states no earlier time than before: its clock was put back, or begins in 1970', async (t) => {
  const clock = new HandClock()
  const { witness, again } = open(t, OURS, clock)
  const timeOf = async (from: Witness, first: number, second: number): Promise<readonly number[]> => {
    const { body } = await from.add(await request(first, second))
    return cosignaturesOf(`${printHead(headAt(second))}\n${body}`, COSIGNERS).map(({ at }) => at)
  }
  const { time } = clock
  assert.deepEqual(await timeOf(witness, 0, 4), [time, time])
  for (const put of [time - 3_600_000, 0]) {
    clock.time = put
    assert.deepEqual(await timeOf(again(), 4, 4), [time, time])
  }
  assert.deepEqual(await timeOf(again(), 4, 8), [time, time])
})

test('openWitnessStore finds all in witness.db alone: a copy without the WAL forgets nothing', async (t) => {
  const { witness, folder } = open(t, OURS)
  await witness.add(await request(0, 4))
  const copy = path.join(folder, 'copy.db')
  fs.copyFileSync(path.join(folder, 'witness.db'), copy)
  const database = openDatabase(copy)
  t.after(() => database.close())
  assert.equal(openWitnessStore(database).newest(ORIGIN)?.head.size, 4)
})

const FORGOTTEN: readonly [why: string, change: (file: string, from: Database) => void][] = [
  ['the file is empty', (file) => fs.truncateSync(file)],
  ['the file is cut', (file) => fs.truncateSync(file, 4_096)],
  ['the table is gone', (_file, from) => from.prepare('DROP TABLE witnessed').run()],
  ['a size was changed', (_file, from) => from.prepare('UPDATE witnessed SET size = 2').run()],
  ['an origin was changed', (_file, from) => from.prepare("UPDATE witnessed SET origin = 'x'").run()],
  ['a root was changed', (_file, from) => from.prepare('UPDATE witnessed SET root = zeroblob(32)').run()],
  ['a root is none', (_file, from) => from.prepare("UPDATE witnessed SET root = x'00'").run()],
  ['a checkpoint was changed', (_file, from) => from.prepare("UPDATE witnessed SET note = 'x'").run()],
]

for (const [why, change] of FORGOTTEN)
  test(`openWitnessStore opens nothing that was forgotten: ${why}`, async (t) => {
    const { witness, folder } = open(t, OURS)
    await witness.add(await request(0, 4))
    const file = path.join(folder, 'copy.db')
    fs.copyFileSync(path.join(folder, 'witness.db'), file)
    const before = openDatabase(file)
    change(file, before)
    before.close()
    assert.throws(
      () => {
        const database = openDatabase(file)
        t.after(() => database.close())
        openWitnessStore(database)
      },
      { code: 'home.damaged' },
    )
  })

test('add answers with no cosignature while it cannot remember: afterwards it goes on where it was', async (t) => {
  const { witness, folder, again } = open(t, OURS)
  await witness.add(await request(0, 4))
  const database = openDatabase(path.join(folder, 'witness.db'))
  t.after(() => database.close())
  const [{ page_count: pages = 0 } = {}] = database.prepare('PRAGMA page_count').all()
  const full = new Witness({
    signers: COSIGNERS,
    logs: OURS,
    store: openWitnessStore(database),
    clock: new HandClock(),
    onInconsistent: () => undefined,
  })
  // As a full disk: the greatest checkpoint needs more pages than there are.
  database.prepare(`PRAGMA max_page_count = ${Number(pages)}`).all()
  const checkpoint = await signNote(`${printHead(headAt(8))}${'x'.repeat(60_000)}\n`, [LOG], 0)
  const body = printAddCheckpoint({ oldSize: 4, proof: proofOf(4, 8), checkpoint })
  await assert.rejects(full.add(body), { code: 'home.unwritable' })
  assert.equal((await again().add(await request(0, 20))).body, '4\n')
  assert.equal((await witness.add(await request(4, 20))).status, 200)
})

test('parseAddCheckpoint reads what printAddCheckpoint prints', () => {
  const asked = { oldSize: 7, proof: proofOf(7, 20), checkpoint: 'a\n\nb\n' }
  assert.deepEqual(parseAddCheckpoint(printAddCheckpoint(asked)), asked)
})

interface Suite {
  readonly name: string
  readonly log: { readonly sigsumPublicKeyHex?: string; readonly vkey?: string; readonly origin: string }
  readonly cases: readonly { request: string; status: number; bodyEquals?: string; bodyContains?: string }[]
}

/** c2sp.org/tlog-witness asks for 404 where the origin is unknown; the set has 403 there. */
const DIFFERS = 'unknown log'
const CORPUS = fixtureFolder('tlog/witness')

test('a witness answers as others do', { skip: CORPUS === undefined && NO_CORPUS }, async (t) => {
  const file = path.join(CORPUS ?? '', 'add-checkpoint.json')
  const { suites } = JSON.parse(fs.readFileSync(file, 'utf8')) as { suites: readonly Suite[] }
  for (const { name, log, cases } of suites) {
    const { vkey, sigsumPublicKeyHex: hex, origin } = log
    const key = vkey === undefined ? noteVerifier(origin, Buffer.from(hex ?? '', 'hex')) : parseLogKey(vkey)
    const { witness } = open(t, new Map([[origin, [key ?? assert.fail(name)]]]))
    for (const [at, each] of cases.entries()) {
      const { status, body } = await witness.add(each.request)
      const wanted = each.bodyContains === DIFFERS ? 404 : each.status
      assert.equal(status, wanted, `${name} ${at}`)
      if (each.bodyEquals !== undefined) assert.equal(body, each.bodyEquals)
      if (status === 200) assert.match(body, /^— example\.com\/witness /)
    }
  }
})
