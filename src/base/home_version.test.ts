import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { test } from 'node:test'
import { utf8 } from './bytes.ts'
import { NODE_FILES } from './files.ts'
import { HOME_FORMAT, readHomeVersion, writeHomeVersion } from './home_version.ts'
import { emptyDisk } from '../../test/support/ledger_fixture.ts'

test('readHomeVersion gives what writeHomeVersion wrote, and undefined where nothing is', async () => {
  const files = await emptyDisk()
  assert.equal(await readHomeVersion(files, '/home'), undefined)
  const version = { format: HOME_FORMAT, recorded: 1, program: '1.2.3' }
  await writeHomeVersion(files, '/home', version)
  assert.deepEqual(await readHomeVersion(files, '/home'), version)
})

test('readHomeVersion refuses what is no plain file: a pipe, a folder, a link', async (t) => {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-version-'))
  t.after(() => fs.rmSync(home, { recursive: true, force: true }))
  const place = path.join(home, 'version')
  for (const make of [
    () => execFileSync('mkfifo', [place]),
    () => fs.mkdirSync(place),
    () => fs.symlinkSync('/dev/zero', place),
  ]) {
    make()
    await assert.rejects(readHomeVersion(NODE_FILES, home), { code: 'home.damaged' })
    fs.rmSync(place, { recursive: true })
  }
})

const TEXTS: readonly (readonly [why: string, text: string, code: string, says: RegExp])[] = [
  [
    'a newer format',
    '{"format":99,"program":"9.1.0"}',
    'home.newer',
    /format 99, written by Gatehouse 9\.1\.0;/,
  ],
  ['a newer format with more in it', '{"format":3,"of":"later"}', 'home.newer', /a newer Gatehouse/],
  ['a program that is no name', '{"format":99,"program":"\\u001b[2J"}', 'home.newer', /a newer Gatehouse/],
  ['nothing', '', 'home.damaged', /version/],
  ['no JSON', 'gatehouse', 'home.damaged', /version/],
  ['no number', '{"format":"2"}', 'home.damaged', /version/],
  ['no whole number', '{"format":1.5}', 'home.damaged', /version/],
  ['less than the first', '{"format":0}', 'home.damaged', /version/],
  ['a record from before the first', '{"format":2,"recorded":-40}', 'home.damaged', /version/],
  ['a record of half a step', '{"format":2,"recorded":1.5}', 'home.damaged', /version/],
  ['a record of what is to come', '{"format":2,"recorded":3}', 'home.damaged', /version/],
  ['no record', '{"format":2}', 'home.damaged', /version/],
]
for (const [why, text, code, says] of TEXTS)
  test(`readHomeVersion refuses what it cannot follow: ${why}`, async () => {
    const files = await emptyDisk()
    files.tamper('/home/version', utf8(text))
    await assert.rejects(readHomeVersion(files, '/home'), (thrown: { code: string; say: string }) => {
      assert.equal(thrown.code, code)
      assert.match(thrown.say, says)
      return true
    })
  })
