import assert from 'node:assert/strict'
import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { after, test } from 'node:test'

/** The copies under test run on this Node as their host and hand over to it again as the pinned one. */
const NODE = fs.realpathSync(process.execPath)
const PACKAGE = path.basename(path.dirname(path.dirname(NODE)))
const TOOLS = import.meta.dirname

const folders: string[] = []
after(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })))

interface Sandbox {
  readonly root: string
  readonly env: NodeJS.ProcessEnv
  readonly calls: () => string[]
}

/** A copy of the launcher in a folder of its own, with a program to run and a stand-in for npm. */
function sandbox(main: string, npm = installsNode()): Sandbox {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'first-')))
  folders.push(root)
  for (const folder of ['tools', 'src', 'bin']) fs.mkdirSync(path.join(root, folder))
  fs.copyFileSync(path.join(TOOLS, 'first.mjs'), path.join(root, 'tools/first.mjs'))
  fs.copyFileSync(path.join(TOOLS, '../gatehouse'), path.join(root, 'gatehouse'))
  fs.chmodSync(path.join(root, 'gatehouse'), 0o755)
  fs.writeFileSync(path.join(root, 'package.json'), '{"type":"module"}')
  writeLockfile(root, '1.0.0')
  fs.writeFileSync(path.join(root, 'src/main.ts'), main)
  fs.writeFileSync(path.join(root, 'bin/npm'), `#!/bin/sh\necho "$@" >> "${root}/calls"\n${npm}\n`, {
    mode: 0o755,
  })
  const env: NodeJS.ProcessEnv = { ...process.env, PATH: `${root}/bin:${path.dirname(NODE)}:/usr/bin:/bin` }
  for (const name of ['npm_execpath', 'NODE_V8_COVERAGE', 'NODE_OPTIONS', 'NODE_TEST_CONTEXT'])
    delete env[name]
  const calls = (): string[] => {
    const file = path.join(root, 'calls')
    return fs.existsSync(file) ? fs.readFileSync(file, 'utf8').trim().split('\n') : []
  }
  return { root, env, calls }
}

function installsNode(): string {
  return `mkdir -p node_modules && ln -sfn "${path.dirname(path.dirname(NODE))}" node_modules/${PACKAGE}`
}

function writeLockfile(root: string, version: string): void {
  const packages = { '': {}, 'node_modules/one': { version, integrity: `sha512-${version}` } }
  fs.writeFileSync(path.join(root, 'package-lock.json'), JSON.stringify({ packages }))
}

function first(box: Sandbox, ...words: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(NODE, ['tools/first.mjs', ...words], { cwd: box.root, env: box.env, encoding: 'utf8' })
}

