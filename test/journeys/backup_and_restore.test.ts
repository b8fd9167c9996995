import assert from 'node:assert/strict'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { test } from 'node:test'
import { lockHome } from '#base/home_lock.ts'
import {
  gatehouse,
  removeHome,
  startDoor,
  temporaryHome,
  type DoorProcess,
} from '../support/gatehouse_process.ts'
import { journey, say, type Journey } from '../support/journey.ts'
import { homeWith } from '../support/limits_home.ts'

interface Check {
  readonly id: string
  readonly state: string
  readonly says: string
}

/** A folder for copies with a key file in it, beside the home. */
async function copies(): Promise<{ folder: string; target: string; keyed: readonly string[] }> {
  const folder = await temporaryHome()
  const key = path.join(folder, 'backup.key')
  await writeFile(key, Buffer.alloc(40, 'k'), { mode: 0o600 })
  return { folder, target: path.join(folder, 'copy'), keyed: ['--key-file', key] }
}

async function run(...args: readonly string[]): Promise<Record<string, unknown>> {
  const { status, stdout, stderr } = await gatehouse([...args, '--json'])
  assert.equal(status, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  return JSON.parse(stdout) as Record<string, unknown>
}

async function checkOf(home: string, id: string): Promise<Check | undefined> {
  const { stdout } = await gatehouse(['doctor', '--json', '--home', home])
  return (JSON.parse(stdout) as { checks: Check[] }).checks.find((check) => check.id === id)
}

/** A door for the time of some work, whatever comes of it. */
async function withDoor(
  home: string,
  args: readonly string[],
  work: (door: DoorProcess) => Promise<void> = async () => undefined,
): Promise<void> {
  const door = await startDoor(home, args)
  try {
    await work(door)
  } finally {
    await door.stop()
  }
}

async function talk({ client }: Journey, key: string, times: number): Promise<void> {
  await Promise.all(Array.from({ length: times }, async () => await say(client(key), 'hello')))
}

test('a home is copied while its door serves, and a restored one goes on in a new log that says so', async () => {
  const { folder, target, keyed } = await copies()
  const anchor = path.join(folder, 'anchor')
  const home = await homeWith(`models:\n  echo: { provider: echo }\nledger:\n  anchors: ['${anchor}']\n`)
  const other = path.join(folder, 'other')
  try {
    await journey(
      async (story) => {
        const { key, json, door } = story
        const demo = await key('demo', '--models', 'echo')
        const talking = talk(story, demo.key, 30)
        const first = await run('backup', target, ...keyed, '--home', home)
        await talking
        const again = await run('backup', target, ...keyed, '--home', home)
        assert.ok(Number(again['copied_files']) < Number(again['files']))
        assert.ok(Number(again['entries']) > Number(first['entries']))
        const { entries } = (await json('ledger', 'show', '--from', '0')) as {
          entries: { shown: Record<string, unknown> }[]
        }
        assert.equal(entries.filter(({ shown }) => shown['action'] === 'home:backup').length, 2)
        assert.equal((await run('backup', 'verify', target, ...keyed))['ok'], true)
        await talk(story, demo.key, 5)
        await door().stop()
        const ended = await run('ledger', 'verify', '--home', home)
        let lost = 0
        await run('restore', target, ...keyed, '--home', other)
        await withDoor(other, [], async ({ door: url }) => {
          const ready = (await (await fetch(`${url}/readyz`)).json()) as { reasons: string[] }
          assert.deepEqual(ready.reasons, ['ledger.degraded'], 'the anchor knows of more')
          const headers = { authorization: `Bearer ${demo.key}` }
          const answered = await fetch(`${url}/v1/models`, { headers })
          assert.equal(answered.status, 200, 'keys of the copy hold')
          const told = await checkOf(other, 'home-restored')
          const says = /ends at entry (\d+) of .* (\d+) entries are known to have followed/.exec(
            told?.says ?? '',
          )
          const [, kept = '', gone = ''] = says ?? []
          lost = Number(gone)
          assert.ok(Number(kept) >= Number(again['entries']) && lost > 10, says?.[0] ?? 'nothing is told')
          assert.equal(Number(kept) + lost, ended['entries'])
        })
        const refused = await gatehouse(['ledger', 'verify', '--home', other])
        assert.equal(refused.status, 65, refused.stdout)
        await withDoor(other, ['--accept-loss'])
        assert.equal((await run('ledger', 'verify', '--home', other))['lost'], lost)
        const changes = (await run('ledger', 'tail', '--lines', '100', '--home', other)) as {
          entries: { shown: Record<string, unknown> }[]
        }
        assert.equal(changes.entries.filter(({ shown }) => shown['what'] === 'home:restore').length, 1)
      },
      { home },
    )
  } finally {
    await removeHome(folder)
  }
})

test('a restore over a home moves it aside, and states what that home had recorded since', async () => {
  const { folder, target, keyed } = await copies()
  const home = path.join(folder, 'home')
  try {
    await run('key', 'create', '--name', 'a', '--home', home)
    await run('backup', target, ...keyed, '--home', home)
    const head = await readFile(path.join(home, 'head'))
    await run('key', 'create', '--name', 'b', '--home', home)
    await withDoor(home, [], async () => {
      const locked = await gatehouse(['restore', target, ...keyed, '--home', home, '--force'])
      assert.match(locked.stderr, /home\.locked/)
    })
    const occupied = await gatehouse(['restore', target, ...keyed, '--home', home])
    assert.deepEqual([occupied.status, /home\.occupied/.test(occupied.stderr)], [73, true])
    // As a door leaves it that is killed within a minute.
    await writeFile(path.join(home, 'head'), head)
    const { aside } = await run('restore', target, ...keyed, '--home', home, '--force')
    assert.ok((await readdir(String(aside))).includes('state.db'))
    const { keys } = (await run('key', 'list', '--home', home)) as { keys: { name: string }[] }
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['a'],
    )
    const told = await checkOf(home, 'home-restored')
    assert.match(told?.says ?? '', /entries are known to have followed it/)
    assert.equal((await checkOf(home, 'ledger-verifies'))?.state, 'fail', 'until an operator accepts it')
  } finally {
    await removeHome(folder)
  }
})

