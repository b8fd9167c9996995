import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { gatehouse, removeHome, ROOT, startDoor, temporaryHome } from '../support/gatehouse_process.ts'
import { journey, refusal, say } from '../support/journey.ts'

test('why tells a caller of its own request by key, and nothing of the operator’s part', async () => {
  await journey(async ({ key, client, cli, home }) => {
    const { key: own } = await key('own', '--models', 'echo')
    const { key: other } = await key('other', '--models', 'echo')
    const { entry } = await refusal(say(client(own), 'Hello', 'house-model'))
    const told = await cli('why', entry, '--key', own)
    assert.equal(told.status, 0, told.stderr)
    assert.match(told.stdout, /authorize ✗/)
    assert.match(told.stdout, /policies {2}default\.models/)
    assert.doesNotMatch(told.stdout, /^ {2}(reason|caller|resource) /m)
    const fromEnv = await gatehouse(['why', entry, '--home', home, '--json'], { GATEHOUSE_KEY: own })
    assert.equal(JSON.parse(fromEnv.stdout).operator, null)
    assert.equal((await cli('why', entry, '--key', other)).status, 66)
    assert.equal((await cli('why', entry, '--key', `${own}x`)).status, 77)
    const operator = await cli('why', entry)
    assert.match(operator.stdout, /reason {4}scope\.model/)
    assert.match(operator.stdout, /resource {2}Model::"house-model"/)
  })
})

test('why is refused: a key comes, but no door runs to ask', async () => {
  const home = await temporaryHome()
  const { status } = await gatehouse(['why', '0000000000000000', '--key', 'gate_x', '--home', home])
  assert.equal(status, 69)
  await removeHome(home)
})

