import assert from 'node:assert/strict'
import { chmod, readFile, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { gatehouse, removeHome, startDoor, temporaryHome } from '../support/gatehouse_process.ts'

const CHAT = 'models:\n  echo: { provider: echo }\n'

test('a door does not open in a home that others may write: it says the command that mends it', async () => {
  const home = await temporaryHome()
  try {
    await chmod(home, 0o770)
    for (const verb of [['up'], ['key', 'create', '--name', 'x']]) {
      const { status, stderr } = await gatehouse([...verb, '--home', home])
      assert.equal(status, 77, stderr)
      assert.match(stderr, new RegExp(`chmod go-w ${home}`))
    }
    await chmod(home, 0o700)
    await (await startDoor(home)).stop()
  } finally {
    await removeHome(home)
  }
})

test('a link in the home is not written through: neither where the door runs nor the first key', async () => {
  const home = await temporaryHome()
  const outside = await temporaryHome()
  const victim = path.join(outside, 'victim')
  await writeFile(victim, 'precious')
  for (const name of ['running.json', 'first-key']) await symlink(victim, path.join(home, name))
  const door = await startDoor(home)
  try {
    assert.equal(await readFile(victim, 'utf8'), 'precious')
    assert.match(await readFile(path.join(home, 'first-key'), 'utf8'), /^gate_/)
    assert.match(await readFile(path.join(home, 'running.json'), 'utf8'), /"pid"/)
  } finally {
    await door.stop()
    await removeHome(home)
    await removeHome(outside)
  }
})

const REFUSED: readonly (readonly [why: string, text: string])[] = [
  ['open to all in plain text', 'listen: 0.0.0.0:0'],
  ['operators in plain text', 'admin_listen: "[::]:0"'],
  ['an exception that has ended', declared('2020-01-01')],
  ['an exception for a listener that has none', `${declared('2099-01-01')}\nmetrics_listen: 0.0.0.0:0`],
  ['a metrics token that is not there', 'metrics_token: { from_env: GATEHOUSE_NO_SUCH_TOKEN }'],
  ['a certificate that is not there', 'tls: { cert: none.pem, key: none.key }'],
]

test('config check refuses what up would refuse, with the same status and code', async () => {
  for (const [why, text] of REFUSED) {
    const home = await temporaryHome()
    await writeFile(path.join(home, 'gatehouse.yaml'), `${text}\n${CHAT}`)
    const [checked, started] = await Promise.all([
      gatehouse(['config', 'check', '--home', home]),
      gatehouse(['up', '--home', home]),
    ])
    assert.deepEqual([checked.status, started.status], [78, 78], `${why}: ${checked.stdout}${started.stderr}`)
    assert.equal(checked.stderr.match(/\([a-z.]+\)/)?.[0], started.stderr.match(/\([a-z.]+\)/)?.[0], why)
    await removeHome(home)
  }
})

test('config check takes a name that is this machine, and an exception that holds', async () => {
  for (const text of ['listen: localhost:0', declared('2099-01-01')]) {
    const home = await temporaryHome()
    await writeFile(path.join(home, 'gatehouse.yaml'), `${text}\n${CHAT}`)
    const { status, stderr } = await gatehouse(['config', 'check', '--home', home])
    assert.equal(status, 0, stderr)
    await removeHome(home)
  }
})

function declared(expires: string): string {
  return [
    'listen: 0.0.0.0:0',
    'trusted_proxies: [10.0.0.0/8]',
    `insecure_plaintext_listener: { reason: TLS ends in the mesh, expires: "${expires}" }`,
  ].join('\n')
}
