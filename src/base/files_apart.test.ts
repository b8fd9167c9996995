import assert from 'node:assert/strict'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { test, type TestContext } from 'node:test'
import { FilesApart, type FilesApartParts } from './files_apart.ts'
import { runProgram } from './run_program.ts'

function scene(
  t: TestContext,
  more: Partial<FilesApartParts> = {},
): { readonly folder: string; readonly apart: FilesApart } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-apart-'))
  const apart = new FilesApart({ timeoutMs: 30_000, ...more })
  t.after(() => {
    apart.close()
    fs.rmSync(folder, { recursive: true, force: true })
  })
  return { folder, apart }
}

test('FilesApart reads and replaces files as Files does, and tells disks apart', async (t) => {
  const { folder, apart } = scene(t)
  const file = path.join(folder, 'a')
  await apart.replace(file, Buffer.from('first'))
  await apart.replace(file, Buffer.from('second'))
  assert.equal(Buffer.from(await apart.read(file, 6)).toString('utf8'), 'second')
  assert.deepEqual(fs.readdirSync(folder), ['a'])
  assert.equal(await apart.deviceOf(folder), String(fs.statSync(folder).dev))
  assert.equal(await apart.deviceOf(path.join(folder, 'none')), undefined)
})

test('FilesApart fails as Files does: with the codes of the file system, and goes on', async (t) => {
  const { folder, apart } = scene(t)
  const file = path.join(folder, 'a')
  fs.writeFileSync(file, 'twelve bytes')
  fs.symlinkSync(file, path.join(folder, 'link'))
  const failing: readonly (readonly [code: string, call: () => Promise<unknown>])[] = [
    ['ENOENT', async () => await apart.read(path.join(folder, 'none'), 10)],
    ['EFBIG', async () => await apart.read(file, 11)],
    ['ELOOP', async () => await apart.read(path.join(folder, 'link'), 100)],
    ['ENOENT', async () => await apart.replace(path.join(folder, 'none', 'a'), Buffer.alloc(1))],
  ]
  for (const [code, call] of failing) await assert.rejects(call(), { code })
  assert.equal((await apart.read(file, 12)).length, 12)
})

/** A process that answers no call to a path with "hang" in it, and tells its number. */
const HANGS = `import fs from 'node:fs'
process.on('message', ({ kind, path }) => {
  fs.appendFileSync(path.replace(/\\/[^/]*$/, '/pids'), process.pid + '\\n')
  if (!path.includes('hang')) process.send({ kind: 'bytes', bytes: Buffer.from(kind) })
  if (path.includes('die')) process.exit(1)
})
process.on('SIGTERM', () => undefined)
process.on('disconnect', () => process.exit())
`

function hangs(t: TestContext): { readonly folder: string; readonly apart: FilesApart } {
  const place = scene(t)
  const program = path.join(place.folder, 'hangs.mjs')
  fs.writeFileSync(program, HANGS)
  const apart = new FilesApart({ timeoutMs: 1_000, program })
  t.after(() => apart.close())
  return { folder: place.folder, apart }
}

async function isGone(pid: number): Promise<boolean> {
  for (let looks = 0; looks < 200 && fs.existsSync(`/proc/${pid}`); looks++)
    await new Promise((resolve) => setTimeout(resolve, 25))
  return !fs.existsSync(`/proc/${pid}`)
}

test('FilesApart ends a call that takes too long, with its process: the calls behind it are answered', async (t) => {
  const { folder, apart } = hangs(t)
  const [hanging, again, good] = ['hang', 'hang', 'good'].map(
    async (name) => await apart.read(path.join(folder, name), 10),
  )
  await assert.rejects(hanging ?? assert.fail(), { code: 'ETIMEDOUT' })
  // Another process would hang too, as long as this one cannot even be ended.
  await assert.rejects(again ?? assert.fail(), { code: 'ETIMEDOUT' })
  assert.equal(Buffer.from((await good) ?? []).toString('utf8'), 'read')
  const pids = fs.readFileSync(path.join(folder, 'pids'), 'utf8').trim().split('\n').map(Number)
  assert.equal(new Set(pids).size, 2)
  assert.ok(await isGone(pids[0] ?? 0))
})

test('FilesApart starts another process where one died, and says so of the call at hand', async (t) => {
  const { folder, apart } = hangs(t)
  await assert.rejects(apart.read(path.join(folder, 'hang-die'), 10), { code: 'ECHILD' })
  assert.equal((await apart.read(path.join(folder, 'good'), 10)).length, 4)
  const none = scene(t, { program: path.join(folder, 'no such program') }).apart
  await assert.rejects(none.read(path.join(folder, 'good'), 10), { code: 'ECHILD' })
})

/** Runs out of file descriptors for as long as two calls take, and ends at whatever nobody has caught. */
const STARVED = `import fs from 'node:fs'
import { FilesApart } from './files_apart.ts'
const apart = new FilesApart({ timeoutMs: 30_000 })
const told = []
const ask = async () => told.push(await apart.deviceOf('/').catch(({ code }) => code))
const taken = []
try {
  for (;;) taken.push(fs.openSync('/dev/null'))
} catch {}
await ask()
await ask()
for (const each of taken) fs.closeSync(each)
await new Promise((resolve) => setImmediate(resolve))
await ask()
apart.close()
console.log(told.join())
`

test('FilesApart says so where no process can be started, and starts one when there is room again', async () => {
  const node = [process.execPath, '--no-warnings', '--input-type=module', '--eval', STARVED]
  const end = await runProgram({
    program: '/bin/sh',
    args: ['-c', 'ulimit -n 64; exec "$0" "$@"', ...node],
    env: {},
    directory: import.meta.dirname,
    timeoutMs: 60_000,
    outputBytes: 10_000,
  })
  assert.deepEqual(end, {
    kind: 'ended',
    status: 0,
    output: `ECHILD,ECHILD,${fs.statSync('/').dev}\n`,
    errors: '',
  })
})

test('FilesApart takes no answer for another: a read is answered with bytes', async (t) => {
  const { folder, apart } = hangs(t)
  assert.equal(await apart.deviceOf(path.join(folder, 'x')), undefined)
})

test('FilesApart ends what is under way when it is closed, and takes nothing any more', async (t) => {
  const { folder, apart } = hangs(t)
  const hanging = assert.rejects(apart.read(path.join(folder, 'hang'), 10), { code: 'ECANCELED' })
  const waiting = assert.rejects(apart.read(path.join(folder, 'good'), 10), { code: 'ECANCELED' })
  const pids = path.join(folder, 'pids')
  for (let looks = 0; looks < 400 && !fs.existsSync(pids); looks++)
    await new Promise((resolve) => setTimeout(resolve, 5))
  apart.close()
  await Promise.all([hanging, waiting])
  await assert.rejects(apart.read(path.join(folder, 'good'), 10), { code: 'ECANCELED' })
  assert.ok(await isGone(Number(fs.readFileSync(pids, 'utf8'))))
})
