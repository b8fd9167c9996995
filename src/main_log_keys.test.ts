import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { createPrivateFolder, readPrivateFolder } from '#base/private_folder.ts'
import { addMissingLogKey, logKeysIn, newLogKeyFiles, rotateLogKeys } from '#trust/vault/log_key_files.ts'
import { emptyDisk, HandClock, KEYS, openOn, readAll } from '../test/support/ledger_fixture.ts'
import type { SimulatedFiles } from '../test/support/simulated_files.ts'
import { openLogKeys, type OpenLogKeys } from './main_log_keys.ts'

interface Scene {
  readonly home: string
  readonly clock: HandClock
  open(hasNewKey?: boolean): Promise<OpenLogKeys>
  /** The changes on record, as `what` and the rest. */
  changes(): Promise<readonly (readonly [what: unknown, after: unknown])[]>
}

async function scene(t: TestContext, withMlDsa = true): Promise<Scene> {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-main-log-keys-'))
  const directory = path.join(home, 'keys')
  const files: SimulatedFiles = await emptyDisk()
  const clock = new HandClock()
  createPrivateFolder(directory, newLogKeyFiles())
  if (!withMlDsa) fs.rmSync(path.join(directory, 'ledger.ml-dsa.pem'))
  const keys = logKeysIn(readPrivateFolder(directory) ?? assert.fail())
  const ledger = await openOn(files, { clock, keys: { ...KEYS, ...keys } })
  t.after(async () => {
    await ledger.close()
    fs.rmSync(home, { recursive: true, force: true })
  })
  return {
    home,
    clock,
    open: async (hasNewKey = false) => {
      const found = logKeysIn(readPrivateFolder(directory) ?? assert.fail())
      const opened = await openLogKeys({ home, keys: found, ledger, clock, hasNewKey })
      t.after(() => opened.close())
      return opened
    },
    changes: async () =>
      (await readAll(files)).map(({ leaf }): readonly [unknown, unknown] => [leaf['what'], leaf['after']]),
  }
}

test('openLogKeys records the key that an older home got, in full where it is short', async (t) => {
  const { home, open, changes } = await scene(t, false)
  assert.equal(addMissingLogKey(path.join(home, 'keys')), true)
  const { named } = await open(true)
  const [[what, after] = assert.fail()] = await changes()
  assert.equal(what, 'log_key:create')
  assert.ok(Array.isArray(after))
  assert.equal(after[0], named[0]?.key)
  assert.match(String(after[1]), /^sha256:[0-9a-f]{64}$/)
})

test('rotate gives the ledger new keys at once, and destroys those that end at once', async (t) => {
  const { home, open, changes } = await scene(t)
  const keys = await open()
  const before = keys.fields()
  await keys.rotate(0)
  assert.notDeepEqual(keys.fields(), before)
  assert.deepEqual(
    keys.named.map(({ state }) => state),
    ['signs', 'signs', 'ended', 'ended'],
  )
  assert.deepEqual(fs.readdirSync(path.join(home, 'keys')), [
    'ledger-2.ml-dsa.pem',
    'ledger-2.pem',
    'ledger.ends',
  ])
  assert.deepEqual((await changes()).at(-1), ['log_key:destroy', undefined])
})

test('openLogKeys destroys what has ended while no door ran', async (t) => {
  const { home, clock, open, changes } = await scene(t)
  rotateLogKeys(path.join(home, 'keys'), clock.now() + 1_000)
  const first = await open()
  assert.equal(first.named.filter(({ state }) => state === 'ends').length, 2)
  assert.deepEqual(await changes(), [])
  clock.time += 1_000
  await open()
  assert.deepEqual(await changes(), [['log_key:destroy', undefined]])
  assert.equal(fs.existsSync(path.join(home, 'keys', 'ledger.pem')), false)
})

test('rotate lets only so many pairs sign at once: a checkpoint with more could not be read', async (t) => {
  const { clock, open } = await scene(t)
  const keys = await open()
  for (let pairs = 2; pairs <= 4; pairs++) await keys.rotate(86_400_000)
  const before = keys.named
  await assert.rejects(keys.rotate(86_400_000), { code: 'key.conflicting' })
  assert.deepEqual(keys.named, before)
  await keys.rotate(0)
  assert.equal(keys.named.filter(({ state }) => state === 'ends').length, 0)
  for (let pairs = 2; pairs <= 4; pairs++) await keys.rotate(1_000)
  await assert.rejects(keys.rotate(1_000), { code: 'key.conflicting' })
  clock.time += 1_000
  await keys.rotate(1_000)
})
