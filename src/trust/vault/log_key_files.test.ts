import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { ed25519PublicBytes, mlDsa44PublicBytes } from '#base/crypto.ts'
import { createPrivateFolder, readPrivateFolder } from '#base/private_folder.ts'
import {
  addMissingLogKey,
  destroyEndedLogKeys,
  logKeysIn,
  newLogKeyFiles,
  replaceLostLogKeys,
  rotateLogKeys,
  type KeptLogKeys,
} from './log_key_files.ts'

const NOW = 1_795_000_000_000
const DAY_MS = 86_400_000

function newFolder(t: TestContext): string {
  const home = fs.mkdtempSync(join(tmpdir(), 'gatehouse-log-keys-'))
  t.after(() => fs.rmSync(home, { recursive: true, force: true }))
  const directory = join(home, 'keys')
  createPrivateFolder(directory, newLogKeyFiles())
  return directory
}

function load(directory: string): KeptLogKeys {
  return logKeysIn(readPrivateFolder(directory) ?? assert.fail())
}

test('rotateLogKeys makes a pair that signs, and gives the one before it an end', (t) => {
  const directory = newFolder(t)
  const before = load(directory)
  const after = rotateLogKeys(directory, NOW + DAY_MS)
  assert.notEqual(after.signingPem, before.signingPem)
  assert.notEqual(after.mlDsaPem, before.mlDsaPem)
  assert.deepEqual(after.earlier, [
    {
      ed25519: ed25519PublicBytes(before.signingPem),
      mlDsa44: mlDsa44PublicBytes(before.mlDsaPem ?? ''),
      endsAt: NOW + DAY_MS,
      pair: { signingPem: before.signingPem, mlDsaPem: before.mlDsaPem },
    },
  ])
  assert.deepEqual(load(directory), after)
})

test('destroyEndedLogKeys takes the private keys of pairs that have ended, and keeps what they signed provable', (t) => {
  const directory = newFolder(t)
  const { earlier } = rotateLogKeys(directory, NOW)
  assert.equal(destroyEndedLogKeys(directory, NOW - 1), 0)
  assert.equal(destroyEndedLogKeys(directory, NOW), 1)
  assert.equal(destroyEndedLogKeys(directory, NOW), 0)
  assert.deepEqual(fs.readdirSync(directory), ['ledger-2.ml-dsa.pem', 'ledger-2.pem', 'ledger.ends'])
  assert.deepEqual(load(directory).earlier, [{ ...earlier[0], pair: undefined }])
})

test('rotateLogKeys ends all pairs before it: sooner where it was later, never later', (t) => {
  const directory = newFolder(t)
  rotateLogKeys(directory, NOW + 10 * DAY_MS)
  const second = rotateLogKeys(directory, NOW + DAY_MS)
  assert.deepEqual(
    second.earlier.map(({ endsAt }) => endsAt - NOW),
    [DAY_MS, DAY_MS],
  )
  const third = rotateLogKeys(directory, NOW + 5 * DAY_MS)
  assert.deepEqual(
    third.earlier.map(({ endsAt }) => endsAt - NOW),
    [5 * DAY_MS, DAY_MS, DAY_MS],
  )
  assert.equal(rotateLogKeys(directory, NOW).earlier.length, 4)
  assert.equal(destroyEndedLogKeys(directory, NOW), 4)
  assert.equal(load(directory).earlier.length, 4)
})

test('a rotation that a crash broke off leaves the old keys in use: and is begun anew', (t) => {
  for (const left of [['ledger-2.ml-dsa.pem'], ['ledger-2.ml-dsa.pem', 'ledger.ends']] as const) {
    const directory = newFolder(t)
    const before = load(directory)
    for (const name of left) fs.writeFileSync(join(directory, name), 'half', { mode: 0o600 })
    assert.deepEqual(load(directory), before)
    assert.equal(destroyEndedLogKeys(directory, NOW), 0)
    assert.equal(rotateLogKeys(directory, NOW).earlier[0]?.endsAt, NOW)
  }
})

