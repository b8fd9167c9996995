import type { Readable, Writable } from 'node:stream'
import { Fault } from '#base/fault.ts'
import { FrameReader, MalformedFrame, textFrame, type Frame } from './frame_reader.ts'
import type { Form } from './form.ts'
import { readFault, sendFault } from './sent_fault.ts'

/** What one side may be asked, by name. */
export type Asks = { readonly [name: string]: { readonly ask: unknown; readonly answer: unknown } }

/** What answers each of them. Whatever it throws is thrown at the side that asked, as a fault. */
export type Answers<Of extends Asks> = {
  readonly [Name in keyof Of]: (ask: Of[Name]['ask']) => Of[Name]['answer'] | Promise<Of[Name]['answer']>
}

/** What is taken from the other side: by the names of what it asks, and of what it is asked. */
export interface Forms<In extends Asks, Out extends Asks> {
  readonly asks: { readonly [Name in keyof In]: Form }
  readonly answers: { readonly [Name in keyof Out]: Form }
}

export interface LinkParts<In extends Asks, Out extends Asks> {
  /** One for each direction: where the other side is gone, what it wrote before is still to be read. */
  readonly input: Readable
  readonly output: Writable
  readonly answers: Answers<In>
  /** Without them the other side is believed to say what the types say. */
  readonly forms?: Forms<In, Out> | undefined
  /** Told once, when nothing can be sent or read any more, with the reason. */
  readonly onEnd: (reason: string) => void
  readonly limits: LinkLimits
}

export interface LinkLimits {
  readonly frameBytes: number
  /** Bytes that wait to be taken by the other side: one that takes nothing is as good as gone. */
  readonly waitingBytes: number
  /** Questions that wait for their answers. */
  readonly asks: number
}

const ASK = 1
const ANSWER = 2
const FAULT = 3
const TELL = 4

interface Waiting {
  /** Takes an answer as JSON. Throws for what is none, or of another form; then nothing is settled. */
  readonly take: (text: string) => void
  readonly reject: (fault: Fault) => void
}

/**
 * The channel between two of our processes: questions with answers, and what is only told, in JSON. What is sent in one
 * turn leaves as one write, in the order in which it was sent. Anything malformed, from either side, ends it: the two are
 * one program, so whatever does not fit comes from somebody else or from a mistake. The reason that is told then is always
 * in our own words.
 */
export class Link<Out extends Asks, In extends Asks> {
  readonly #parts: LinkParts<In, Out>
  readonly #waiting = new Map<number, Waiting>()
  #frames: Buffer[] = []
  #isFlushDue = false
  /** What was sent last, on its way out of this process. */
  #leaving = Promise.withResolvers<void>()
  #lastId = 0
  /** Questions of the other side without an answer. */
  #asked = 0
  #heard = 0
  #isOver = false

