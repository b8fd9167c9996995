import assert from 'node:assert/strict'
import { createPrivateKey, sign } from 'node:crypto'
import fs from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import { newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import { openUpstream } from '#base/http_client.ts'
import { openDatabase } from '#base/sqlite.ts'
import { printHead } from '#trust/ledger/checkpoint.ts'
import type { Checkpoints, SignedHead } from '#trust/ledger/checkpointer.ts'
import { cosignaturesOf, ed25519Cosigner, mlDsa44Cosigner } from '#trust/ledger/cosignature.ts'
import { witnessedAt } from '#trust/ledger/held_outside.ts'
import { logKeysOf, verifiersOf } from '#trust/ledger/log_keys.ts'
import { parseNote, signatureLine, type NoteSigner } from '#trust/ledger/note.ts'
import { TiledLog } from '#trust/ledger/tiled_log.ts'
import type { Ledger } from '#trust/ledger/ledger.ts'
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
import { verifyLedger } from '#trust/ledger/verify.ts'
import { Gathering } from './gathering.ts'
import { WitnessClient } from './witness_client.ts'
import { Witness } from './witness.ts'
import { makeWitnessStore, openWitnessStore } from './witness_store.ts'

const PUBLIC = logKeysOf(KEYS, 0)
/** The Ed25519 keys of the witnesses, by name. */
const PEMS = new Map<string, string>()

interface Running {
  readonly signers: readonly NoteSigner[]
  readonly origin: string
  /** Requests so far. */
  asked: number
  /** Answers in place of the witness, once. */
  next: ((response: ServerResponse) => void) | undefined
}

/** A real witness behind a real server. */
async function startWitness(t: TestContext, clock: HandClock, log: string, name: string): Promise<Running> {
  const pem = newEd25519Pem()
  PEMS.set(name, pem)
  const signers = [ed25519Cosigner(name, pem), mlDsa44Cosigner(name, newMlDsa44Pem())]
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-gathering-'))
  const database = openDatabase(path.join(folder, 'witness.db'))
  makeWitnessStore(database)
  const witness = new Witness({
    signers,
    logs: new Map([[log, verifiersOf(PUBLIC, log)]]),
    store: openWitnessStore(database),
    clock,
    onInconsistent: () => undefined,
  })
  const running: Omit<Running, 'origin'> = { signers, asked: 0, next: undefined }
  const server = createServer((request, response) => {
    running.asked += 1
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const instead = running.next
      running.next = undefined
      if (instead !== undefined) return instead(response)
      return void witness.add(Buffer.concat(chunks).toString('utf8')).then(({ status, type, body }) => {
        response.writeHead(status, { 'content-type': type }).end(body)
      })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    database.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return Object.assign(running, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}

interface Scene {
  readonly files: SimulatedFiles
  readonly clock: HandClock
  readonly ledger: Ledger
  readonly witnesses: readonly Running[]
  gathering(quorum: number, checkpoints?: Gathered, on?: SimulatedFiles): Gathering
}

type Gathered = Pick<Checkpoints, 'newest' | 'cosigned' | 'cosign'>

async function scene(t: TestContext, count: number): Promise<Scene> {
  const files = await emptyDisk()
  const clock = new HandClock()
  const ledger = await openOn(files, { clock })
  t.after(async () => ledger.close())
  const folder = await newestFolder(files)
  const witnesses: Running[] = []
  for (let at = 0; at < count; at++)
    witnesses.push(await startWitness(t, clock, ledger.origin, `example.test/w${at}`))
  const clients = (on: SimulatedFiles): WitnessClient[] =>
    witnesses.map(({ signers, origin }) => {
      const upstream = openUpstream({
        origin,
        connections: 1,
        connectTimeoutMs: 5_000,
        headersTimeoutMs: 5_000,
        bodyTimeoutMs: 5_000,
        totalTimeoutMs: 5_000,
        maxAnswerBytes: 100_000,
      })
      t.after(async () => upstream.close())
      const tree = new TiledLog(on, folder)
      return new WitnessClient({
        keys: signers,
        upstream,
        path: '/add-checkpoint',
        consistencyProof: async (first, second) => await tree.consistencyProof(first, second),
        clock,
        firstWaitMs: 1_000,
      })
    })
  return {
    files,
    clock,
    ledger,
    witnesses,
    gathering: (quorum, checkpoints = ledger.checkpoints, on = files) =>
      new Gathering({ witnesses: clients(on), quorum, checkpoints, clock, everyMs: 1_000 }),
  }
}

async function grow(ledger: Ledger, entries: number): Promise<SignedHead> {
  for (let at = 0; at < entries; at++) await ledger.append(intent(at))
  await ledger.checkpoint()
  return ledger.checkpoints.newest
}

function sizeOf(signed: SignedHead | undefined): number | undefined {
  return signed?.head.size
}

test('a round puts the cosignatures of all witnesses behind the checkpoint: again when it has grown', async (t) => {
  const { ledger, files, witnesses, gathering, clock } = await scene(t, 2)
  const keys = witnesses.flatMap(({ signers }) => signers)
  const gatherer = gathering(2)
  for (const entries of [3, 300]) {
    const { head, text } = await grow(ledger, entries)
    clock.time += 60_000
    await gatherer.round()
    const { newest, cosigned } = ledger.checkpoints
    assert.deepEqual(newest.head, head)
    assert.ok(newest.text.startsWith(text), 'what the log signed stays as it is')
    assert.equal(cosignaturesOf(newest.text, keys).length, 4)
    assert.equal(cosigned?.head.size, head.size)
    const policy = { quorum: 2, witnesses: witnesses.map(({ signers }) => signers) }
    assert.equal(witnessedAt(cosigned.text, policy), clock.time)
    const { path } = await newestFolder(files)
    assert.equal(Buffer.from(files.all().get(`${path}/checkpoint`) ?? []).toString('utf8'), newest.text)
    assert.equal(parseNote(newest.text)?.signatures.length, 6)
  }
  assert.deepEqual(
    gatherer.witnesses.map(({ entries, problem }) => [entries, problem]),
    [
      [303, undefined],
      [303, undefined],
    ],
  )
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER })).problems, [])
})

