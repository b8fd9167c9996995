import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test, type TestContext } from 'node:test'
import { lockHome } from './home_lock.ts'

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-lock-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const HOLDER = `
  import { lockHome } from ${JSON.stringify(new URL('home_lock.ts', import.meta.url).href)}
  lockHome(process.argv[1])
  globalThis.gc()
  process.stdout.write('held')
  setInterval(() => undefined, 60_000)
`

suite('lockHome', () => {
  test('lockHome lets one in: a second process is refused until the first is killed, even when that kept no reference', async (t) => {
    const home = temporaryFolder(t)
    const holder = spawn(
      process.execPath,
      ['--expose-gc', '--input-type=module-typescript', '--eval', HOLDER, home],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    t.after(() => holder.kill('SIGKILL'))
    await once(holder.stdout, 'data')
    assert.throws(() => lockHome(home), { code: 'home.locked' })

    const ended = once(holder, 'exit')
    holder.kill('SIGKILL')
    await ended
    const lock = lockHome(home)
    assert.throws(() => lockHome(home), { code: 'home.locked' }, 'a second time in one process')
    lock.release()
    lock.release()
    lockHome(home).release()
  })

  test('lockHome refuses a folder that it cannot write: absent, a file, and read-only', (t) => {
    const home = temporaryFolder(t)
    writeFileSync(join(home, 'file'), '')
    // Root may write a folder of any mode, so a read-only file system stands for a read-only folder.
    const places = [
      join(home, 'absent'),
      join(home, 'file'),
      ...['/proc/1', '/sys/kernel'].filter(existsSync),
    ]
    for (const place of places) assert.throws(() => lockHome(place), { code: 'home.unwritable' }, place)
  })

  test('lockHome says when the lock file is another thing', (t) => {
    const home = temporaryFolder(t)
    writeFileSync(join(home, 'lock.db'), 'this is no database at all. '.repeat(64))
    assert.throws(() => lockHome(home), { code: 'home.damaged' })
  })

  test('isHeld tells, for good, when the lock was taken away: removed, replaced, or the folder moved', (t) => {
    const harms: readonly (readonly [why: string, harm: (home: string) => void])[] = [
      ['removed', (home) => rmSync(join(home, 'lock.db'))],
      [
        'replaced',
        (home) => {
          renameSync(join(home, 'lock.db'), join(home, 'away'))
          writeFileSync(join(home, 'lock.db'), '')
        },
      ],
      ['the folder moved', (home) => renameSync(home, `${home}-away`)],
    ]
    for (const [why, harm] of harms) {
      const home = join(temporaryFolder(t), 'home')
      mkdirSync(home)
      const lock = lockHome(home)
      assert.equal(lock.isHeld(), true)
      harm(home)
      assert.equal(lock.isHeld(), false, why)
      lock.release()
    }
    const home = temporaryFolder(t)
    const lock = lockHome(home)
    renameSync(join(home, 'lock.db'), join(home, 'away'))
    assert.equal(lock.isHeld(), false)
    renameSync(join(home, 'away'), join(home, 'lock.db'))
    assert.equal(lock.isHeld(), false, 'another process may have been in meanwhile')
    lock.release()
  })

  test('lockHome makes a file that only its owner can open, whatever the umask: who reads it can hold it too', (t) => {
    const home = temporaryFolder(t)
    const before = process.umask(0)
    t.after(() => process.umask(before))
    const lock = lockHome(home)
    assert.equal(statSync(join(home, 'lock.db')).mode & 0o777, 0o600)
    assert.equal(lock.isHeld(), true)
    lock.release()
  })

  test('isHeld is false once the lock is released', (t) => {
    const lock = lockHome(temporaryFolder(t))
    lock.release()
    assert.equal(lock.isHeld(), false)
  })

  test('lockHome refuses at once what is no plain file', { timeout: 10_000 }, (t) => {
    const home = temporaryFolder(t)
    execFileSync('mkfifo', [join(home, 'lock.db')])
    assert.throws(() => lockHome(home), { code: 'home.damaged' })
  })

  test('lockHome follows no link: what it leads to is neither made nor changed', (t) => {
    const [home, other] = [temporaryFolder(t), temporaryFolder(t)]
    const [absent, there] = [join(other, 'absent'), join(other, 'there')]
    writeFileSync(there, '', { mode: 0o644 })
    for (const leadsTo of [absent, there]) {
      symlinkSync(leadsTo, join(home, 'lock.db'))
      assert.throws(() => lockHome(home), { code: 'home.damaged' })
      rmSync(join(home, 'lock.db'))
    }
    assert.deepEqual([existsSync(absent), statSync(there).mode & 0o777], [false, 0o644])
    lockHome(home).release()
  })

  test('lockHome takes the rights of others away from a file that an older program has made', (t) => {
    const home = temporaryFolder(t)
    writeFileSync(join(home, 'lock.db'), '', { mode: 0o644 })
    lockHome(home).release()
    assert.equal(statSync(join(home, 'lock.db')).mode & 0o777, 0o600)
  })
})
