import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { listFiles, ROOT } from './files.ts'
import type { TestReport } from './test_report.ts'

/** `shared`: all files in one process, which is 40 times faster. `apart`: one process each, for tests that start programs. */
export interface Batch {
  readonly title: string
  readonly isolation: 'shared' | 'apart'
  readonly files: readonly string[]
  readonly testTimeoutMs: number
  readonly batchTimeoutMs: number
}

const APART = /^(tools|bench|test\/(docs|journeys|scripts))\//
const SLOW = /^test\/slow\//

/** The batches of `npm test`: everything but `test/slow`, or only the files whose path holds one of `patterns`. */
export function planTests(files: readonly string[], patterns: readonly string[]): Batch[] {
  const wanted = files.filter(
    (file) =>
      patterns.length === 0 || patterns.some((pattern) => file.includes(pattern.replace(/^\.\//, ''))),
  )
  const tests = wanted.filter((file) => file.endsWith('.test.ts') && !SLOW.test(file))
  const batch = (title: string, isolation: Batch['isolation'], isIn: (file: string) => boolean): Batch => ({
    title,
    isolation,
    files: tests.filter(isIn),
    testTimeoutMs: isolation === 'shared' ? 60_000 : 180_000,
    batchTimeoutMs: 15 * 60_000,
  })
  return [
    batch('unit tests', 'shared', (file) => !APART.test(file)),
    batch('journeys, scripts and tools', 'apart', (file) => APART.test(file)),
  ].filter(({ files: chosen }) => chosen.length > 0)
}

/** Runs the batches one after the other and prints what they came to; the last line is for machines. */
export async function runTests(batches: readonly Batch[], extra: readonly string[] = []): Promise<boolean> {
  const sum: TestReport = { passed: 0, failed: 0, skipped: [] }
  for (const batch of batches) {
    const started = performance.now()
    const report = await runBatch(batch, extra)
    sum.passed += report.passed
    sum.failed += report.failed
    sum.skipped.push(...report.skipped)
    const seconds = ((performance.now() - started) / 1_000).toFixed(1)
    console.log(`${batch.title}: ${batch.files.length} files, ${report.passed} passed, ${seconds} s`)
  }
  for (const { title, reason } of sum.skipped) console.log(`skipped: ${title}: ${reason}`)
  console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped.length} skipped`)
  return sum.failed === 0 && sum.passed > 0
}

async function runBatch(batch: Batch, extra: readonly string[]): Promise<TestReport> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-test-'))
  const file = path.join(folder, 'report.json')
  const words = [
    ...process.execArgv,
    '--test',
    `--test-isolation=${batch.isolation === 'shared' ? 'none' : 'process'}`,
    `--test-concurrency=${Math.min(4, os.availableParallelism())}`,
    `--test-timeout=${batch.testTimeoutMs}`,
    `--test-reporter=${path.join(ROOT, 'tools/test_report.ts')}`,
    '--test-reporter-destination=stdout',
    ...extra,
    ...batch.files,
  ]
  try {
    const trouble = await runNode(
      words,
      { ...environmentOf(batch), GATEHOUSE_TEST_REPORT: file },
      batch.batchTimeoutMs,
    )
    const report = readReport(file)
    // A process that dies or hangs has reported nothing of what went wrong.
    if (report === undefined || (trouble !== undefined && report.failed === 0)) {
      console.log(`\nFAILED ${batch.title}: ${trouble ?? 'the run ended before its report'}`)
      return { skipped: [], ...report, passed: report?.passed ?? 0, failed: (report?.failed ?? 0) + 1 }
    }
    return report
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

/** Only tests beside the code count for coverage: programs that are started hundreds of times start twice as fast without. */
function environmentOf({ isolation }: Batch): NodeJS.ProcessEnv {
  if (isolation === 'shared') return process.env
  const { NODE_V8_COVERAGE: _folder, NODE_DISABLE_COMPILE_CACHE: _isOff, ...env } = process.env
  return env
}

function readReport(file: string): TestReport | undefined {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined
}

/** What went wrong with the process, if anything did. */
function runNode(
  words: readonly string[],
  env: NodeJS.ProcessEnv,
  timeoutMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, { cwd: ROOT, env, stdio: ['ignore', 'inherit', 'inherit'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs)
    child.on('exit', (code, signal) => {
      clearTimeout(timer)
      if (signal === 'SIGKILL') resolve(`killed; something did not end within ${timeoutMs / 60_000} minutes`)
      else resolve(code === 0 ? undefined : `exit status ${code ?? signal}`)
    })
  })
}

if (import.meta.main) {
  const words = process.argv.slice(2)
  const files = listFiles(['src', 'tools', 'test', 'bench'])
  const batches = planTests(files, words)
  if (batches.length === 0) {
    console.error(`no test file has ${words.join(' or ')} in its path`)
    process.exitCode = 64
  } else {
    process.exitCode = (await runTests(batches)) ? 0 : 1
  }
}