test('a restore works where nobody else can, alone, and follows no link', async () => {
  const { folder, target, keyed } = await copies()
  const [home, mine] = [path.join(folder, 'home'), path.join(folder, 'mine')]
  const other = path.join(folder, 'other')
  const place = `${other}.restoring`
  const restoring = ['restore', target, ...keyed, '--home', other]
  try {
    await run('key', 'list', '--home', home)
    await run('backup', target, ...keyed, '--home', home)
    await mkdir(mine)
    await writeFile(path.join(mine, 'precious'), 'kept')
    await symlink(mine, place)
    assert.match((await gatehouse(restoring)).stderr, /home\.occupied/, 'a link')
    await rm(place)
    await mkdir(place)
    await chmod(place, 0o777)
    assert.match((await gatehouse(restoring)).stderr, /home\.occupied/, 'others may write')
    await chmod(place, 0o700)
    for (const name of ['strange', 'keys']) await symlink(mine, path.join(place, name))
    const lock = lockHome(place)
    assert.match((await gatehouse(restoring)).stderr, /home\.locked/, 'another run')
    lock.release()
    const { stdout } = await gatehouse(restoring)
    assert.match(stdout, /revoked/)
    assert.deepEqual(await readdir(mine), ['precious'])
    assert.equal((await stat(other)).mode & 0o777, 0o700)
    for (const name of await readdir(path.join(other, 'keys')))
      assert.equal((await stat(path.join(other, 'keys', name))).mode & 0o777, 0o600, name)
  } finally {
    await removeHome(folder)
  }
})

test('a job that goes on after a home was lost and made anew leaves the only copy alone', async () => {
  const { folder, target, keyed } = await copies()
  const home = path.join(folder, 'home')
  const backup = ['backup', target, ...keyed, '--home', home]
  try {
    await run('key', 'create', '--name', 'a', '--home', home)
    const { origin } = await run(...backup)
    await rm(home, { recursive: true })
    await run('key', 'create', '--name', 'b', '--home', home)
    const refused = await gatehouse(backup)
    assert.equal(refused.status, 73, refused.stdout)
    assert.match(refused.stderr, /backup\.foreign[^]*Name another folder[^]*--delete-other-backup/)
    assert.equal((await run('backup', 'verify', target, ...keyed))['ok'], true)
    await run('restore', target, ...keyed, '--home', home, '--force')
    const { keys } = (await run('key', 'list', '--home', home)) as { keys: { name: string }[] }
    assert.deepEqual(
      keys.map(({ name }) => name),
      ['a'],
    )
    const again = await run(...backup)
    assert.notEqual(
      again['origin'],
      origin,
      'the restored home goes on in a log that follows the one of the copy',
    )
    await run('key', 'list', '--home', `${home}-other`)
    const forced = await run(...backup.slice(0, -1), `${home}-other`, '--delete-other-backup')
    assert.notEqual(forced['origin'], again['origin'])
  } finally {
    await removeHome(folder)
  }
})

test('a home is copied into several folders at once', async () => {
  const { folder, target, keyed } = await copies()
  const home = await homeWith('models:\n  echo: { provider: echo }\n')
  try {
    await withDoor(home, [], async () => {
      const targets = [1, 2, 3, 4].map((number) => `${target}${number}`)
      await Promise.all(targets.map(async (each) => await run('backup', each, ...keyed, '--home', home)))
      for (const each of targets) assert.equal((await run('backup', 'verify', each, ...keyed))['ok'], true)
      assert.deepEqual(
        (await readdir(home)).filter((name) => name.endsWith('.tmp')),
        [],
      )
    })
  } finally {
    await removeHome(home)
    await removeHome(folder)
  }
})