test('a round asks nobody without need: the log has not grown, and an hour has not passed', async (t) => {
  const { ledger, witnesses, gathering, clock } = await scene(t, 1)
  await grow(ledger, 3)
  const gatherer = gathering(1)
  await gatherer.round()
  const [{ asked } = assert.fail()] = witnesses
  await gatherer.round()
  assert.equal(witnesses[0]?.asked, asked)
  clock.time += 3_600_000
  await gatherer.round()
  assert.equal(witnesses[0]?.asked, asked + 1)
  assert.equal(gatherer.witnesses[0]?.at, clock.time)
})

test('too few cosignatures are kept with the newest checkpoint, and count for nothing yet', async (t) => {
  const { ledger, witnesses, gathering, clock } = await scene(t, 2)
  await grow(ledger, 3)
  const gatherer = gathering(2)
  const [first = assert.fail(), second = assert.fail()] = witnesses
  second.next = (response) => response.writeHead(503).end('later')
  await gatherer.round()
  assert.equal(cosignaturesOf(ledger.checkpoints.newest.text, first.signers).length, 2)
  assert.equal(ledger.checkpoints.cosigned, undefined)
  assert.equal(gatherer.witnesses[1]?.problem, 'answers 503')
  assert.equal(gatherer.witnesses[1]?.contradicts, false)
  const { asked } = second
  await gatherer.round()
  assert.equal(second.asked, asked, 'not asked again at once')
  clock.time += 1_000
  await gatherer.round()
  assert.equal(sizeOf(ledger.checkpoints.cosigned), 3)
  assert.equal(gatherer.witnesses[1]?.problem, undefined)
})

test('a new start goes on where witnesses are: it finds what they cosigned, or they say it', async (t) => {
  const { ledger, files, clock, witnesses, gathering } = await scene(t, 1)
  await grow(ledger, 3)
  await gathering(1).round()
  // One that remembers nothing is told.
  const { newest, cosign } = { newest: await grow(ledger, 5), cosign: async () => Promise.resolve() }
  await gathering(1, { newest, cosigned: undefined, cosign }).round()
  await ledger.close()
  const again = await openOn(files, { clock })
  t.after(async () => again.close())
  assert.equal(sizeOf(again.checkpoints.cosigned), 3)
  const gatherer = gathering(1, again.checkpoints)
  assert.equal(gatherer.witnesses[0]?.entries, 3)
  const { asked } = witnesses[0] ?? assert.fail()
  await gatherer.round()
  assert.equal(sizeOf(again.checkpoints.cosigned), 8)
  assert.equal(witnesses[0]?.asked, asked + 2, 'one answer with the size, one with the cosignature')
})

