import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { newEd25519Pem, newEs256Pem } from '#base/crypto.ts'
import { Sealed } from '#base/sealed.ts'
import { tokenKeyFiles } from './token_key_files.ts'

function newFolder(t: TestContext): string {
  const folder = fs.mkdtempSync(join(tmpdir(), 'gatehouse-token-keys-'))
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }))
  const keys = join(folder, 'keys')
  fs.mkdirSync(keys, { mode: 0o700 })
  return keys
}

test('tokenKeyFiles keeps keys in files that only their owner may read, oldest first', (t) => {
  const folder = newFolder(t)
  const files = tokenKeyFiles(folder)
  assert.deepEqual(files.load(), [])
  const pem = newEs256Pem()
  files.add({ madeAt: 1_790_000_000_001, pem: new Sealed(newEs256Pem()) })
  files.add({ madeAt: 9, pem: new Sealed(pem) })
  fs.writeFileSync(join(folder, 'ledger.pem'), 'other', { mode: 0o600 })
  const loaded = files.load()
  assert.deepEqual(
    loaded.map(({ madeAt }) => madeAt),
    [9, 1_790_000_000_001],
  )
  assert.equal(
    loaded[0]?.pem.open((text) => text),
    pem,
  )
  for (const name of fs.readdirSync(folder)) assert.equal(fs.statSync(join(folder, name)).mode & 0o777, 0o600)
  assert.deepEqual(fs.readdirSync(join(folder, '..')), ['keys'], 'nothing is left beside it')
  files.remove(9)
  files.remove(9)
  assert.deepEqual(
    files.load().map(({ madeAt }) => madeAt),
    [1_790_000_000_001],
  )
})

test('tokenKeyFiles replaces no key, goes on after an unfinished write, and refuses what is no key', (t) => {
  const folder = newFolder(t)
  const files = tokenKeyFiles(folder)
  const key = { madeAt: 5, pem: new Sealed(newEs256Pem()) }
  fs.writeFileSync(`${folder}.token-0000000000005.pem.new`, 'half')
  files.add(key)
  assert.throws(() => files.add(key), { code: 'home.unwritable' })
  fs.writeFileSync(join(folder, 'token-0000000000006.pem'), newEd25519Pem(), { mode: 0o600 })
  assert.throws(() => files.load(), { code: 'home.damaged' })
  fs.writeFileSync(join(folder, 'token-0000000000006.pem'), 'nothing', { mode: 0o600 })
  assert.throws(() => files.load(), { code: 'home.damaged' })
  assert.throws(() => tokenKeyFiles(join(folder, 'no')).remove(1), { code: 'home.unwritable' })
})