const WRONG: readonly (readonly [why: string, args: (at: string) => readonly string[], code: RegExp])[] = [
  ['no key', (at) => ['backup', `${at}/copy`], /usage\.wrong/],
  ['two keys', (at) => ['backup', `${at}/copy`, '--key-file', 'a', '--passphrase-file', 'b'], /usage\.wrong/],
  ['a key that is not there', (at) => ['backup', `${at}/copy`, '--key-file', `${at}/none`], /usage\.wrong/],
  ['a key that is too short', (at) => ['backup', `${at}/new`, '--key-file', `${at}/short`], /usage\.wrong/],
  ['a folder of something else', (at) => ['backup', at, '--key-file', `${at}/key`], /usage\.wrong/],
  ['a folder in the home', (at) => ['backup', `${at}/home/copy`, '--key-file', `${at}/key`], /usage\.wrong/],
  ['one by another name', (at) => ['backup', `${at}/link/a/copy`, '--key-file', `${at}/key`], /usage\.wrong/],
  ['one with dots', (at) => ['backup', `${at}/home/..copy`, '--key-file', `${at}/key`], /usage\.wrong/],
  [
    'no home',
    (at) => ['backup', `${at}/copy`, '--key-file', `${at}/key`, '--home', `${at}/none`],
    /home\.damaged/,
  ],
  [
    'no backup',
    (at) => ['restore', `${at}/home`, '--key-file', `${at}/key`, '--home', `${at}/none`],
    /backup\.damaged/,
  ],
  ['another key', (at) => ['backup', 'verify', `${at}/copy`, '--key-file', `${at}/other`], /backup\.key/],
]

test('backup and restore refuse what would not do what was meant, and change nothing', async () => {
  const { folder, target, keyed } = await copies()
  const home = path.join(folder, 'home')
  try {
    await run('key', 'list', '--home', home)
    await run('backup', target, ...keyed, '--home', home)
    for (const [name, letter] of [
      ['key', 'k'],
      ['other', 'x'],
    ] as const)
      await writeFile(path.join(folder, name), Buffer.alloc(40, letter))
    await writeFile(path.join(folder, 'short'), 'short')
    await symlink(home, path.join(folder, 'link'))
    for (const [why, args, code] of WRONG) {
      const all = args(folder)
      const where = all.includes('--home') ? [] : ['--home', home]
      const { status, stderr } = await gatehouse([...all, ...where])
      assert.ok(status > 0, why)
      assert.match(stderr, code, why)
    }
    assert.ok(!(await readdir(folder)).includes('none'))
  } finally {
    await removeHome(folder)
  }
})

test('a home of the first format is upgraded at its start, once, and a newer one is refused everywhere', async () => {
  const home = await temporaryHome()
  try {
    await run('key', 'create', '--name', 'a', '--home', home)
    // As the first programs left a home.
    for (const name of ['version', 'swept']) await rm(path.join(home, name))
    await writeFile(path.join(home, 'head.tmp'), 'half')
    const says = /brought from format 1 to 2/
    await withDoor(home, [], async (door) => assert.match(door.printed(), says))
    await withDoor(home, [], async (door) => assert.doesNotMatch(door.printed(), says))
    assert.ok(!(await readdir(home)).includes('head.tmp'))
    const { entries } = (await run('ledger', 'show', '--from', '0', '--home', home)) as {
      entries: { shown: Record<string, unknown> }[]
    }
    assert.equal(entries.filter(({ shown }) => shown['what'] === 'home:upgrade').length, 1)
    assert.equal((await run('ledger', 'verify', '--home', home))['ok'], true)
    await writeFile(path.join(home, 'version'), '{"format":99,"program":"9.9.9"}')
    for (const command of [
      ['up', '--listen', '127.0.0.1:0'],
      ['key', 'list'],
      ['ledger', 'tail'],
      ['ledger', 'export', `${home}-export`],
      ['ledger', 'key'],
      ['ledger', 'key', 'replace'],
      ['doctor'],
    ]) {
      const refused = await gatehouse([...command, '--home', home])
      assert.equal(refused.status, 78, refused.stdout)
      assert.match(refused.stderr, /format 99, written by Gatehouse 9\.9\.9/)
      assert.match(refused.stderr, /Start that program/)
    }
  } finally {
    await removeHome(home)
  }
})

test('ledger compact seals through the running door, on record', async () => {
  const home = await homeWith('models:\n  echo: { provider: echo }\nledger:\n  segment_bytes: 65536\n')
  await journey(
    async (story) => {
      const { key, json } = story
      const demo = await key('demo', '--models', 'echo')
      for (let times = 0; times < 4; times++) await talk(story, demo.key, 60)
      const done = await json('ledger', 'compact')
      assert.equal(done['waiting'], 0)
      const [log = ''] = (await readdir(path.join(home, 'ledger'))).filter((name) => name.startsWith('0001'))
      const names = await readdir(path.join(home, 'ledger', log))
      assert.equal(names.filter((name) => name.endsWith('.raw')).length, 1)
      assert.ok(names.some((name) => name.endsWith('.leaves')))
      const tail = (await json('ledger', 'tail', '--lines', '20')) as {
        entries: { kind: string; shown: Record<string, unknown> }[]
      }
      const acts = tail.entries.filter(({ shown }) => shown['action'] === 'ledger:compact')
      assert.equal(acts.length, 1)
    },
    { home },
  )
})
