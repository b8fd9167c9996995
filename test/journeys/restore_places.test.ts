import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import { gatehouse, removeHome, temporaryHome } from '../support/gatehouse_process.ts'

interface Places {
  readonly home: string
  readonly target: string
  readonly other: string
  readonly keyed: readonly string[]
}

/** A home and its backup, and where another one is to be. */
async function places(t: TestContext): Promise<Places> {
  const folder = await temporaryHome()
  t.after(async () => await removeHome(folder))
  const secret = path.join(folder, 'backup.key')
  await writeFile(secret, Buffer.alloc(40, 'k'), { mode: 0o600 })
  const [home, target, other] = [
    path.join(folder, 'home'),
    path.join(folder, 'copy'),
    path.join(folder, 'other'),
  ]
  const keyed = ['--key-file', secret]
  assert.equal((await gatehouse(['key', 'list', '--home', home])).status, 0)
  assert.equal((await gatehouse(['backup', target, ...keyed, '--home', home])).status, 0)
  return { home, target, other, keyed }
}

test('a restore takes nothing away in its place but what a restore has put there, least of all the backup', async (t) => {
  const { target, other, keyed } = await places(t)
  const place = `${other}.restoring`
  await mkdir(place, { mode: 0o700 })
  const [inside, link] = [path.join(place, 'copy'), `${target}-link`]
  await rename(target, inside)
  await symlink(inside, link)
  const before = await readdir(path.join(inside, 'objects'))
  for (const source of [inside, link]) {
    const { status, stderr } = await gatehouse(['restore', source, ...keyed, '--home', other])
    assert.equal(status, 64, stderr)
  }
  await rename(inside, target)
  await writeFile(path.join(place, 'precious'), 'kept')
  const refused = await gatehouse(['restore', target, ...keyed, '--home', other])
  assert.match(refused.stderr, /home\.occupied/)
  assert.deepEqual(await readdir(place), ['precious'])
  assert.deepEqual(await readdir(path.join(target, 'objects')), before)
  assert.equal((await gatehouse(['backup', 'verify', target, ...keyed])).status, 0)
})

test('a restore makes its home beside one that is named with a slash at its end', async (t) => {
  const { target, other, keyed } = await places(t)
  const { status, stderr } = await gatehouse(['restore', target, ...keyed, '--home', `${other}/`])
  assert.equal(status, 0, stderr)
  assert.ok(existsSync(path.join(other, 'state.db')))
})

test('a backup into a folder that cannot be locked says so of that folder, and not of the home', async (t) => {
  const { home, target, keyed } = await places(t)
  await mkdir(path.join(target, 'lock.db-journal'))
  const { stderr } = await gatehouse(['backup', target, ...keyed, '--home', home])
  assert.match(stderr, /copy cannot be written, or its disk is full\. \(copy\.failed\)/)
})

test('a restore that is told of a damaged head or manifest says which, and a check goes on to the ledger', async (t) => {
  const { target, other, keyed } = await places(t)
  for (const name of ['gatehouse-backup.copy', 'manifest']) await writeFile(path.join(target, name), 'x')
  const checked = await gatehouse(['backup', 'verify', target, ...keyed, '--json'])
  assert.equal(checked.status, 65)
  const said = JSON.parse(checked.stdout) as Record<string, unknown>
  assert.deepEqual([said['ok'], said['damaged']], [false, ['gatehouse-backup.copy', 'manifest']])
  assert.match(String(said['statement']), /internally consistent/)
  const restored = await gatehouse(['restore', target, ...keyed, '--home', other])
  assert.match(restored.stdout, /so that its twin was read: manifest\n/)
})