test('ledger tail --follow prints new entries as they come, and ends with 0 when stopped', async () => {
  await journey(async ({ home, json }) => {
    const args = [
      ...process.execArgv,
      join(ROOT, 'src/main.ts'),
      'ledger',
      'tail',
      '--follow',
      '--lines',
      '1',
      '--json',
    ]
    const child = spawn(process.execPath, [...args, '--home', home], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const seen = async (what: string) => {
      for (let line = await lines.next(); line.done !== true; line = await lines.next()) {
        const { shown } = JSON.parse(line.value) as { shown: { what?: string } }
        if (shown.what === what) return
      }
      assert.fail(`no entry ${what} came`)
    }
    // What it prints first says that it looks.
    await lines.next()
    await json('key', 'create', '--name', 'followed')
    await seen('key:create')
    await json('caller', 'disable', 'followed')
    await seen('caller:disable')
    child.kill('SIGTERM')
    await once(child, 'close')
    assert.equal(child.exitCode, 0)
  })
})

test('doctor ends with 1 and names what failed: the policy files are broken', async () => {
  await journey(async ({ home, cli, door }) => {
    await writeFile(join(home, 'policies', 'broken.cedar'), 'permit (')
    assert.equal((await cli('policy', 'apply')).status, 65)
    const running = await cli('doctor')
    assert.equal(running.status, 1)
    assert.match(running.stdout, /fail {5}Policy set .* the last good set is in force/)
    assert.match(running.stdout, /fix: Run gatehouse policy check/)
    await door().stop()
    const stopped = await cli('doctor', '--json')
    assert.equal(stopped.status, 1)
    const { checks } = JSON.parse(stopped.stdout) as { checks: { id: string; state: string }[] }
    const states = Object.fromEntries(checks.map(({ id, state }) => [id, state]))
    assert.deepEqual([states['policy-healthy'], states['door-running']], ['fail', 'unknown'])
  })
})

test('ledger verify ends with 65 and names the place: one bit of an entry is flipped', async () => {
  const home = await temporaryHome()
  const door = await startDoor(home)
  await door.stop()
  const log = (await readdir(join(home, 'ledger'))).find((name) => name.startsWith('0001')) ?? ''
  const path = join(home, 'ledger', log, '000000000000.raw')
  const bytes = await readFile(path)
  bytes[200] = (bytes[200] ?? 0) ^ 1
  await writeFile(path, bytes)
  const { status, stdout } = await gatehouse(['ledger', 'verify', '--home', home])
  assert.equal(status, 65, stdout)
  assert.match(stdout, /not consistent: .*000000000000\.raw/)
  const doctor = await gatehouse(['doctor', '--home', home])
  assert.equal(doctor.status, 1)
  assert.match(doctor.stdout, /fail {5}Ledger verifies/)
  await removeHome(home)
})

test('the ledger is not verified by keys of its own folder: those of the home are gone, until new ones take their place', async () => {
  const home = await temporaryHome()
  const run = async (...words: readonly string[]) => await gatehouse([...words, '--home', home])
  assert.equal((await run('key', 'create', '--name', 'first')).status, 0)
  assert.equal((await run('ledger', 'key', 'rotate', '--overlap', '0')).status, 0)
  for (const name of ['ledger-2.pem', 'ledger-2.ml-dsa.pem']) await rm(join(home, 'keys', name))
  const verified = await run('ledger', 'verify')
  assert.equal(verified.status, 65, verified.stdout)
  assert.match(verified.stdout, /^not verified: .*keys: The key file ledger-2\.pem is missing/)
  const doctor = await run('doctor')
  assert.equal(doctor.status, 1)
  assert.match(doctor.stdout, /fail {5}Ledger verifies/)
  for (const words of [
    ['ledger', 'key'],
    ['key', 'list'],
  ]) {
    const refused = await run(...words)
    assert.equal(refused.status, 65, words.join(' '))
    assert.match(refused.stderr, /ledger-2\.pem is missing.*gatehouse ledger key replace/s)
  }
  assert.equal((await run('ledger', 'key', 'replace')).status, 0)
  const opened = await run('key', 'list')
  assert.equal(opened.status, 0, opened.stderr)
  const [newest] = (await run('ledger', 'key')).stdout.split('\n')
  assert.ok(opened.stderr.includes(`Note them`) && opened.stderr.includes(newest ?? '?'), opened.stderr)
  assert.equal((await run('key', 'list')).stderr, '')
  assert.equal((await run('ledger', 'verify')).status, 0)
  await removeHome(home)
})

test('ledger verify --against finds a rollback: the checkpoint held elsewhere has more entries', async () => {
  const home = await temporaryHome()
  const door = await startDoor(home)
  await door.stop()
  await cp(join(home, 'ledger'), join(home, 'old'), { recursive: true })
  await gatehouse(['key', 'list', '--home', home])
  const log = (await readdir(join(home, 'ledger'))).find((name) => name.startsWith('0001')) ?? ''
  const held = join(home, 'held.txt')
  await writeFile(held, await readFile(join(home, 'ledger', log, 'checkpoint')))
  assert.equal((await gatehouse(['ledger', 'verify', '--against', held, '--home', home])).status, 0)
  await rm(join(home, 'ledger'), { recursive: true })
  await cp(join(home, 'old'), join(home, 'ledger'), { recursive: true })
  assert.equal((await gatehouse(['ledger', 'verify', '--home', home])).status, 0)
  const found = await gatehouse(['ledger', 'verify', '--against', held, '--home', home])
  assert.equal(found.status, 65)
  assert.match(found.stdout, /rolled back/)
  for (const wrong of ['nowhere', join(home, 'gatehouse.yaml')])
    assert.equal(
      (await gatehouse(['ledger', 'verify', '--against', wrong, '--home', home])).status,
      64,
      wrong,
    )
  await removeHome(home)
})

test('up prints one line with --json, and ends with 0 when it is asked to stop', async () => {
  const home = await temporaryHome()
  const door = await startDoor(home)
  const [ready = '', ...told] = door.printed().split('\n')
  assert.deepEqual(Object.keys(JSON.parse(ready)).sort(), ['admin', 'door', 'home', 'metrics', 'pid'])
  assert.match(told.join('\n'), /^The ledger is checked with these keys\. Note them .*\n\ngatehouse\.local\//)
  assert.equal(await door.stop(), 0)
  const { stdout } = await gatehouse(['listeners', '--home', home])
  assert.match(stdout, /configured; no door is running/)
  await removeHome(home)
})
