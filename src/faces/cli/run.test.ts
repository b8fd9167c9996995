import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { isJsonObject, type JsonObject } from '#base/json.ts'
import { run } from '../../../test/support/cli_world.ts'
import { COMMANDS } from './commands/all.ts'
import type { DoorLine } from './world.ts'

const NOWHERE = '--home /nonexistent/gatehouse-home'

const WRONG: readonly (readonly [why: string, line: string, near: string])[] = [
  ['a command with a letter wrong', 'docter', 'gatehouse doctor'],
  ['a group alone', 'key', 'key list'],
  ['a group with an option', 'ledger --config x', 'ledger verify'],
  ['a verb with a letter wrong', 'key creat', 'gatehouse key create'],
  ['an option with a letter wrong', 'key create --nam x', '--name'],
  ['a global option with a letter wrong', 'doctor --jsn', '--json'],
  ['an option without its value', 'key create --name', '--name needs a value'],
  ['an option given twice', 'key create --name x --env live --env test', '--env may be given only once'],
  ['an option given twice in both forms', 'doctor --home /a --home=/b', '--home may be given only once'],
  ['a switch with a value', 'doctor --json=yes', '--json takes no value'],
  ['a short option', 'doctor -j', 'no such option'],
  ['a word too many', 'doctor now', 'takes nothing more'],
  ['a word too few', 'why', 'takes ID'],
  ['a name that is missing', 'key create', '--name'],
  ['a length of time that is none', 'key create --name x --expires-in soon', '--expires-in'],
  ['a range the wrong way round', 'ledger show --from 5 --to 1', '--to'],
  ['a number that is none', 'ledger tail --lines many', '--lines'],
]
for (const [why, line, near] of WRONG) {
  test(`runCli refuses with 64 and says what would be right: ${why}`, async () => {
    const { exit, stdout, stderr } = await run(`${line} ${line.startsWith('ledger') ? '' : NOWHERE}`.trim())
    const isLedger = line.startsWith('ledger')
    if (isLedger && exit !== 64) return assert.match(stderr, /no ledger/)
    assert.deepEqual([exit, stdout], [64, ''])
    assert.ok(stderr.toLowerCase().includes(near.toLowerCase()), stderr)
    return undefined
  })
}

for (const { name } of COMMANDS) {
  test(`runCli prints help with an example: ${name}`, async () => {
    const { exit, stdout } = await run(`${name} --help`)
    assert.equal(exit, 0)
    assert.match(stdout, /Example:\n {2}\.\/gatehouse /)
    assert.match(stdout, new RegExp(`gatehouse ${name}`))
  })
}

test('COMMANDS keeps the contract: names are unique, files are named for them, and all files are listed', () => {
  const names = COMMANDS.map(({ name }) => name)
  assert.equal(new Set(names).size, names.length)
  const files = readdirSync(`${import.meta.dirname}/commands`).filter((file) => !file.startsWith('all.'))
  assert.deepEqual(
    names.map((name) => `${name.replaceAll(/[ -]/g, '_')}.ts`).sort(),
    files.filter((file) => !file.endsWith('.test.ts')).sort(),
  )
  for (const { name, example, summary } of COMMANDS) {
    assert.ok(example.startsWith(`./gatehouse ${name}`), name)
    assert.ok(!summary.endsWith('.'), name)
  }
})

test('runCli prints version and help', async () => {
  assert.equal((await run('--version')).stdout, 'gatehouse 9.9.9\n')
  for (const line of ['', '--help', 'help']) assert.match((await run(line)).stdout, /Commands:/)
  assert.match((await run('key --help')).stdout, /key rotate KID/)
  assert.doesNotMatch((await run('key --help')).stdout, /policy apply/)
  assert.equal(JSON.parse((await run('--version --json')).stdout).text, 'gatehouse 9.9.9')
})

test('runCli tells where a ledger is damaged: a file in the place of a log, a pipe in that of the version', async (t) => {
  const home = mkdtempSync(join(tmpdir(), 'gatehouse-damaged-'))
  t.after(() => rmSync(home, { recursive: true, force: true }))
  const place = join(home, 'ledger', '0001-AAAAAAAAAAAAAAAA')
  mkdirSync(join(home, 'ledger'))
  writeFileSync(place, 'x')
  for (const line of ['ledger show --from 0 --to 1', 'ledger tail', 'ledger export x', 'ledger verify']) {
    const { exit, stdout, stderr } = await run(`${line} --home ${home}`)
    assert.equal(exit, 65, line)
    assert.ok(`${stdout}${stderr}`.includes(`${place}: not a folder of a ledger`), `${line}: ${stderr}`)
  }
  execFileSync('mkfifo', [join(home, 'version')])
  for (const line of ['ledger verify', 'ledger tail', 'ledger export x', 'ledger reindex', 'doctor']) {
    const { exit, stderr } = await run(`${line} --home ${home}`)
    assert.notEqual(exit, 70, line)
    assert.ok(line === 'ledger reindex' || stderr.includes('HOME/version'), `${line}: ${stderr}`)
  }
})

