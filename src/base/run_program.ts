import { spawn } from 'node:child_process'
import { kill } from 'node:process'
import { errorCode } from './files.ts'

export interface ProgramCall {
  /** Name or path of the program; it is started without a shell. */
  readonly program: string
  readonly args: readonly string[]
  /** All of its environment. */
  readonly env: Readonly<Record<string, string | undefined>>
  readonly directory: string
  /** What it reads. */
  readonly input?: string | undefined
  /** Beyond this it is asked to end, and a moment later ended, each with all that it has started. */
  readonly timeoutMs: number
  /** Ends it as a timeout does. */
  readonly signal?: AbortSignal | undefined
  /** Bytes of its output that are kept, of each stream. */
  readonly outputBytes: number
}

export type ProgramEnd =
  | { readonly kind: 'ended'; readonly status: number; readonly output: string; readonly errors: string }
  | { readonly kind: 'missing' }
  | { readonly kind: 'timeout' }

/** Time for a program to leave things in order, as git does with its locks, once it is asked to end. */
const GRACE_MS = 1_000

/** Runs a program to its end, for a bounded time and with bounded output. Rejects only for a mistake of ours. */
export async function runProgram(call: ProgramCall): Promise<ProgramEnd> {
  const { promise, resolve, reject } = Promise.withResolvers<ProgramEnd>()
  const child = spawn(call.program, [...call.args], {
    cwd: call.directory,
    env: { ...call.env },
    stdio: ['pipe', 'pipe', 'pipe'],
    shell: false,
    // A group of its own: what it starts, as git does ssh, does not end with it.
    detached: true,
  })
  const output = kept(child.stdout, call.outputBytes)
  const errors = kept(child.stderr, call.outputBytes)
  const giveUp = (): void => {
    endGroup(child.pid, 'SIGKILL')
    // What it started may hold the other ends for as long as it likes.
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
    resolve({ kind: 'timeout' })
  }
  const askToEnd = (): void => {
    clearTimeout(timer)
    timer = setTimeout(giveUp, GRACE_MS)
    child.on('exit', giveUp)
    endGroup(child.pid, 'SIGTERM')
  }
  let timer = setTimeout(askToEnd, call.timeoutMs)
  const settled = (): void => {
    clearTimeout(timer)
    call.signal?.removeEventListener('abort', askToEnd)
  }
  call.signal?.addEventListener('abort', askToEnd, { once: true })
  if (call.signal?.aborted === true) askToEnd()
  child.on('error', (error) => {
    settled()
    if (errorCode(error) === 'ENOENT') resolve({ kind: 'missing' })
    else reject(error)
  })
  child.on('close', (status) => {
    settled()
    // One that is ended by a signal has no status.
    resolve({ kind: 'ended', status: status ?? -1, output: output(), errors: errors() })
  })
  // A program that does not read its input is no failure of ours.
  child.stdin.on('error', () => undefined)
  child.stdin.end(call.input ?? '')
  return promise
}

/** Sends a signal to a program and to all that it has started, of which none may be left (kill(2)). */
function endGroup(pid: number | undefined, signal: 'SIGTERM' | 'SIGKILL'): void {
  try {
    if (pid !== undefined) kill(-pid, signal)
  } catch {
    // There is none left.
  }
}

function kept(stream: NodeJS.ReadableStream, most: number): () => string {
  const chunks: Buffer[] = []
  let size = 0
  stream.on('data', (chunk: Buffer) => {
    const part = chunk.subarray(0, Math.max(0, most - size))
    size += part.length
    chunks.push(part)
  })
  return () => Buffer.concat(chunks).toString('utf8')
}