function firstInBackground(box: Sandbox): ChildProcess {
  return spawn(NODE, ['tools/first.mjs', 'start'], {
    cwd: box.root,
    env: box.env,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

test('first hands over: words, flag and exit status arrive', () => {
  const box = sandbox(
    'console.log(JSON.stringify([process.argv.slice(2), process.execArgv])); process.exitCode = 7',
  )
  const result = first(box, 'start', '--home', 'a b')
  assert.equal(result.status, 7, result.stderr)
  assert.deepEqual(JSON.parse(result.stdout), [
    ['up', '--home', 'a b'],
    [
      '--disallow-code-generation-from-strings',
      '--max-semi-space-size=6',
      '--no-parallel-scavenge',
      '--heap-growing-percent=100',
      '--no-allocation-site-pretenuring',
    ],
  ])
})

test('gatehouse hands over: the launcher is a program without an extension', () => {
  const box = sandbox('console.log(process.argv.slice(2).join())')
  const result = spawnSync(path.join(box.root, 'gatehouse'), ['key', 'list'], {
    env: box.env,
    encoding: 'utf8',
  })
  assert.equal(result.stdout, 'key,list\n', result.stderr)
})

test('first refuses: an unknown word runs nothing', () => {
  const box = sandbox('console.log("ran")')
  for (const words of [[], ['serve'], ['constructor']]) {
    const result = first(box, ...words)
    assert.equal(result.status, 64)
    assert.equal(result.stdout, '')
  }
  assert.deepEqual(box.calls(), [])
})

test('first installs once: without scripts, then not again until the lockfile changes', () => {
  const box = sandbox('console.log("ran")')
  for (const version of ['1.0.0', '1.0.0', '2.0.0', '2.0.0']) {
    writeLockfile(box.root, version)
    assert.equal(first(box, 'start').stdout, 'ran\n')
  }
  assert.equal(box.calls().length, 2)
  assert.match(box.calls()[0] ?? '', /^ci --ignore-scripts --no-audit --no-fund --loglevel=error/)
})

test('first installs again: the pinned Node was removed', () => {
  const box = sandbox('')
  first(box, 'start')
  fs.rmSync(path.join(box.root, 'node_modules', PACKAGE))
  assert.equal(first(box, 'start').status, 0)
  assert.equal(box.calls().length, 2)
})

test('first takes over an install made by hand: only when npm recorded the locked versions', () => {
  for (const [installed, expected] of [
    ['1.0.0', 0],
    ['0.9.0', 1],
  ] as const) {
    const box = sandbox('')
    spawnSync('sh', ['-c', installsNode()], { cwd: box.root })
    const record = {
      packages: { 'node_modules/one': { version: installed, integrity: `sha512-${installed}` } },
    }
    fs.writeFileSync(path.join(box.root, 'node_modules/.package-lock.json'), JSON.stringify(record))
    assert.equal(first(box, 'start').status, 0)
    assert.equal(box.calls().length, expected)
  }
})

test('first refuses a Node that is not the pinned one: at install, and when swapped later', () => {
  const place = `node_modules/${PACKAGE}/bin`
  const foreign = `mkdir -p ${place} && printf '#!/bin/sh\\necho foreign' > ${place}/node && chmod +x ${place}/node`
  const atInstall = sandbox('console.log("ran")', foreign)
  const later = sandbox('console.log("ran")')
  assert.equal(first(later, 'start').status, 0)
  fs.rmSync(path.join(later.root, 'node_modules', PACKAGE))
  spawnSync('sh', ['-c', foreign], { cwd: later.root })
  for (const box of [atInstall, later]) {
    const result = first(box, 'start')
    assert.equal(result.status, 65)
    assert.equal(result.stdout, '')
    assert.match(result.stderr, /pinned SHA-256 [0-9a-f]{64}\n\s+found {2}SHA-256 [0-9a-f]{64}/)
  }
})

test('first says what to do: each way an install fails names its mend', () => {
  const cases: readonly (readonly [why: string, npm: string, says: RegExp])[] = [
    ['offline', 'echo "npm error code ENOTFOUND" >&2; exit 1', /cannot be reached/],
    ['disk full', 'echo "npm error code ENOSPC" >&2; exit 228', /disk is full/],
    ['read-only', 'echo "npm error code EROFS" >&2; exit 1', /cannot be written/],
    ['another package', 'echo "npm error code EINTEGRITY" >&2; exit 1', /does not match the lockfile/],
    ['something else', 'echo "npm error weird" >&2; exit 9', /npm error weird\nRemove node_modules/],
    ['no platform package', 'mkdir -p node_modules', new RegExp(`${PACKAGE} is missing`)],
  ]
  for (const [why, npm, says] of cases) {
    const result = first(sandbox('console.log("ran")', npm), 'start')
    assert.equal(result.status, 69, why)
    assert.equal(result.stdout, '', why)
    assert.match(result.stderr, says, why)
  }
})

test('first says what to do: there is no npm', () => {
  const box = sandbox('')
  fs.rmSync(path.join(box.root, 'bin/npm'))
  const result = first({ ...box, env: { ...box.env, PATH: path.join(box.root, 'bin') } }, 'start')
  assert.equal(result.status, 69)
  assert.match(result.stderr, /npm was not found/)
})

test('first says what to do: no Node is pinned for the machine', () => {
  for (const [platform, arch, says] of [
    ['win32', 'x64', /WSL 2/],
    ['linux', 's390x', /Linux and macOS on x64 and arm64/],
  ] as const) {
    const box = sandbox('console.log("ran")')
    const pretend = `Object.defineProperties(process, { platform: { value: '${platform}' }, arch: { value: '${arch}' } })`
    const words = [
      '--import',
      `data:text/javascript,${encodeURIComponent(pretend)}`,
      'tools/first.mjs',
      'start',
    ]
    const result = spawnSync(NODE, words, { cwd: box.root, env: box.env, encoding: 'utf8' })
    assert.equal(result.status, 69)
    assert.match(result.stderr, says)
    assert.deepEqual(box.calls(), [])
  }
})

test('first installs in one process at a time: the other waits and then runs', async () => {
  const slow = `mkdir busy || exit 1; sleep 0.3; ${installsNode()}; rmdir busy`
  const box = sandbox('console.log("ran")', slow)
  const children = [firstInBackground(box), firstInBackground(box), firstInBackground(box)]
  const codes = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0] as number))
  assert.deepEqual(codes, [0, 0, 0])
  assert.equal(box.calls().length, 1)
  assert.equal(fs.existsSync(path.join(box.root, '.install.lock')), false)
})

test('first breaks a lock: its process is gone', () => {
  const box = sandbox('console.log("ran")')
  const gone = spawnSync(NODE, ['-p', 'process.pid'], { encoding: 'utf8' })
  const lock = path.join(box.root, '.install.lock')
  fs.mkdirSync(lock)
  const owner = { token: 'x', pid: Number(gone.stdout), host: os.hostname() }
  fs.writeFileSync(path.join(lock, 'owner.json'), JSON.stringify(owner))
  assert.equal(first(box, 'start').stdout, 'ran\n')
})

test('first passes signals on: the program decides how to end', async () => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const box = sandbox(`
      process.on('${signal}', () => { process.exit(43) })
      setInterval(() => {}, 1_000)
      console.log('ready')`)
    const child = firstInBackground(box)
    await once(child.stdout!, 'data')
    child.kill(signal)
    assert.deepEqual(await once(child, 'exit'), [43, null])
  }
})

test('first ends as the program ended: by the same signal', async () => {
  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    const box = sandbox(`process.kill(process.pid, '${signal}'); setInterval(() => {}, 1_000)`)
    assert.deepEqual(await once(firstInBackground(box), 'exit'), [null, signal])
  }
})