test('runCli tells a fault with --json on standard output, with the same exit status', async () => {
  const plain = await run(`key list ${NOWHERE}`)
  const json = await run(`key list ${NOWHERE} --json`)
  assert.deepEqual([plain.exit, json.exit], [75, 75])
  assert.equal(json.stderr, '')
  const { error } = JSON.parse(json.stdout) as { error: JsonObject }
  assert.deepEqual([error['code'], error['exit']], ['home.locked', 75])
  assert.match(plain.stderr, /home\.locked/)
})

test('runCli reports every problem of a configuration at once', async () => {
  const problems = [
    { path: 'listn', line: 1, column: 1, message: 'is not a known key' },
    { path: 'models.x.key', line: 4, column: 9, message: 'must be a reference' },
  ]
  const checkConfig = async () => Promise.reject(new Fault('config.invalid', { problems }))
  const plain = await run('config check', { checkConfig })
  assert.equal(plain.exit, 78)
  assert.match(plain.stderr, /1:1 {2}listn is not a known key\n {2}4:9 {2}models\.x\.key must be a reference/)
  const json = JSON.parse((await run('config check --json', { checkConfig })).stdout) as { error: JsonObject }
  assert.deepEqual(json.error['problems'], problems)
})

test('runCli turns a mistake of its own into internal.bug: nothing is thrown past it', async () => {
  const readConfig = async () => Promise.reject(new TypeError('secret detail'))
  const { exit, stderr } = await run('config show', { readConfig })
  assert.equal(exit, 70)
  assert.ok(!stderr.includes('secret detail'))
})

test('runCli sends a writing verb to the door that it opens, and closes that door', async () => {
  const sent: unknown[] = []
  let isClosed = false
  const line: DoorLine = {
    call: async (method, path, body) => {
      sent.push([method, path, body])
      return Promise.resolve({ status: 201, body: { key: 'gate_x', kid: 'k', name: 'n', expires_at: 't' } })
    },
    close: async () => {
      isClosed = true
      return Promise.resolve()
    },
  }
  const command = 'key create --name n --models a,b --cidr 10.0.0.0/8 --env test --expires-in 2h'
  const { exit, stdout } = await run(`${command} ${NOWHERE}`, { openDoor: async () => Promise.resolve(line) })
  assert.equal(exit, 0)
  assert.equal(stdout.split('\n')[0], 'gate_x', 'the key stands alone on its line')
  const body = {
    name: 'n',
    environment: 'test',
    expires_in_ms: 7_200_000,
    models: ['a', 'b'],
    addresses: ['10.0.0.0/8'],
  }
  assert.deepEqual(sent, [['POST', '/admin/keys', body]])
  assert.ok(isClosed)
})

const REFUSALS: readonly (readonly [why: string, body: JsonObject, exit: number])[] = [
  ['a problem', { type: 'x', code: 'key.conflicting', detail: 'Two secrets.', entry: 'abc' }, 65],
  ['OpenAI’s envelope', { error: { code: 'action.denied', message: 'no' } }, 77],
  ['a code of another version', { code: 'later.code' }, 69],
  ['no problem at all', { oops: true }, 69],
]
for (const [why, body, exit] of REFUSALS) {
  test(`runCli ends as the door refused: ${why}`, async () => {
    const line: DoorLine = {
      call: async () => Promise.resolve({ status: 409, body }),
      close: async () => Promise.resolve(),
    }
    assert.ok(isJsonObject(body))
    const ran = await run(`key rotate AAAAAAAAAAAA ${NOWHERE}`, {
      openDoor: async () => Promise.resolve(line),
    })
    assert.equal(ran.exit, exit)
  })
}

test('runCli does not take an answer in a form that it does not know', async () => {
  const line: DoorLine = {
    call: async () => Promise.resolve({ status: 200, body: {} }),
    close: async () => Promise.resolve(),
  }
  assert.equal((await run(`key list ${NOWHERE}`, { openDoor: async () => Promise.resolve(line) })).exit, 69)
})
