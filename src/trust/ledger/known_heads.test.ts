import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newEd25519Pem } from '#base/crypto.ts'
import { isJsonObject } from '#base/json.ts'
import {
  emptyDisk,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../../../test/support/simulated_files.ts'
import { peekCheckpoint, signCheckpoint } from './checkpoint.ts'
import { listOrigins } from './layout.ts'
import type { Ledger } from './ledger.ts'
import { noteSigner } from './note.ts'
import { headFromJson, headToJson } from './succession.ts'
import { verifyLedger, type VerifyReport } from './verify.ts'

const ANCHOR = '/anchor/checkpoint'

/** A home as it was, and the checkpoint of what came later. */
async function restored(): Promise<{ files: SimulatedFiles; later: string; origin: string }> {
  const now = await emptyDisk()
  await write(now, 3)
  const files = now.reopen('kept')
  const ledger = await openOn(now)
  const { origin } = ledger
  for (let at = 0; at < 4; at++) await ledger.append(intent(at))
  const later = await ledger.checkpoint()
  await ledger.close()
  return { files, later, origin }
}

test('openLedger starts a new log: the home is older than a checkpoint held outside', async () => {
  const { files, later, origin } = await restored()
  const ledger = await openOn(files, { knownHeads: [later] })
  assert.notEqual(ledger.origin, origin)
  await ledger.append(intent(9))
  await ledger.close()
  const [opening, next] = await readAll(files)
  assert.equal(opening?.leaf['what'], 'ledger.succeeded')
  const before = headFromJson(opening.leaf['before'])
  assert.deepEqual([before?.origin, before?.size], [origin, 3])
  const after = opening.leaf['after']
  assert.ok(Array.isArray(after))
  assert.deepEqual(
    after.map((each) => isJsonObject(each) && [each['origin'], each['size']]),
    [[origin, 7]],
  )
  assert.equal(next?.leaf['kind'], 'intent')
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(whats(report), ['4 entries before it were lost, and no operator accepted that'])
  assert.deepEqual([report.isWhole, report.ok], [true, false], 'all that is here is right')
  assert.deepEqual(
    report.origins.map((each) => each.entries),
    [3, 2],
  )
})

test('openLedger does so once: a gap that is recorded does not start another log', async () => {
  const { files, later } = await restored()
  const first = await openOn(files, { knownHeads: [later] })
  await first.close()
  const second = await openOn(files, { knownHeads: [later] })
  assert.equal(second.origin, first.origin)
  await second.close()
  assert.equal((await listOrigins(files, LEDGER)).folders.length, 2)
})

test('openLedger starts another log: more is known to be lost than was recorded, or of another log', async () => {
  const now = await emptyDisk()
  await write(now, 3)
  const files = now.reopen('kept')
  const ledger = await openOn(now)
  const heads: string[] = []
  for (let at = 0; at < 3; at++) {
    await ledger.append(intent(at))
    heads.push(await ledger.checkpoint())
  }
  await ledger.close()
  const elsewhere = await emptyDisk()
  const other = await openOn(elsewhere)
  await other.append(intent(1))
  heads.push(await other.checkpoint())
  await other.close()
  const logs: string[] = []
  for (const knownHeads of [[heads[1]], [heads[0]], [heads[2]], [heads[1], heads[2]], [heads[3]], heads]) {
    const opened = await openOn(files, { knownHeads: knownHeads.map(String) })
    logs.push(opened.origin)
    await opened.close()
  }
  const names = [...new Set(logs)]
  assert.deepEqual(
    logs.map((origin) => names.indexOf(origin)),
    [0, 0, 1, 1, 2, 2],
  )
})

test('verifyLedger finds a log that follows another state of the one before it: which is longer than it says', async () => {
  const { files, later } = await restored()
  await (await openOn(files, { knownHeads: [later] })).close()
  const [first = assert.fail(), second = assert.fail()] = (await listOrigins(files, LEDGER)).folders
  const alone = files.reopen('kept')
  for (const [name] of files.all()) if (name.startsWith(second.path)) alone.tamper(name, undefined)
  await alone.removeDirectory(second.path)
  await write(alone, 2)
  for (const [name, bytes] of alone.all()) if (name.startsWith(first.path)) files.tamper(name, bytes)
  const { problems, isWhole } = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(problems[0], {
    place: `${second.path} entry 0`,
    what: 'it does not follow the log before it',
  })
  assert.equal(isWhole, false)
})

test('openLedger knows what witnesses have cosigned: the entries were put back, and that file was not', async () => {
  const now = await emptyDisk()
  await write(now, 3)
  const files = now.reopen('kept')
  const { path, origin } = await newestFolder(files)
  const ledger = await openOn(now)
  for (let at = 0; at < 2; at++) await ledger.append(intent(at))
  await ledger.checkpoint()
  await ledger.checkpoints.cosign(ledger.checkpoints.newest, [], true)
  await ledger.close()
  files.tamper(`${path}/cosigned`, now.all().get(`${path}/cosigned`))
  const next = await openOn(files)
  assert.notEqual(next.origin, origin)
  assert.deepEqual(
    next.state().problems.map((each) => each.slice(0, 9)),
    ['2 entries'],
  )
  await next.close()
})

test('openLedger reads anchors too: they reach further than the home', async () => {
  const { files, later, origin } = await restored()
  files.tamper(ANCHOR, Buffer.from(later))
  const ledger = await openOn(files, { anchors: [ANCHOR] })
  assert.notEqual(ledger.origin, origin)
  await ledger.append(intent(1))
  await ledger.checkpoint()
  await ledger.settled()
  assert.equal(ledger.state().unanchored, 0)
  await ledger.close()
  const again = await openOn(files, { anchors: [ANCHOR] })
  assert.equal(again.origin, ledger.origin)
  await again.close()
})

test('openLedger starts a log that states the gap: the whole ledger folder is gone', async () => {
  const { later, origin } = await restored()
  const files = await emptyDisk()
  const ledger = await openOn(files, { knownHeads: [later] })
  await ledger.close()
  const [opening] = await readAll(files)
  assert.equal(opening?.leaf['before'], null)
  assert.match(JSON.stringify(opening?.leaf['after']), new RegExp(`"${origin}","root":"[^"]+","size":7`))
  const report = await verifyLedger({ files, directory: LEDGER })
  assert.deepEqual(whats(report), ['7 entries before it were lost, and no operator accepted that'])
})

test('openLedger goes on: the outside checkpoint is of an older log of this home, or older than the log', async () => {
  const { files, later } = await restored()
  const old = await verifiedCheckpoint(files)
  const first = await openOn(files, { knownHeads: [later] })
  await first.append(intent(5))
  const middle = await first.checkpoint()
  await first.append(intent(6))
  await first.close()
  for (const knownHeads of [[old], [middle], undefined]) {
    const again = await openOn(files, { knownHeads })
    assert.equal(again.origin, first.origin)
    await again.close()
  }
})

test('openLedger finds the root at a size inside a sealed segment', async () => {
  const files = await emptyDisk()
  const options = { segmentBytes: 10_000 }
  const ledger = await openOn(files, options)
  await Promise.all(Array.from({ length: 100 }, (_, at) => ledger.append(intent(at))))
  const knownHead = await ledger.checkpoint()
  await Promise.all(Array.from({ length: 200 }, (_, at) => ledger.append(intent(at))))
  await ledger.checkpoint()
  await ledger.settled()
  await ledger.close()
  const again = await openOn(files, { ...options, knownHeads: [knownHead] })
  assert.equal(again.origin, ledger.origin)
  await again.close()
  const leaves = [...files.all().keys()].find((name) => name.endsWith('.leaves')) ?? assert.fail()
  const bytes = files.all().get(leaves) ?? assert.fail()
  files.tamper(leaves, bytes.subarray(0, -1))
  await assert.rejects(openOn(files, { ...options, knownHeads: [knownHead] }), { code: 'ledger.corrupt' })
})

test('openLedger refuses a fork: the outside checkpoint covers other entries', async () => {
  const { files, later } = await restored()
  await write(files, 9)
  const place = `${(await newestFolder(files)).path} entries 0 to 6`
  const what = 'forked: a checkpoint held outside covers other entries'
  await assert.rejects(openOn(files, { knownHeads: [later] }), {
    code: 'ledger.corrupt',
    detail: { place, what },
  })
})

test('openLedger keeps what cannot be used as a problem: no checkpoint of this key, an unreadable anchor', async () => {
  const files = await emptyDisk()
  await write(files, 1)
  const stranger = await signCheckpoint(
    peekCheckpoint(await verifiedCheckpoint(files)) ?? assert.fail(),
    [noteSigner('gatehouse.local/x', newEd25519Pem())],
    0,
  )
  files.tamper('/anchor/unreadable', Buffer.from('x'))
  const read = files.read.bind(files)
  files.read = (path) => (path === '/anchor/unreadable' ? Promise.reject(new Error('no')) : read(path))
  const ledger = await openOn(files, {
    knownHeads: [stranger],
    anchors: ['/anchor/none', '/anchor/unreadable'],
  })
  assert.deepEqual(ledger.state().problems.toSorted(), [
    '/anchor/unreadable cannot be read',
    'a head kept in the home holds no checkpoint of the key of this home',
  ])
  await ledger.close()
})

test('verifyLedger finds a log that does not follow the one before it', async () => {
  const { files, later } = await restored()
  await (await openOn(files, { knownHeads: [later] })).close()
  const [first, second] = (await listOrigins(files, LEDGER)).folders
  assert.ok(first !== undefined && second !== undefined)
  const other = await emptyDisk()
  await write(other, 2)
  const [foreign] = (await listOrigins(other, LEDGER)).folders
  assert.ok(foreign !== undefined)
  for (const name of ['origin', 'checkpoint', '000000000000.raw'])
    files.tamper(`${first.path}/${name}`, undefined)
  const gone = await verifyLedger({ files, directory: LEDGER })
  assert.match(gone.problems[0]?.what ?? '', /missing/)
  for (const name of ['origin', 'checkpoint', '000000000000.raw'])
    files.tamper(`${foreign.path}/${name}`, other.all().get(`${foreign.path}/${name}`))
  await files.makeDirectory(foreign.path)
  await files.removeDirectory(first.path)
  const replaced = await verifyLedger({ files, directory: LEDGER })
  assert.match(replaced.problems.map((each) => each.what).join(), /does not follow/)
})

test('headFromJson reads what headToJson writes, and nothing else', () => {
  const head = { origin: 'o', size: 5, root: Buffer.alloc(32, 1) }
  assert.deepEqual(headFromJson(headToJson(head)), head)
  for (const value of [
    null,
    undefined,
    'x',
    {},
    { origin: 'o', size: '5', root: 'AAAA' },
    { origin: 'o', size: 5, root: '!' },
  ])
    assert.equal(headFromJson(value), undefined)
})

async function write(files: SimulatedFiles, count: number): Promise<void> {
  const ledger: Ledger = await openOn(files)
  for (let at = 0; at < count; at++) await ledger.append(intent(at))
  await ledger.close()
}

function whats({ problems }: VerifyReport): readonly string[] {
  return problems.map((each) => each.what)
}

async function verifiedCheckpoint(files: SimulatedFiles): Promise<string> {
  const ledger = await openOn(files, { keys: KEYS })
  const text = await ledger.checkpoint()
  await ledger.close()
  return text
}