const LIES: readonly [why: string, answer: (response: ServerResponse) => void, problem: RegExp][] = [
  [
    'a line of another key',
    (response) => response.end('— example.test/x AAAAAAAAAAAAAAAAAAAA\n'),
    /no signature of its keys/,
  ],
  ['no line', (response) => response.end('thanks'), /no signature of its keys/],
  ['nothing', (response) => response.end(), /no signature of its keys/],
  [
    'a conflict without a size',
    (response) => response.writeHead(409).end('3\n'),
    /does not say which checkpoint/,
  ],
  [
    'a conflict with a size that is none',
    (response) => response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('many\n'),
    /does not say which checkpoint/,
  ],
  [
    'a conflict with the size it was told',
    (response) => response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('0\n'),
    /does not say which checkpoint/,
  ],
  [
    'more entries than there are',
    (response) => response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('4\n'),
    /has cosigned 4 entries of this log, of which 3 are here: it was rolled back/,
  ],
  ['another history', (response) => response.writeHead(422).end('no'), /another history of this log/],
  ['no such log', (response) => response.writeHead(404).end('no'), /does not know this log/],
  ['no such key', (response) => response.writeHead(403).end('no'), /does not know the key/],
  ['too often', (response) => response.writeHead(429).end('no'), /asked too often/],
  ['a redirect', (response) => response.writeHead(307, { location: 'http://x/' }).end(), /upstream\.invalid/],
  ['an endless answer', (response) => response.end('x'.repeat(100_001)), /upstream\.oversized/],
  ['no answer', (response) => response.destroy(), /upstream\.failed/],
]

for (const [why, answer, problem] of LIES)
  test(`a witness that does not cosign changes nothing, and is told of: ${why}`, async (t) => {
    const { ledger, witnesses, gathering } = await scene(t, 1)
    const { text } = await grow(ledger, 3)
    const gatherer = gathering(1)
    const [witness = assert.fail()] = witnesses
    witness.next = answer
    await gatherer.round()
    assert.match(gatherer.witnesses[0]?.problem ?? '', problem)
    assert.equal(ledger.checkpoints.newest.text, text)
    assert.equal(ledger.checkpoints.cosigned, undefined)
  })

const FALSE_LINES: readonly [
  why: string,
  line: (text: string, signer: NoteSigner) => Promise<string>,
  problem: RegExp,
][] = [
  [
    'of a longer text that begins with the checkpoint',
    async (text, signer) => `x\n\n${await signer.sign(`${text}x\n`, new HandClock().now())}`,
    /no signature of its keys/,
  ],
  [
    'of another size',
    async (text, signer) => await signer.sign(text.replace('\n3\n', '\n4\n'), new HandClock().now()),
    /no signature of its keys/,
  ],
  [
    'of a time two days ahead',
    async (text, signer) => await signer.sign(text, new HandClock().now() + 2 * 86_400_000),
    /states a time that is not now/,
  ],
  [
    'of a time that no date can show',
    async (text, signer) => await signer.sign(text, 8e18),
    /no signature of its keys/,
  ],
  [
    'of the time 0',
    async (text, signer) => await Promise.resolve(timeless(text, signer)),
    /states a time that is not now/,
  ],
]

/** A line as a witness of another make could give, which states no time. */
function timeless(text: string, signer: NoteSigner): string {
  const message = Buffer.from(`cosignature/v1\ntime 0\n${text}`)
  const key = PEMS.get(signer.name) ?? assert.fail()
  return signatureLine(signer, Buffer.concat([Buffer.alloc(8), sign(null, message, createPrivateKey(key))]))
}

for (const [why, line, problem] of FALSE_LINES)
  test(`a witness signs what it was not asked for: nothing is kept: ${why}`, async (t) => {
    const { ledger, witnesses, gathering } = await scene(t, 1)
    const { head, text } = await grow(ledger, 3)
    const [witness = assert.fail()] = witnesses
    const [signer = assert.fail()] = witness.signers
    // With the signatures of the log for the first case, since that is the text that a reader would split off.
    const signed = why.startsWith('of a longer') ? text : printHead(head)
    const body = await line(signed, signer)
    witness.next = (response) => response.end(body)
    const gatherer = gathering(1)
    await gatherer.round()
    assert.match(gatherer.witnesses[0]?.problem ?? '', problem)
    assert.equal(ledger.checkpoints.newest.text, text)
    assert.equal(ledger.checkpoints.cosigned, undefined)
  })

