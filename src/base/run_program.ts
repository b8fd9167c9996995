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
  /** What it and each that it starts may take; without it nothing is limited. */
  readonly most?: ProgramLimits | undefined
}

export interface ProgramLimits {
  /** Bytes of one file that it writes: beyond it, it is ended. Up to twice as many with some shells. */
  readonly fileBytes: number
  /** Bytes of its memory, as addresses; for systems that can limit that. */
  readonly memoryBytes: number
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
  const [program, args] = withLimits(call)
  const child = spawn(program, [...args], {
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
    if (call.most !== undefined && status === NOT_FOUND) resolve({ kind: 'missing' })
    // One that is ended by a signal has no status.
    resolve({ kind: 'ended', status: status ?? -1, output: output(), errors: errors() })
  })
  // A program that does not read its input is no failure of ours.
  child.stdin.on('error', () => undefined)
  child.stdin.end(call.input ?? '')
  return promise
}

/** What a shell ends with when there is no such program (XCU 2.8.2). */
const NOT_FOUND = 127
/** POSIX counts the bytes of files so (XCU ulimit), and memory, which it does not know, is counted in these. */
const [FILE_BLOCK, KIB] = [512, 1_024]

/** Node can set no limits, and a shell can: it takes numbers of ours, and hands on the words as they are. */
function withLimits({
  program,
  args,
  most,
}: ProgramCall): readonly [program: string, args: readonly string[]] {
  if (most === undefined) return [program, args]
  const files = Math.ceil(most.fileBytes / FILE_BLOCK)
  const memory = Math.ceil(most.memoryBytes / KIB)
  const script = `ulimit -f ${files} || exit 1; ulimit -v ${memory} 2>/dev/null; exec "$0" "$@"`
  return ['/bin/sh', ['-c', script, program, ...args]]
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
