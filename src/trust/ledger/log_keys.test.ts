import assert from 'node:assert/strict'
import { test } from 'node:test'
import { utf8 } from '#base/bytes.ts'
import { ed25519PublicBytes, mlDsa44PublicBytes, newEd25519Pem, newMlDsa44Pem } from '#base/crypto.ts'
import {
  emptyDisk,
  HandClock,
  intent,
  KEYS,
  LEDGER,
  newestFolder,
  openOn,
  readAll,
} from '../../../test/support/ledger_fixture.ts'
import { openCheckpoint } from './checkpoint.ts'
import { isAmong, logKeysOf, LogSigners, namedLogKeys, verifiersOf, type LogKeyring } from './log_keys.ts'
import { noteVerifier, parseNote, printVerifierKey } from './note.ts'
import { listOrigins } from './layout.ts'
import { successionOf } from './succession.ts'
import { verifyLedger } from './verify.ts'

const DAY_MS = 86_400_000
const START = new HandClock().now()

/** The ring after a rotation: the old pair signs on until a time, or is destroyed. */
function rotated(endsAt: number, isKept = true): LogKeyring {
  const { signingPem, mlDsaPem } = KEYS
  return {
    signingPem: newEd25519Pem(),
    mlDsaPem: newMlDsa44Pem(),
    earlier: [
      {
        ed25519: ed25519PublicBytes(signingPem),
        mlDsa44: mlDsa44PublicBytes(mlDsaPem),
        endsAt,
        pair: isKept ? { signingPem, mlDsaPem } : undefined,
      },
    ],
  }
}

test('LogSigners sign with the newest pair first, and with older ones until they end', () => {
  const ring = rotated(START + DAY_MS)
  const signers = new LogSigners(ring, 'example.test/log')
  const [newest, older] = logKeysOf(ring, START)
  const keysAt = (now: number): (Uint8Array | undefined)[] => signers.at(now).map((each) => each.publicKey)
  assert.deepEqual(keysAt(START), [newest?.ed25519, newest?.mlDsa44, older?.ed25519, older?.mlDsa44])
  assert.deepEqual(keysAt(START + DAY_MS), [newest?.ed25519, newest?.mlDsa44])
  const destroyed = rotated(START + DAY_MS, false)
  assert.equal(new LogSigners(destroyed, 'example.test/log').at(START).length, 2)
})

test('logKeysOf says which have ended', () => {
  const ring = rotated(START)
  assert.deepEqual(
    logKeysOf(ring, START - 1).map(({ hasEnded }) => hasEnded),
    [false, false],
  )
  assert.deepEqual(
    logKeysOf(ring, START).map(({ hasEnded }) => hasEnded),
    [false, true],
  )
  const [key = assert.fail()] = verifiersOf(logKeysOf(KEYS, 0), 'any.test')
  assert.ok(isAmong(logKeysOf(ring, START), key))
  assert.ok(!isAmong(logKeysOf({ signingPem: newEd25519Pem() }, START), key))
})

test('namedLogKeys tells what to note outside: what signs, until when, and what has ended', () => {
  const ring = rotated(START)
  const keys = logKeysOf(ring, START)
  const printed = keys.map((key) => verifiersOf([key], 'example.test/log').map(printVerifierKey))
  assert.deepEqual(
    printed.map((each) => each.length),
    [2, 2],
  )
  const expected = (state: string): unknown => [
    ...(printed[0] ?? []).map((key) => ({ key, state: 'signs', endsAt: undefined })),
    ...(printed[1] ?? []).map((key) => ({ key, state, endsAt: START })),
  ]
  assert.deepEqual(namedLogKeys(ring, 'example.test/log', START - 1), expected('ends'))
  assert.deepEqual(namedLogKeys(ring, 'example.test/log', START), expected('ended'))
  const { signingPem } = ring
  const key = printVerifierKey(noteVerifier('example.test/log', ed25519PublicBytes(signingPem)))
  assert.deepEqual(namedLogKeys({ signingPem }, 'example.test/log', START), [
    { key, state: 'signs', endsAt: undefined },
  ])
})

test('verifyLedger wants a signature of each kind of key of the home: whatever the folder of the log names', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  await ledger.checkpoint()
  await ledger.close()
  const logKeys = logKeysOf(KEYS, START)
  const problems = async (keys: { readonly logKeys?: typeof logKeys }): Promise<readonly string[]> =>
    (await verifyLedger({ files, directory: LEDGER, keys })).problems.map(({ what }) => what)
  assert.deepEqual(await problems({ logKeys }), [])
  const { path } = await newestFolder(files)
  // Who can write there leaves out what names the second key, and the line that it has signed.
  for (const name of ['origin', 'checkpoint']) {
    const text = Buffer.from(files.all().get(`${path}/${name}`) ?? assert.fail()).toString('utf8')
    files.tamper(`${path}/${name}`, utf8(text.replace(/[^\n]+\n$/, '')))
  }
  assert.deepEqual(await problems({ logKeys }), ['not signed by any key of type 6 that signs for this home'])
  // A home that has no such key, and one that is not known, ask for none.
  assert.deepEqual(await problems({ logKeys: logKeys.map((key) => ({ ...key, mlDsa44: undefined })) }), [])
  assert.deepEqual(await problems({}), [])
})