test('a witness of the older specification refuses a fork of the same size with 409: it is told as a fork', async (t) => {
  const { ledger, witnesses, gathering, clock } = await scene(t, 1)
  await grow(ledger, 3)
  const gatherer = gathering(1)
  await gatherer.round()
  const [witness = assert.fail()] = witnesses
  for (const answer of [
    (response: ServerResponse) => response.writeHead(409).end(),
    (response: ServerResponse) => response.writeHead(409, { 'content-type': 'text/x.tlog.size' }).end('3\n'),
  ]) {
    clock.time += 3_600_000
    witness.next = answer
    await gatherer.round()
    assert.match(gatherer.witnesses[0]?.problem ?? '', /another history of this log/)
    assert.equal(gatherer.witnesses[0]?.contradicts, true)
  }
})

test('a witness that is slow holds nobody up who is not needed: and cosigns later what it was asked for', async (t) => {
  const { ledger, witnesses, gathering, clock } = await scene(t, 3)
  const [fast = assert.fail(), other = assert.fail(), slow = assert.fail()] = witnesses
  const gatherer = gathering(2)
  await grow(ledger, 3)
  const asked = Promise.withResolvers<ServerResponse>()
  slow.next = asked.resolve
  await gatherer.round()
  const held = await asked.promise
  const first = ledger.checkpoints.newest
  assert.equal(sizeOf(ledger.checkpoints.cosigned), 3)
  // Rounds go on without it, and ask it nothing else meanwhile.
  await grow(ledger, 4)
  clock.time += 1_000
  await gatherer.round()
  assert.equal(sizeOf(ledger.checkpoints.cosigned), 7)
  assert.deepEqual([fast.asked, other.asked, slow.asked], [2, 2, 1])
  const line = await slow.signers[0]?.sign(`${first.text.split('\n\n')[0]}\n`, clock.now())
  held.end(line)
  await gatherer.close()
  assert.equal(gatherer.witnesses[2]?.entries, 3)
  assert.equal(sizeOf(ledger.checkpoints.cosigned), 7, 'an older one takes no newer one back')
})

test('a witness refuses a fork of the log that it knows, whatever the log says', async (t) => {
  const { ledger, files, clock, gathering } = await scene(t, 1)
  const before = files.reopen('kept')
  await grow(ledger, 3)
  await gathering(1).round()
  // The same log from the copy, with other entries.
  const twin = await openOn(before, { clock })
  t.after(async () => twin.close())
  assert.equal(twin.origin, ledger.origin)
  for (let at = 10; at < 15; at++) await twin.append(intent(at))
  await twin.checkpoint()
  const gatherer = gathering(1, twin.checkpoints, before)
  await gatherer.round()
  assert.match(gatherer.witnesses[0]?.problem ?? '', /another history of this log/)
  assert.equal(gatherer.witnesses[0]?.contradicts, true)
  assert.equal(twin.checkpoints.cosigned, undefined)
})

test('cosignatures that cannot be written are a problem, and gathered again', async (t) => {
  const { ledger, gathering, clock } = await scene(t, 1)
  const newest = await grow(ledger, 3)
  const state = { fails: true, kept: 0 }
  const cosign = async (): Promise<void> => {
    if (state.fails) throw new Error('EIO')
    state.kept += 1
    return Promise.resolve()
  }
  const gatherer = gathering(1, { newest, cosigned: undefined, cosign })
  await gatherer.round()
  assert.match(gatherer.problem ?? '', /cannot be written/)
  state.fails = false
  clock.time += 3_600_000
  await gatherer.round()
  assert.equal(gatherer.problem, undefined)
  assert.equal(state.kept, 1)
})

test('start asks by itself, and close waits for who is being asked', async (t) => {
  const { ledger, gathering, witnesses } = await scene(t, 1)
  await grow(ledger, 3)
  const answered = Promise.withResolvers<void>()
  const [witness = assert.fail()] = witnesses
  witness.next = (response) => {
    answered.resolve()
    setImmediate(() => response.writeHead(500).end())
  }
  const gatherer = gathering(1)
  gatherer.start()
  await answered.promise
  await gatherer.close()
  assert.equal(gatherer.witnesses[0]?.problem, 'answers 500')
})
