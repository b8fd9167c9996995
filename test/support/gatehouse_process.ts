import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { createInterface } from 'node:readline'

/** The repository's root, from this file. */
export const ROOT = path.resolve(import.meta.dirname, '../..')
const MAIN = path.join(ROOT, 'src/main.ts')
const NODE_FLAGS = ['--disallow-code-generation-from-strings', '--no-warnings']
/** A start that takes longer than this on a busy machine is a hang. */
const READY_MS = 30_000

/** Every door of every journey with so many workers: set it to go through all of them once more. */
const { GATEHOUSE_TEST_WORKERS: WORKERS } = process.env

export interface CliResult {
  readonly status: number
  readonly stdout: string
  readonly stderr: string
}

/** A folder under the system's temporary one, short enough for a socket path. */
export async function temporaryHome(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'gate-'))
}

export async function removeHome(home: string): Promise<void> {
  await rm(home, { recursive: true, force: true, maxRetries: 3 })
}

/** Runs the command line in a process of its own, as a user would. */
export async function gatehouse(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<CliResult> {
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  await once(child, 'close')
  return { status: child.exitCode ?? 128, stdout, stderr }
}

export interface DoorProcess {
  readonly home: string
  readonly door: string
  readonly admin: string
  readonly metrics: string
  readonly child: ChildProcess
  /** Everything the process has written so far, both streams: the line that it is ready comes first. */
  readonly printed: () => string
  /** Ends it with a signal and waits until it is gone. */
  stop(signal?: NodeJS.Signals): Promise<number>
}

/** Starts a real door, on port 0 unless the arguments say another, and waits until it says that it is ready. */
export async function startDoor(
  home: string,
  args: readonly string[] = [],
  env: NodeJS.ProcessEnv = {},
): Promise<DoorProcess> {
  const ports = [
    ...(args.includes('--listen') ? [] : ['--listen', '127.0.0.1:0']),
    '--admin-listen',
    '127.0.0.1:0',
    '--metrics-listen',
    '127.0.0.1:0',
    ...(WORKERS === undefined || args.includes('--workers') ? [] : ['--workers', WORKERS]),
  ]
  const child = spawn(
    process.execPath,
    [...NODE_FLAGS, MAIN, 'up', '--home', home, ...ports, '--json', ...args],
    {
      env: { ...process.env, NO_COLOR: '1', ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  )
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const ready = await firstLine(child, () => printed)
  child.stdout.on('data', (bytes: Buffer) => (printed += bytes.toString()))
  const addresses = JSON.parse(ready) as { door: string; admin: string; metrics: string }
  return {
    home,
    ...addresses,
    child,
    printed: () => `${ready}\n${printed}`,
    stop: async (signal = 'SIGTERM') => {
      if (child.exitCode !== null || child.signalCode !== null) return child.exitCode ?? 128
      child.kill(signal)
      await once(child, 'close')
      return child.exitCode ?? 128
    },
  }
}

export interface WitnessProcess {
  readonly url: string
  readonly keys: readonly string[]
  readonly printed: () => string
  stop(): Promise<void>
}

/** Starts a real witness in a folder of its own, and waits until it says that it is ready. */
export async function startWitness(folder: string): Promise<WitnessProcess> {
  const child = spawn(process.execPath, [...NODE_FLAGS, MAIN, 'witness', folder, '--json'], {
    env: { ...process.env, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let printed = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const facts = JSON.parse(await firstLine(child, () => printed)) as { url: string; keys: string[] }
  child.stdout.resume()
  return {
    ...facts,
    printed: () => printed,
    stop: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGTERM')
      await once(child, 'close')
    },
  }
}

async function firstLine(child: ChildProcess, printed: () => string): Promise<string> {
  if (child.stdout === null) throw new Error('the child has no standard output')
  const lines = createInterface({ input: child.stdout })
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS)
  try {
    for await (const line of lines) return line
    await once(child, 'close').catch(() => undefined)
    throw new Error(`the door did not start (exit ${String(child.exitCode)}): ${printed()}`)
  } finally {
    clearTimeout(timer)
  }
}
