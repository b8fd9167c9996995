import { spawn } from 'node:child_process'
import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { ROOT } from './files.ts'

/** One thing that must be in order: a program that says nothing that matters when it is. */
interface Gate {
  readonly name: string
  readonly words: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Show the output even when all is well. */
  readonly isShown?: boolean
}

const tool = (name: string): string[] => [...process.execArgv, `tools/${name}.ts`]
const GATE_TIMEOUT_MS = 30 * 60_000

const STATIC: readonly Gate[] = [
  { name: 'types', words: ['node_modules/typescript/bin/tsc', '-p', '.'] },
  { name: 'lint', words: ['node_modules/oxlint/bin/oxlint', '--type-aware', '--deny-warnings', '.'] },
  { name: 'format', words: ['node_modules/oxfmt/bin/oxfmt', '--check', '.'] },
  { name: 'rings', words: tool('rings') },
  { name: 'sizes', words: tool('sizes') },
  { name: 'suppressions', words: tool('suppressions') },
  { name: 'links', words: tool('links') },
  { name: 'leaks', words: tool('leaks') },
]

/** `npm run ok`: all gates, even after one failed; the tests come last, alone, because they measure time limits. */
async function runGates(): Promise<boolean> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'gatehouse-coverage-'))
  // A compile cache makes block coverage less exact (nodejs.org/api/cli.html, NODE_COMPILE_CACHE); `tools/test.ts` takes both away from tests that start programs.
  const env = { NODE_V8_COVERAGE: folder, NODE_DISABLE_COMPILE_CACHE: '1' }
  try {
    const results = await runAll(STATIC, Math.min(4, os.availableParallelism()))
    results.push(await runGate({ name: 'tests', words: tool('test'), env, isShown: true }))
    const words = ['--disable-warning=ExperimentalWarning', ...tool('coverage'), folder]
    results.push(await runGate({ name: 'coverage', words, isShown: true }))
    const failed = results.filter((result) => !result.isGood).map(({ name }) => name)
    console.log(failed.length === 0 ? 'all gates ok' : `gates failed: ${failed.join(', ')}`)
    return failed.length === 0
  } finally {
    fs.rmSync(folder, { recursive: true, force: true })
  }
}

interface Result {
  readonly name: string
  readonly isGood: boolean
}

async function runAll(gates: readonly Gate[], lanes: number): Promise<Result[]> {
  const waiting = [...gates]
  const results: Result[] = []
  const work = async (): Promise<void> => {
    for (let gate = waiting.shift(); gate !== undefined; gate = waiting.shift())
      results.push(await runGate(gate))
  }
  await Promise.all(Array.from({ length: lanes }, work))
  return results
}

async function runGate(gate: Gate): Promise<Result> {
  const started = performance.now()
  const { isGood, output } = await run(gate)
  const seconds = ((performance.now() - started) / 1_000).toFixed(1)
  console.log(`${isGood ? 'ok  ' : 'FAIL'} ${gate.name.padEnd(12)} ${seconds.padStart(6)} s`)
  if (!isGood || gate.isShown === true) console.log(output.trimEnd().replaceAll(/^/gm, '       '))
  return { name: gate.name, isGood }
}

function run({ words, env }: Gate): Promise<{ isGood: boolean; output: string }> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, words, {
      cwd: ROOT,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: GATE_TIMEOUT_MS,
    })
    let output = ''
    const keep = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdout.on('data', keep)
    child.stderr.on('data', keep)
    child.on('close', (code, signal) => {
      if (signal !== null) output += `\nended by ${signal}`
      resolve({ isGood: code === 0, output })
    })
  })
}

if (import.meta.main) process.exitCode = (await runGates()) ? 0 : 1