test('a pair without an end that another has followed counts as ended', (t) => {
  const directory = newFolder(t)
  rotateLogKeys(directory, NOW + DAY_MS)
  fs.rmSync(join(directory, 'ledger.ends'))
  assert.equal(load(directory).earlier[0]?.endsAt, 0)
  assert.equal(destroyEndedLogKeys(directory, NOW), 1)
  assert.equal(load(directory).earlier[0]?.endsAt, NOW)
})

test('addMissingLogKey makes the ML-DSA-44 key of an older home, once', (t) => {
  const directory = newFolder(t)
  fs.rmSync(join(directory, 'ledger.ml-dsa.pem'))
  assert.equal(load(directory).mlDsaPem, undefined)
  assert.equal(addMissingLogKey(directory), true)
  assert.equal(addMissingLogKey(directory), false)
  assert.ok(load(directory).mlDsaPem !== undefined)
  fs.rmSync(join(directory, 'ledger.pem'))
  assert.equal(addMissingLogKey(directory), false, 'without the other key it is no home of ours')
  assert.equal(addMissingLogKey(join(directory, 'none')), false)
})

test('replaceLostLogKeys puts a new pair in place of the lost one, which ends at once', (t) => {
  const directory = newFolder(t)
  const { signingPem, mlDsaPem = '' } = load(directory)
  const lost = { ed25519: ed25519PublicBytes(signingPem), mlDsa44: mlDsa44PublicBytes(mlDsaPem) }
  fs.rmSync(join(directory, 'ledger.pem'))
  assert.throws(() => load(directory), { code: 'home.damaged' })
  replaceLostLogKeys(directory, lost, NOW)
  const { earlier, ...pair } = load(directory)
  assert.notEqual(pair.signingPem, signingPem)
  assert.deepEqual(earlier, [{ ...lost, endsAt: NOW, pair: undefined }])
})

test('replaceLostLogKeys keeps what is known of pairs before the lost one: with and without a rotation that broke off', (t) => {
  for (const isBrokenOff of [false, true]) {
    const directory = newFolder(t)
    const first = load(directory)
    rotateLogKeys(directory, NOW)
    destroyEndedLogKeys(directory, NOW)
    const { signingPem, mlDsaPem = '' } = load(directory)
    const lost = { ed25519: ed25519PublicBytes(signingPem), mlDsa44: mlDsa44PublicBytes(mlDsaPem) }
    for (const name of ['ledger-2.pem', 'ledger-2.ml-dsa.pem']) fs.rmSync(join(directory, name))
    if (isBrokenOff) replaceLostLogKeys(directory, lost, NOW)
    if (isBrokenOff)
      for (const name of ['ledger-3.pem', 'ledger-3.ml-dsa.pem']) fs.rmSync(join(directory, name))
    replaceLostLogKeys(directory, lost, NOW)
    assert.deepEqual(
      load(directory).earlier.map(({ ed25519 }) => ed25519),
      [lost.ed25519, ed25519PublicBytes(first.signingPem)],
    )
  }
})

const BROKEN: readonly [why: string, name: string, text: string][] = [
  ['no Ed25519 key', 'ledger-2.pem', 'hello'],
  ['no ML-DSA-44 key', 'ledger-2.ml-dsa.pem', 'hello'],
  ['no time', 'ledger.ends', 'ends soon\ned25519 AAAA\n'],
  ['no key', 'ledger.ends', 'ends 2026-12-01T00:00:00.000Z\n'],
  ['a key that is no base 64', 'ledger.ends', 'ends 2026-12-01T00:00:00.000Z\ned25519 A\n'],
  ['a second key that is none', 'ledger.ends', 'ends 2026-12-01T00:00:00.000Z\ned25519 AAAA\nml-dsa-44 A\n'],
]

for (const [why, name, text] of BROKEN)
  test(`logKeysIn refuses a broken file: ${why}`, (t) => {
    const directory = newFolder(t)
    rotateLogKeys(directory, NOW)
    fs.writeFileSync(join(directory, name), text)
    assert.throws(() => load(directory), { code: 'home.damaged' })
  })
