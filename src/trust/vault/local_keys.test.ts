import assert from 'node:assert/strict'
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { inspect } from 'node:util'
import { ed25519PublicBytes, hmacSha256 } from '#base/crypto.ts'
import { openLocalKeys, type LocalKeys } from './local_keys.ts'

const NAMES = ['ledger.ml-dsa.pem', 'ledger.pem', 'pepper-1.key', 'pseudonym.key', 'sidecar.key']
/** A home of a time when there were no such keys gets one when the door starts, and says so in the ledger. */
const NEEDED = NAMES.slice(1)

function newHome(t: TestContext): { readonly directory: string; open(isNewHome?: boolean): LocalKeys } {
  const home = fs.mkdtempSync(join(tmpdir(), 'gatehouse-keys-'))
  t.after(() => fs.rmSync(home, { recursive: true, force: true }))
  const directory = join(home, 'keys')
  return { directory, open: (isNewHome = false) => openLocalKeys({ directory, isNewHome }) }
}

suite('openLocalKeys', () => {
  test('openLocalKeys makes the keys of a new home, for its owner only, and loads the same again', (t) => {
    const home = newHome(t)
    const made = home.open(true)
    const loaded = home.open()
    assert.deepEqual(loaded.log, made.log)
    assert.deepEqual(loaded.sidecarKey, made.sidecarKey)
    assert.deepEqual(loaded.pseudonymKey, made.pseudonymKey)
    assert.deepEqual(loaded.peppers.mac('1', 'text'), made.peppers.mac('1', 'text'))
    assert.equal(ed25519PublicBytes(loaded.log.signingPem).length, 32)
    assert.notDeepEqual(loaded.sidecarKey, loaded.pseudonymKey)
    assert.deepEqual(fs.readdirSync(home.directory).sort(), NAMES)
    assert.equal(fs.statSync(home.directory).mode & 0o777, 0o700)
    for (const name of NAMES) assert.equal(fs.statSync(join(home.directory, name)).mode & 0o777, 0o600, name)
  })

  test('openLocalKeys never makes a key that an older home lacks', (t) => {
    const home = newHome(t)
    assert.throws(() => home.open(false), { code: 'home.damaged' }, 'no folder')
    fs.mkdirSync(home.directory, { mode: 0o700 })
    assert.throws(() => home.open(false), { code: 'home.damaged' }, 'an empty folder')
    home.open(true)
    for (const name of NEEDED) {
      const bytes = fs.readFileSync(join(home.directory, name))
      fs.rmSync(join(home.directory, name))
      assert.throws(() => home.open(true), { code: 'home.damaged' }, name)
      assert.equal(fs.existsSync(join(home.directory, name)), false, `${name} was not made anew`)
      fs.writeFileSync(join(home.directory, name), bytes, { mode: 0o600 })
    }
    home.open()
  })

  test('openLocalKeys refuses keys that others may read, and says what to run', (t) => {
    const home = newHome(t)
    home.open(true)
    const rows: readonly (readonly [path: string, mode: number, fix: RegExp])[] = [
      [join(home.directory, 'ledger.pem'), 0o640, /chmod 600/],
      [join(home.directory, 'sidecar.key'), 0o604, /chmod 600/],
      [home.directory, 0o750, /chmod 700/],
    ]
    for (const [path, mode, fix] of rows) {
      const before = fs.statSync(path).mode & 0o777
      fs.chmodSync(path, mode)
      assert.throws(() => home.open(), { code: 'home.damaged', say: fix }, path)
      fs.chmodSync(path, before)
    }
    home.open()
  })

  test('openLocalKeys refuses a key that is not one', (t) => {
    const home = newHome(t)
    home.open(true)
    const rsaLike =
      '-----BEGIN PRIVATE KEY-----\nMEECAQAwEwYHKoZIzj0CAQYIKoZIzj0DAQc=\n-----END PRIVATE KEY-----\n'
    const rows: readonly (readonly [why: string, name: string, text: string])[] = [
      ['no PEM', 'ledger.pem', 'hello'],
      ['a broken PEM', 'ledger.pem', rsaLike],
      ['too short', 'sidecar.key', 'short'],
      ['too long', 'pseudonym.key', 'x'.repeat(33)],
      ['far too long', 'pepper-1.key', 'x'.repeat(70_000)],
      ['a second pepper cut short', 'pepper-2.key', ''],
    ]
    for (const [why, name, text] of rows) {
      const path = join(home.directory, name)
      const before = fs.existsSync(path) ? fs.readFileSync(path) : undefined
      fs.writeFileSync(path, text, { mode: 0o600 })
      assert.throws(() => home.open(), { code: 'home.damaged' }, why)
      if (before === undefined) fs.rmSync(path)
      else fs.writeFileSync(path, before)
    }
    home.open()
  })

  test('openLocalKeys refuses what is no plain file, and a place that it cannot write', (t) => {
    const home = newHome(t)
    home.open(true)
    const link = join(home.directory, 'pepper-2.key')
    fs.symlinkSync(join(home.directory, 'pepper-1.key'), link)
    assert.throws(() => home.open(), { code: 'home.damaged' })
    fs.rmSync(link)
    fs.mkdirSync(link, { mode: 0o700 })
    assert.throws(() => home.open(), { code: 'home.damaged' })
    const directory = join(home.directory, 'ledger.pem')
    assert.throws(() => openLocalKeys({ directory, isNewHome: true }), { code: 'home.unwritable' })
    assert.throws(() => openLocalKeys({ directory: '/proc/gatehouse/keys', isNewHome: true }), {
      code: 'home.unwritable',
    })
  })

  test('openLocalKeys goes on after a start that was cut off: the folder comes whole or not at all', (t) => {
    const home = newHome(t)
    fs.mkdirSync(`${home.directory}.new`)
    fs.writeFileSync(join(`${home.directory}.new`, 'ledger.pem'), 'half')
    home.open(true)
    assert.deepEqual(fs.readdirSync(home.directory).sort(), NAMES)
    assert.equal(fs.existsSync(`${home.directory}.new`), false)
  })

  test('peppers hash under the newest and still know the older ones', (t) => {
    const home = newHome(t)
    const before = home.open(true).peppers.mac('1', 'text')
    const second = new Uint8Array(32).fill(9)
    fs.writeFileSync(join(home.directory, 'pepper-10.key'), second, { mode: 0o600 })
    fs.writeFileSync(join(home.directory, 'pepper-2.key'), new Uint8Array(32), { mode: 0o600 })
    const { peppers } = home.open()
    assert.equal(peppers.current, '10')
    assert.deepEqual(peppers.mac('1', 'text'), before)
    assert.deepEqual(peppers.mac('10', 'text'), hmacSha256(second, 'text'))
    assert.deepEqual([peppers.has('1'), peppers.has('3')], [true, false])
    assert.throws(() => peppers.mac('3', 'text'), { code: 'internal.bug' })
  })

  test('LocalKeys has no printable form', (t) => {
    const keys = newHome(t).open(true)
    const printed = [
      String(keys),
      JSON.stringify({ keys }),
      inspect(keys, { showHidden: true, depth: 9 }),
    ].join()
    assert.equal(printed, '[keys],{"keys":"[keys]"},[keys]')
  })
})
