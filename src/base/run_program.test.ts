import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, watch } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { runProgram, type ProgramCall } from './run_program.ts'

const CALL: ProgramCall = {
  program: process.execPath,
  args: [],
  env: { PATH: process.env['PATH'] },
  directory: import.meta.dirname,
  timeoutMs: 30_000,
  outputBytes: 100,
}

function call(script: string, more: Partial<ProgramCall> = {}): ReturnType<typeof runProgram> {
  return runProgram({ ...CALL, args: ['-e', script], ...more })
}

test('runProgram gives the status and what was printed', async () => {
  const script = 'process.stdin.pipe(process.stdout); console.error("bad"); process.exitCode = 3'
  assert.deepEqual(await call(script, { input: 'given' }), {
    kind: 'ended',
    status: 3,
    output: 'given',
    errors: 'bad\n',
  })
})

test('runProgram keeps as much output as is wanted, and lets the program print all of it', async () => {
  const end = await call('process.stdout.write("x".repeat(1e6)); console.error("y".repeat(1e6))')
  assert.equal(end.kind, 'ended')
  assert.ok(end.kind === 'ended' && end.status === 0)
  assert.deepEqual([end.output.length, end.errors.length], [100, 100])
})

test('runProgram starts no shell, and hands on no other environment', async () => {
  const end = await call('console.log(process.argv[1], Object.keys(process.env).join())', {
    args: ['-e', 'console.log(process.argv[1], process.env.HOME)', '$(echo x);`id`'],
  })
  assert.ok(end.kind === 'ended')
  assert.equal(end.output, '$(echo x);`id` undefined\n')
})

test('runProgram says that there is no such program', async () => {
  assert.deepEqual(await runProgram({ ...CALL, program: 'gatehouse-has-no-such-program' }), {
    kind: 'missing',
  })
})

const MOST = { fileBytes: 100_000, memoryBytes: 2 ** 50 }
/** Node writes down what it ran where this is set, and hands it on by itself: that file would be too large. */
const UNCOVERED = { ...CALL.env, NODE_V8_COVERAGE: undefined }

test('runProgram limits what a program writes into one file, and what it starts too', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-run-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'large')
  const script = `require('node:child_process').execFileSync('dd', ['if=/dev/zero', 'of=${file}', 'bs=1000', 'count=' + process.argv[1]])`
  for (const [count, isTaken] of [
    [50, true],
    [5_000, false],
  ] as const) {
    const end = await call('', { args: ['-e', script, String(count)], env: UNCOVERED, most: MOST })
    assert.ok(end.kind === 'ended')
    assert.equal(end.status === 0, isTaken)
    assert.ok(readFileSync(file).length <= 2 * MOST.fileBytes)
  }
})

test('runProgram limits the memory of a program', { skip: process.platform !== 'linux' }, async () => {
  const most = { fileBytes: 1e9, memoryBytes: 50_000_000 }
  const args = ['if=/dev/zero', 'of=/dev/null', 'count=1']
  for (const [bytes, isTaken] of [
    ['1M', true],
    ['100M', false],
  ] as const) {
    const end = await runProgram({ ...CALL, program: 'dd', args: [...args, `bs=${bytes}`], most })
    assert.equal(end.kind === 'ended' && end.status === 0, isTaken, bytes)
  }
})

test('runProgram with limits hands on words and status as they are, and says that there is no such program', async () => {
  const script = 'console.log(process.argv[1], process.env.HOME); process.exitCode = 3'
  const end = await call('', { args: ['-e', script, '$(echo x);`id` "'], env: UNCOVERED, most: MOST })
  assert.deepEqual(end, { kind: 'ended', status: 3, output: '$(echo x);`id` " undefined\n', errors: '' })
  assert.deepEqual(await runProgram({ ...CALL, program: 'gatehouse-has-no-such-program', most: MOST }), {
    kind: 'missing',
  })
})

const SLOW: readonly (readonly [why: string, script: string])[] = [
  ['it ends when asked', 'setInterval(() => undefined, 1e3)'],
  ['it does not listen', 'process.on("SIGTERM", () => undefined); setInterval(() => undefined, 1e3)'],
  [
    'what it started holds its output',
    `require('node:child_process').spawn('sleep', ['5'], { stdio: 'inherit', detached: true })
     setInterval(() => undefined, 1e3)`,
  ],
]

for (const [why, script] of SLOW)
  test(`runProgram ends a program that takes too long: ${why}`, async () => {
    const before = performance.now()
    assert.deepEqual(await call(script, { timeoutMs: 300 }), { kind: 'timeout' })
    assert.ok(performance.now() - before < 4_000)
  })

/** Whether a process is there in the end: a signal that was sent takes its time on a busy machine. */
async function stays(pidFile: string): Promise<boolean> {
  const pid = Number(readFileSync(pidFile, 'utf8'))
  for (let looks = 0; looks < 100 && runs(pid); looks++) await setTimeout(50)
  return runs(pid)
}

/** Whether a process is there, and not only waits to be forgotten by whoever started it. */
function runs(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** A program that starts another one, writes its number into a file, and waits for it. */
function starter(t: TestContext): { readonly call: ProgramCall; readonly pidFile: string } {
  const folder = mkdtempSync(join(tmpdir(), 'gatehouse-run-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const pidFile = join(folder, 'pid')
  const script = 'sleep 60 & echo $! > "$1.new"; mv "$1.new" "$1"; trap "exit 0" TERM; wait'
  return { call: { ...CALL, program: 'sh', args: ['-c', script, 'sh', pidFile] }, pidFile }
}

test('runProgram ends what a program has started with it: it takes too long', async (t) => {
  const { call: starting, pidFile } = starter(t)
  assert.deepEqual(await runProgram({ ...starting, timeoutMs: 3_000 }), { kind: 'timeout' })
  assert.equal(await stays(pidFile), false)
})

test('runProgram ends what a program has started with it: nobody waits for it any more', async (t) => {
  const { call: starting, pidFile } = starter(t)
  const ending = new AbortController()
  const watcher = watch(dirname(pidFile), () => existsSync(pidFile) && ending.abort())
  t.after(() => watcher.close())
  const before = performance.now()
  assert.deepEqual(await runProgram({ ...starting, signal: ending.signal }), { kind: 'timeout' })
  assert.ok(performance.now() - before < CALL.timeoutMs)
  assert.equal(await stays(pidFile), false)
})

test('runProgram ends a program at once that nobody waits for from the start', async (t) => {
  const { call: starting } = starter(t)
  assert.deepEqual(await runProgram({ ...starting, signal: AbortSignal.abort() }), { kind: 'timeout' })
})

test('runProgram gives -1 for a program that a signal has ended', async () => {
  const end = await call('process.kill(process.pid, "SIGKILL")')
  assert.ok(end.kind === 'ended' && end.status === -1)
})

test('runProgram does not mind a program that reads nothing', async () => {
  const end = await call('process.exit(0)', { input: 'x'.repeat(10_000_000) })
  assert.ok(end.kind === 'ended' && end.status === 0)
})
