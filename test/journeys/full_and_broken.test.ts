import assert from 'node:assert/strict'
import { chmod, cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { gatehouse, removeHome, startDoor, temporaryHome } from '../support/gatehouse_process.ts'
import { journey, refusal, say } from '../support/journey.ts'

const REFUSED_IN_A_ROW = 5
const SMALL_LEDGER =
  'models:\n  echo: { provider: echo }\nledger: { max_bytes: 600000, reserve_bytes: 200000 }\n'

test('a full ledger refuses callers with 503 and does nothing, but a key can still be revoked', async () => {
  const home = await temporaryHome()
  await writeFile(path.join(home, 'gatehouse.yaml'), SMALL_LEDGER)
  await journey(
    async ({ key, client, json, door }) => {
      const demo = await key('demo', '--models', 'echo')
      const answered = await callUntilRefused(async () => say(client(demo.key), 'hello'))
      assert.ok(answered > 10, `refused after ${String(answered)}`)
      const told = await refusal(say(client(demo.key), 'hello'))
      assert.deepEqual([told.status, told.code], [503, 'ledger.unwritable'])
      assert.equal((await fetch(`${door().door}/readyz`)).status, 503)
      await json('key', 'revoke', demo.kid)
      const after = await refusal(say(client(demo.key), 'hello'))
      assert.ok(after.status === 401 || after.status === 503, String(after.status))
      assert.ok((await bytesUnder(path.join(home, 'ledger'))) <= 620_000)
    },
    { home },
  )
})

test('a second process on the same home is turned away, and the first goes on', async () => {
  await journey(async ({ home, door }) => {
    const second = await gatehouse([
      'up',
      '--home',
      home,
      '--listen',
      '127.0.0.1:0',
      '--admin-listen',
      '127.0.0.1:0',
      '--metrics-listen',
      '127.0.0.1:0',
    ])
    assert.equal(second.status, 75)
    assert.match(second.stderr, /home\.locked/)
    assert.equal((await fetch(`${door().door}/healthz`)).status, 200)
  })
})

test('a door whose lock was taken away does nothing more: another process may be in', async () => {
  await journey(async ({ home, key, client, door, cli }) => {
    const demo = await key('demo', '--models', 'echo')
    await say(client(demo.key), 'hello')
    const before = await cli('ledger', 'verify', '--json')
    await rm(path.join(home, 'lock.db'))
    const told = await refusal(say(client(demo.key), 'hello'))
    assert.deepEqual([told.status, told.code], [503, 'ledger.unwritable'])
    assert.equal((await fetch(`${door().door}/readyz`)).status, 503)
    await door().stop()
    assert.equal((await cli('ledger', 'verify', '--json')).stdout, before.stdout, 'nothing was written since')
  })
})

test('a home that cannot be written is a clear error', async (context) => {
  const home = await temporaryHome()
  const blocked = path.join(home, 'file')
  await writeFile(blocked, 'not a folder')
  const onFile = await gatehouse(['up', '--home', path.join(blocked, 'home')])
  assert.equal(onFile.status, 73, onFile.stderr)
  assert.match(onFile.stderr, /home\.unwritable/)
  if (process.getuid?.() === 0) {
    context.diagnostic('the read-only folder is not tried: this user may write everywhere')
  } else {
    const readOnly = path.join(home, 'read-only')
    await mkdir(readOnly, { mode: 0o500 })
    const onReadOnly = await gatehouse(['up', '--home', readOnly])
    assert.equal(onReadOnly.status, 73, onReadOnly.stderr)
    await chmod(readOnly, 0o700)
  }
  await removeHome(home)
})

const BAD_CONFIGURATIONS: readonly (readonly [why: string, text: string, says: readonly RegExp[]])[] = [
  [
    'an unknown key names the nearest valid one',
    'modles:\n  echo: { provider: echo }\n',
    [/modles/, /models/],
  ],
  [
    'all problems are told at once',
    'listen: 12\nmodels:\n  a: { provider: echo, regoin: eu }\n  b: { provider: nobody }\n',
    [/listen/, /models\.a\.regoin/, /models\.b/],
  ],
  [
    'a literal secret is refused with the path of its field',
    'models:\n  m: { provider: openai, base_url: "http://127.0.0.1:1/v1", model: x, key: "a-literal-key" }\n',
    [/models\.m\.key/],
  ],
]

for (const [why, text, says] of BAD_CONFIGURATIONS) {
  test(`a bad configuration stops the start with exit 78: ${why}`, async () => {
    const home = await temporaryHome()
    await writeFile(path.join(home, 'gatehouse.yaml'), text)
    for (const args of [['up'], ['config', 'check']]) {
      const result = await gatehouse([...args, '--home', home])
      assert.equal(result.status, 78, result.stderr)
      for (const pattern of says) assert.match(result.stderr + result.stdout, pattern)
      assert.doesNotMatch(result.stderr + result.stdout, /a-literal-key/)
    }
    await removeHome(home)
  })
}

const EXPOSED: readonly (readonly [why: string, args: readonly string[]])[] = [
  ['the door', ['--listen', '0.0.0.0:0']],
  ['the admin listener', ['--admin-listen', '0.0.0.0:0']],
  ['the metrics listener', ['--metrics-listen', '[::]:0']],
]

for (const [why, args] of EXPOSED) {
  test(`an address outside loopback without TLS exits 78 with one line: ${why}`, async () => {
    const home = await temporaryHome()
    const result = await gatehouse(['up', '--home', home, ...args])
    assert.equal(result.status, 78, result.stderr)
    assert.match(result.stderr, /listener\.exposed/)
    await removeHome(home)
  })
}

test('a ledger put back to an older state is noticed: a new log starts, and its first entry states what is lost', async () => {
  await journey(async ({ home, key, client, door, restart, cli }) => {
    const demo = await key('demo', '--models', 'echo')
    await door().stop()
    const older = await temporaryHome()
    await cp(path.join(home, 'ledger'), older, { recursive: true })
    await restart()
    await say(client(demo.key), 'this will be lost')
    await door().stop()
    await rm(path.join(home, 'ledger'), { recursive: true })
    await cp(older, path.join(home, 'ledger'), { recursive: true })
    await removeHome(older)
    await restart()
    const verified = await cli('ledger', 'verify')
    assert.equal(verified.status, 65)
    assert.match(verified.stdout, /4 entries before it were lost/)
    await say(client(demo.key), 'and the door goes on')
  })
})

test('a door that is asked to stop finishes what it does and exits 0', async () => {
  const home = await temporaryHome()
  const door = await startDoor(home)
  assert.equal(await door.stop('SIGTERM'), 0)
  const verified = await gatehouse(['ledger', 'verify', '--home', home])
  assert.equal(verified.status, 0, verified.stdout)
  await removeHome(home)
})

/** How many calls were answered before so many in a row were not: at the edge what waits to be written counts as well. */
async function callUntilRefused(call: () => Promise<unknown>): Promise<number> {
  let answered = 0
  let refused = 0
  for (let count = 0; count < 5_000; count += 1) {
    const isAnswered = await call().then(
      () => true,
      () => false,
    )
    if (isAnswered) answered += 1
    refused = isAnswered ? 0 : refused + 1
    if (refused === REFUSED_IN_A_ROW) return answered
  }
  throw new Error('the ledger never filled up')
}

async function bytesUnder(folder: string): Promise<number> {
  let bytes = 0
  for (const entry of await readdir(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += (await stat(path.join(entry.parentPath, entry.name))).size
  }
  return bytes
}
