import { spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import net from 'node:net'
import path from 'node:path'

export const ROOT = path.dirname(import.meta.dirname)

/** What every server in the bench runs with, the peer too: it costs nothing. */
export const NODE_FLAGS: readonly string[] = ['--disallow-code-generation-from-strings']

/** What the launcher adds for Gatehouse (`tools/first.mjs`), so that memory is measured as users have it. */
export const OWN_FLAGS: readonly string[] = [
  '--max-semi-space-size=6',
  '--no-parallel-scavenge',
  '--heap-growing-percent=100',
  '--no-allocation-site-pretenuring',
]
export const OWN_ENV = { MALLOC_ARENA_MAX: '1', MALLOC_MMAP_THRESHOLD_: '131072' } as const

/** The server under test has one core, and the load with its model provider has the other. */
export type Core = 0 | 1

export interface Running {
  readonly child: ChildProcess
  readonly pid: number
  /** Everything it wrote, cut to the last part, to explain a failure with. */
  readonly said: () => string
  /** Ends it and waits for its end; killed when it does not end by itself. */
  readonly stop: () => Promise<void>
}

const STOP_MS = 15_000
const SAID_CHARACTERS = 16_000

/** True when processes can be bound to cores here. */
export function canPin(): boolean {
  return process.platform === 'linux' && spawnSync('taskset', ['-c', '1', 'true']).status === 0
}

export interface StartOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly ipc?: boolean
  readonly core: Core | undefined
  readonly cwd?: string
}

/** Starts a program, bound to a core when one is given. */
export function start(program: string, words: readonly string[], options: StartOptions): Running {
  const [command, ...rest] =
    options.core === undefined
      ? [program, ...words]
      : ['taskset', '-c', String(options.core), program, ...words]
  const child = spawn(command, rest, {
    cwd: options.cwd ?? ROOT,
    env: options.env ?? process.env,
    stdio: ['ignore', 'pipe', 'pipe', ...(options.ipc === true ? (['ipc'] as const) : [])],
  })
  let said = ''
  const keep = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-SAID_CHARACTERS)
  }
  child.stdout?.on('data', keep)
  child.stderr?.on('data', keep)
  child.on('error', (error) => keep(Buffer.from(error.message)))
  const running = { child, pid: child.pid ?? 0, said: () => said, stop: () => stop(child) }
  started.add(running)
  child.on('exit', () => started.delete(running))
  return running
}

const started = new Set<Running>()

/** Ends everything that was started, also what never became ready. */
export async function stopAll(): Promise<void> {
  await Promise.all([...started].map((running) => running.stop()))
}

/** An interrupted bench leaves nothing running. */
export function stopWithThisProcess(): void {
  process.on('exit', () => started.forEach(({ child }) => child.kill('SIGKILL')))
  for (const [signal, status] of [
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const) {
    process.on(signal, () => process.exit(status))
  }
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return
  const ended = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
  child.kill('SIGTERM')
  await ended
  clearTimeout(timer)
}

/** The first line of JSON that a program prints, which says that it is ready. Throws when it ends before that. */
export function readyLine(running: Running, timeoutMs = 30_000): Promise<Record<string, unknown>> {
  const { child, said } = running
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const lines = said().split('\n').slice(0, -1)
      const line = lines.find((text) => text.startsWith('{'))
      if (line !== undefined) settle(() => resolve(JSON.parse(line)))
    }
    const fail = (): void => {
      settle(() => reject(new Error(`not ready: ${said().trim() || `exit status ${child.exitCode}`}`)))
    }
    const timer = setTimeout(fail, timeoutMs)
    const settle = (end: () => void): void => {
      clearTimeout(timer)
      child.stdout?.off('data', look)
      child.off('close', fail)
      end()
    }
    child.stdout?.on('data', look)
    child.on('close', fail)
    look()
  })
}

/** Waits until something listens on the port. */
export async function waitForPort(port: number, running: Running, timeoutMs = 30_000): Promise<void> {
  const deadline = Date.now() + timeoutMs
  while (!(await isListening(port))) {
    if (running.child.exitCode !== null || Date.now() > deadline) {
      throw new Error(`not listening: ${running.said().trim() || `exit status ${running.child.exitCode}`}`)
    }
    await delay(50)
  }
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: '127.0.0.1' })
    socket.on('connect', () => resolve((socket.destroy(), true)))
    socket.on('error', () => resolve(false))
  })
}

function delay(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms))
}

/** A port that was free a moment ago, for servers that cannot choose one themselves. */
export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

/** Memory of a process in MB, now and at its highest; undefined where /proc does not tell. */
export function memoryOf(pid: number): { rss_mb: number; peak_mb: number } | undefined {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8')
    const megabytes = (name: string): number =>
      Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0) / 1_024)
    return { rss_mb: megabytes('VmRSS'), peak_mb: megabytes('VmHWM') }
  } catch {
    return undefined
  }
}

/** Clock ticks in a second, as Linux shows them to programs everywhere. */
const TICKS = 100

/** Processor time of a process in seconds, all threads or the main one; undefined where /proc does not tell. */
export function cpuSeconds(pid: number, threads: 'all' | 'main' = 'all'): number | undefined {
  try {
    const stat = fs.readFileSync(`/proc/${pid}${threads === 'all' ? '' : `/task/${pid}`}/stat`, 'utf8')
    // The name in parentheses may hold anything; utime and stime are the 14th and 15th field.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) / TICKS
  } catch {
    return undefined
  }
}

/** Sockets that a process has open; undefined where /proc does not tell. */
export function openSockets(pid: number): number | undefined {
  try {
    const folder = `/proc/${pid}/fd`
    return fs.readdirSync(folder).filter((name) => isSocket(path.join(folder, name))).length
  } catch {
    return undefined
  }
}

function isSocket(link: string): boolean {
  try {
    return fs.readlinkSync(link).startsWith('socket:')
  } catch {
    return false
  }
}