  constructor(parts: LinkParts<In, Out>) {
    this.#parts = parts
    this.#leaving.resolve()
    const { input, output, limits } = parts
    const reader = new FrameReader(limits.frameBytes)
    input.on('data', (chunk: Buffer) => this.#read(reader, chunk))
    input.on('error', () => undefined)
    input.on('close', () => this.#end('the other side is gone'))
    output.on('error', () => undefined)
  }

  get isOver(): boolean {
    return this.#isOver
  }

  /** Resolves with the answer. Throws what the other side throws, and `ledger.unwritable` once the channel has ended. */
  ask<Name extends keyof Out & string>(name: Name, ask: Out[Name]['ask']): Promise<Out[Name]['answer']> {
    if (this.#isOver) return Promise.reject(ended())
    if (this.#waiting.size >= this.#parts.limits.asks)
      return Promise.reject(
        new Fault('load.exceeded', { asks: this.#waiting.size }, { retryAfterSeconds: 1 }),
      )
    const id = this.#newId()
    return new Promise((resolve, reject) => {
      const take = (text: string): void => {
        const answer: Out[Name]['answer'] = JSON.parse(text)
        this.#check(this.#parts.forms?.answers[name], answer, `an answer to ${name}`)
        resolve(answer)
      }
      this.#waiting.set(id, { take, reject })
      this.#send(ASK, id, JSON.stringify([name, ask]))
    })
  }

  /** Sends what needs no answer. */
  tell<Name extends keyof Out & string>(name: Name, ask: Out[Name]['ask']): void {
    if (this.#isOver) return
    this.#send(TELL, 0, JSON.stringify([name, ask]))
  }

  /** Resolves when what was sent is the system's to deliver, whatever becomes of this process. Throws as `ask`. */
  sent(): Promise<void> {
    return this.#isOver ? Promise.reject(ended()) : this.#leaving.promise
  }

  /** Ends it from this side, once what was sent has left. */
  close(): void {
    this.#flush()
    this.#parts.output.end()
  }

  /** Ends it at once: the other side is of no use any more. What was sent and has left is its own to read. */
  giveUp(reason: string): void {
    this.#end(reason)
  }

  /** Grows with whatever the other side says. */
  get heard(): number {
    return this.#heard
  }

  #newId(): number {
    do this.#lastId = (this.#lastId + 1) >>> 0
    while (this.#waiting.has(this.#lastId))
    return this.#lastId
  }

  #send(kind: number, id: number, text: string): void {
    if (this.#isOver) return
    this.#frames.push(textFrame(kind, id, text))
    if (this.#isFlushDue) return
    this.#isFlushDue = true
    this.#leaving = Promise.withResolvers()
    this.#leaving.promise.catch(() => undefined)
    setImmediate(() => {
      this.#isFlushDue = false
      this.#flush()
    })
  }

  #flush(): void {
    const frames = this.#frames
    const [first] = frames
    if (first === undefined) return
    this.#frames = []
    const { output, limits } = this.#parts
    const { resolve, reject } = this.#leaving
    output.write(frames.length === 1 ? first : Buffer.concat(frames), (error) =>
      error ? reject(ended()) : resolve(),
    )
    if (output.writableLength > limits.waitingBytes) this.#end('the other side takes nothing')
  }

  #read(reader: FrameReader, chunk: Buffer): void {
    this.#heard += 1
    try {
      for (const frame of reader.push(chunk)) {
        // A frame before it may have been the end.
        if (this.#isOver) return
        this.#take(frame)
      }
    } catch (thrown) {
      this.#end(thrown instanceof MalformedFrame ? thrown.message : 'a malformed frame')
    }
  }

  #take({ kind, id, payload }: Frame): void {
    const text = payload.toString()
    if (kind === ANSWER || kind === FAULT) this.#settle(kind, id, text)
    else if (kind === ASK || kind === TELL) this.#answer(kind, id, text)
    else throw new MalformedFrame('a frame of an unknown kind')
  }

  #settle(kind: number, id: number, text: string): void {
    const waiting = this.#waiting.get(id)
    if (waiting === undefined) throw new MalformedFrame('an answer to nothing')
    if (kind === ANSWER) waiting.take(text)
    else waiting.reject(this.#faultIn(text))
    // Last: what cannot be taken ends the channel, and with it all that waits.
    this.#waiting.delete(id)
  }

  #faultIn(text: string): Fault {
    const fault = readFault(JSON.parse(text))
    if (fault === undefined) throw new MalformedFrame('a fault of another form')
    return fault
  }

  #check(form: Form | undefined, value: unknown, what: string): void {
    if (form?.(value) === false) throw new MalformedFrame(`${what} of another form`)
  }

  #answer(kind: number, id: number, text: string): void {
    const value: unknown = JSON.parse(text)
    if (!Array.isArray(value)) throw new MalformedFrame('a question without a name')
    const [name, ask]: unknown[] = value
    const { answers } = this.#parts
    if (typeof name !== 'string' || !Object.hasOwn(answers, name)) throw new MalformedFrame('an unknown name')
    const answer = answers[name]
    if (answer === undefined) throw new MalformedFrame('an unknown name')
    this.#check(this.#parts.forms?.asks[name], ask, `a question of ${name}`)
    if (kind === ASK) void this.#reply(id, () => answer(ask))
    else void this.#hear(() => answer(ask))
  }

  /** Nobody learns of a failure: so there may be none. */
  async #hear(take: () => unknown): Promise<void> {
    try {
      await take()
    } catch {
      this.#end('what was told could not be taken')
    }
  }

  async #reply(id: number, answer: () => unknown): Promise<void> {
    // The other side waits for no more than that, if it is this program.
    if (this.#asked >= this.#parts.limits.asks) {
      this.#end('too many questions')
      return
    }
    this.#asked += 1
    try {
      const given = answer()
      this.#send(ANSWER, id, JSON.stringify((given instanceof Promise ? await given : given) ?? null))
    } catch (thrown) {
      this.#send(FAULT, id, JSON.stringify(sendFault(thrown)))
    } finally {
      this.#asked -= 1
    }
  }

  #end(reason: string): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#parts.input.destroy()
    this.#parts.output.destroy()
    this.#leaving.reject(ended())
    for (const { reject } of this.#waiting.values()) reject(ended())
    this.#waiting.clear()
    this.#parts.onEnd(reason)
  }
}

function ended(): Fault {
  return new Fault('ledger.unwritable', { reason: 'the channel to the writer of the ledger has ended' })
}
