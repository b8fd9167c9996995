import { fork, type ChildProcess } from 'node:child_process'
import path from 'node:path'
import type { OutsideAnswer, OutsideCall, OutsideFiles } from './outside_files.ts'

/** What the process says to each call: the answer, or the code of a failure. */
export type ApartAnswer = OutsideAnswer | { readonly kind: 'failed'; readonly code: string }

export interface FilesApartParts {
  /** For each call, from its turn on. */
  readonly timeoutMs: number
  /** What runs there; another one in tests. */
  readonly program?: string
}

const PROGRAM = path.join(import.meta.dirname, 'files_apart_process.ts')
/** It holds a few files of 100 KB. */
const FLAGS = ['--no-warnings', '--disallow-code-generation-from-strings', '--max-old-space-size=32']

/**
 * Files in a process of its own. A call to a share whose server is gone does not come back, nor does the thread that made
 * it: in this process it would be one of the four that write the ledger, and the process could not even end (Node waits for
 * them). The other process is ended when a call takes too long, and one is started for the next call.
 *
 * One call at a time: the others wait, and none of them is ended with it.
 */
export class FilesApart implements OutsideFiles {
  readonly #parts: FilesApartParts
  #child: ChildProcess | undefined
  /** Paths whose process does not even end: another one would not either. */
  readonly #stuck = new Set<string>()
  #turn: Promise<unknown> = Promise.resolve()
  #isClosed = false
  #isAsking = false

  constructor(parts: FilesApartParts) {
    this.#parts = parts
  }

  async read(file: string, maxBytes: number): Promise<Uint8Array> {
    const answer = await this.#inTurn({ kind: 'read', path: file, maxBytes })
    if (answer.kind !== 'bytes') throw failure('EPROTO', file)
    return answer.bytes
  }

  async replace(file: string, bytes: Uint8Array): Promise<void> {
    await this.#inTurn({ kind: 'replace', path: file, bytes })
  }

  async deviceOf(folder: string): Promise<string | undefined> {
    const answer = await this.#inTurn({ kind: 'device', path: folder })
    return answer.kind === 'device' ? answer.device : undefined
  }

  close(): void {
    this.#isClosed = true
    if (this.#isAsking) this.#child?.kill('SIGKILL')
    // At rest it ends by itself.
    else if (this.#child?.connected === true) this.#child.disconnect()
  }

  #inTurn(call: OutsideCall): Promise<OutsideAnswer> {
    const answer = this.#turn.then(async () => await this.#ask(call))
    this.#turn = answer.catch(() => undefined)
    return answer
  }

  async #ask(call: OutsideCall): Promise<OutsideAnswer> {
    if (this.#isClosed) throw failure('ECANCELED', call.path)
    if (this.#stuck.has(call.path)) throw failure('ETIMEDOUT', call.path)
    const child = (this.#child ??= this.#start())
    // One that could not be started has no channel (EMFILE), and nothing of it will come but the failure.
    if (!child.connected) throw failure('ECHILD', call.path)
    const { promise, resolve, reject } = Promise.withResolvers<ApartAnswer>()
    const onEnd = (): void => reject(failure(this.#isClosed ? 'ECANCELED' : 'ECHILD', call.path))
    const timer = setTimeout(() => {
      this.#giveUp(child, call.path)
      reject(failure('ETIMEDOUT', call.path))
    }, this.#parts.timeoutMs)
    child.once('message', resolve).once('exit', onEnd).once('error', onEnd)
    // Where it cannot be sent the process is gone, and says so itself.
    child.send(call, () => undefined)
    this.#isAsking = true
    try {
      const answer = await promise
      if (answer.kind === 'failed') throw failure(answer.code, call.path)
      return answer
    } finally {
      this.#isAsking = false
      clearTimeout(timer)
      child.off('message', resolve).off('exit', onEnd).off('error', onEnd)
    }
  }

  #start(): ChildProcess {
    const child = fork(this.#parts.program ?? PROGRAM, [], {
      // A terminal that tells all of a group to end means the door, which has a last checkpoint to copy.
      detached: true,
      env: {},
      execArgv: FLAGS,
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
    })
    const onGone = (): void => {
      if (this.#child === child) this.#child = undefined
    }
    child.on('exit', onGone).on('error', onGone)
    // What waits for an answer has a timer.
    child.unref()
    child.channel?.unref()
    return child
  }

  #giveUp(child: ChildProcess, file: string): void {
    this.#child = undefined
    this.#stuck.add(file)
    child.once('exit', () => this.#stuck.delete(file))
    child.kill('SIGKILL')
  }
}

function failure(code: string, file: string): Error {
  return Object.assign(new Error(`${code}: ${file}`), { code, path: file })
}