test('rekey signs with both pairs while they overlap: whoever knows one of them alone can check it', async () => {
  const files = await emptyDisk()
  const clock = new HandClock()
  const ledger = await openOn(files, { clock })
  await ledger.append(intent(1))
  const before = await ledger.checkpoint()
  const ring = rotated(START + DAY_MS)
  await ledger.checkpoints.rekey(ring)
  const both = ledger.checkpoints.newest.text
  const [newest = assert.fail(), older = assert.fail()] = logKeysOf(ring, START)
  const of = (key: typeof newest) => verifiersOf([key], ledger.origin)
  assert.equal(parseNote(both)?.signatures.length, 4)
  assert.equal(openCheckpoint(both, of(newest))?.size, 1)
  assert.equal(openCheckpoint(both, of(older))?.size, 1)
  assert.equal(openCheckpoint(before, of(newest)), undefined)
  assert.equal(openCheckpoint(before, verifiersOf([newest, older], ledger.origin))?.size, 1)
  clock.time += DAY_MS
  await ledger.append(intent(2))
  const after = await ledger.checkpoint()
  assert.equal(openCheckpoint(after, of(older)), undefined)
  assert.equal(openCheckpoint(after, of(newest))?.size, 2)
  await ledger.close()
  // What is on disk says so to who knows nothing else, and what was held outside before still proves what it did.
  for (const keys of [{}, { logKeys: logKeysOf(ring, clock.now()) }])
    assert.deepEqual((await verifyLedger({ files, directory: LEDGER, keys, against: before })).problems, [])
  const reopened = await openOn(files, { clock, keys: { ...KEYS, ...ring } })
  assert.equal(reopened.origin, ledger.origin)
  await reopened.close()
})

test('a crash between the new key and the new checkpoint leaves a log that opens: the old key still signs', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  await ledger.close()
  const ring = rotated(START + DAY_MS)
  const reopened = await openOn(files, { keys: { ...KEYS, ...ring } })
  assert.equal(reopened.origin, ledger.origin)
  await reopened.checkpoint()
  const newest = logKeysOf(ring, START).slice(0, 1)
  assert.equal(openCheckpoint(reopened.checkpoints.newest.text, verifiersOf(newest, ledger.origin))?.size, 1)
  await reopened.close()
  assert.deepEqual((await verifyLedger({ files, directory: LEDGER })).problems, [])
})

test('a log that only ended keys have signed is not appended to: another one follows it and says where it stood', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  await ledger.close()
  const ring = rotated(START, false)
  const next = await openOn(files, { keys: { ...KEYS, ...ring } })
  assert.notEqual(next.origin, ledger.origin)
  assert.deepEqual(next.state().problems, [])
  await next.close()
  const [opening] = await readAll(files)
  const succession = successionOf(opening?.leaf ?? assert.fail())
  assert.equal(succession?.before?.origin, ledger.origin)
  assert.equal(succession.before.size, 1)
  const logKeys = logKeysOf(ring, START)
  const report = await verifyLedger({ files, directory: LEDGER, keys: { logKeys } })
  assert.deepEqual(report.problems, [])
  assert.equal(report.origins.length, 2)
})

test('verifyLedger does not take the word of a key that has ended for the newest log', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  await ledger.close()
  const logKeys = logKeysOf(rotated(START, false), START)
  const { problems } = await verifyLedger({ files, directory: LEDGER, keys: { logKeys } })
  assert.match(problems[0]?.what ?? '', /signed by the keys that were replaced/)
})

test('a home from a time without ML-DSA-44 goes on with it: the folder names the new key, the checkpoint has its line', async () => {
  const files = await emptyDisk()
  const keys = { ...KEYS, mlDsaPem: undefined }
  const ledger = await openOn(files, { keys })
  await ledger.append(intent(1))
  const before = await ledger.checkpoint()
  assert.equal(parseNote(before)?.signatures.length, 1)
  await ledger.close()
  const later = await openOn(files)
  assert.equal(later.origin, ledger.origin)
  await later.checkpoint()
  assert.equal(parseNote(later.checkpoints.newest.text)?.signatures.length, 2)
  await later.close()
  assert.deepEqual(
    (await verifyLedger({ files, directory: LEDGER, keys: { logKeys: logKeysOf(KEYS, 0) }, against: before }))
      .problems,
    [],
  )
})

test('verifyLedger misses the line of a key that the folder names: a checkpoint of the weaker one alone is not whole', async () => {
  const files = await emptyDisk()
  const ledger = await openOn(files)
  await ledger.append(intent(1))
  const text = await ledger.checkpoint()
  await ledger.close()
  const { path } = await newestFolder(files)
  const lines = text.split('\n')
  files.tamper(`${path}/checkpoint`, Buffer.from([...lines.slice(0, 5), ''].join('\n')))
  const { problems } = await verifyLedger({ files, directory: LEDGER })
  assert.match(problems[0]?.what ?? '', /^not signed by the key [0-9a-f]{8} of the log$/)
  files.tamper(`${path}/checkpoint`, Buffer.from([...lines.slice(0, 4), lines[5], ''].join('\n')))
  assert.match((await verifyLedger({ files, directory: LEDGER })).problems[0]?.what ?? '', /^not signed by/)
  assert.equal((await listOrigins(files, LEDGER)).strange.length, 0)
})
