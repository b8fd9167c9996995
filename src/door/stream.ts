import { RunningSha256 } from '#base/crypto.ts'
import { asFault, Fault } from '#base/fault.ts'
import { isJsonArray } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { writeEvent } from '#base/sse.ts'
import { FrameWriter, type InspectRest } from './frame_writer.ts'
import type { HoldBack } from './hold_back.ts'
import type { StreamedAnswer, StreamFrame } from './stream_frame.ts'
import { textAt } from './text_place.ts'

/** What is known of a stream when it has ended. */
export interface StreamEnd {
  /** Why it was cut; undefined when it came to its own end. */
  readonly fault: Fault | undefined
  readonly findings: readonly string[]
  /** SHA-256 of all that was written, in hex, but for what ends it. */
  readonly content: string
}

export interface StreamParts {
  /** The id of the entries. */
  readonly id: string
  readonly answer: StreamedAnswer
  /** A guard for one more channel. */
  readonly newGuard: () => HoldBack
  readonly inspectRest: InspectRest
  /** Throws, or rejects, when the caller, its key or the policies no longer allow what goes on here. Asked every `recheckMs`. */
  readonly recheck: () => unknown
  /** `RECHECK_MS` where it is not given. */
  readonly recheckMs?: number
  /** Called once, when the first text of a channel that is not empty is about to leave. */
  readonly onFirst?: () => void
  /** Called once, before the last bytes leave. Gives what the caller is told in the place of a good end, if anything. */
  readonly settle: (end: StreamEnd) => Promise<Fault | undefined>
}

/** How long a stream may go on after what allowed it has ended. */
export const RECHECK_MS = 2_000

/**
 * A streamed answer on its way out. Every text of a channel goes through a guard of its own, and all else in a frame
 * through whole inspection; what a guard holds back leaves in a later frame of its channel, at the latest in one of its own
 * before the channel ends. The outcome is on record before the frame leaves that tells a client that all is there. Whoever
 * stops taking chunks before the end calls `return`, which ends the exchange and settles it as aborted; `abort` does so while
 * a chunk is waited for.
 */
export class GuardedStream {
  readonly #parts: StreamParts
  readonly #channels = new Map<string, HoldBack>()
  readonly #findings = new Set<string>()
  readonly #hash = new RunningSha256()
  #unhashed = ''
  readonly #writer: FrameWriter
  /** What may leave. */
  #ready = ''
  /** What leaves when the outcome is on record. */
  #last = ''
  #isLast = false
  /** Why it was cut from our side. */
  #cut: Fault | undefined
  #onCut: (() => void) | undefined
  #hasSpoken = false
  #isSettled = false

  constructor(parts: StreamParts) {
    this.#parts = parts
    this.#writer = new FrameWriter(parts.inspectRest, this.#findings)
  }

  /** Calls back when the stream is cut while its reader may be slow; at most one listener. */
  onCut(listener: () => void): void {
    this.#onCut = listener
  }

  /** Nobody reads any more: ends the exchange at once, also while a chunk is waited for. */
  abort(): void {
    this.#cutOff(gone())
  }

  /** The bytes of the answer, as texts; each is to leave before the next is asked for. Never throws. */
  async *chunks(): AsyncGenerator<string, void, undefined> {
    const { answer, id, recheckMs = RECHECK_MS } = this.#parts
    const timer = setInterval(() => {
      if (!this.#isSettled) void this.#recheck()
    }, recheckMs)
    try {
      this.#checkCut()
      for await (const frames of answer.frames) {
        for (const frame of frames) {
          this.#checkCut()
          const text = this.#guarded(frame)
          this.#write(typeof text === 'string' ? text : await text, frame.ends)
        }
        if (this.#ready !== '') yield this.#takeReady()
      }
      this.#checkCut()
      this.#write(await this.#flush([...this.#channels.keys()]), 'all')
      const refused = await this.#settle(undefined)
      if (refused !== undefined) throw refused
      yield this.#last + answer.end
    } catch (thrown) {
      const fault = this.#cut ?? asFault(thrown)
      answer.cancel()
      // What came before a fault leaves before it is told.
      if (this.#ready !== '') yield this.#takeReady()
      const told = (await this.#settle(fault)) ?? fault
      for (const { event, data } of answer.refuse({ fault: told, id }))
        yield writeEvent(event, JSON.stringify(data))
    } finally {
      clearInterval(timer)
      answer.cancel()
      if (!this.#isSettled) await this.#settle(this.#cut ?? gone())
    }
  }

  async #recheck(): Promise<void> {
    try {
      await this.#parts.recheck()
    } catch (thrown) {
      // Once settled it is all on its way, and its outcome told: also where it was settled meanwhile.
      if (this.#isSettled) return
      this.#cutOff(asFault(thrown))
      this.#onCut?.()
    }
  }

  #cutOff(fault: Fault): void {
    this.#cut ??= fault
    this.#parts.answer.cancel()
  }

  #checkCut(): void {
    if (this.#cut !== undefined) throw this.#cut
  }

  /** A promise only where one is needed: most frames come to their text at once. */
  #guarded(frame: StreamFrame): string | Promise<string> {
    if (frame.ends.length > 0) return this.#guardedEnding(frame)
    const released = frame.texts.map(({ channel, path }) =>
      this.#guard(channel).push(textAt(frame.value, path)),
    )
    return this.#text(frame, released)
  }

  /** What is held of the channels that end leaves before the frame, or with it where it brings a text of them. */
  async #guardedEnding({ ends, ...frame }: StreamFrame): Promise<string> {
    const { texts, value } = frame
    const own = new Map(texts.map(({ channel }, at) => [channel, at]))
    const ending = ends === 'all' ? [...this.#channels.keys()] : ends
    const before = await this.#flush(ending.filter((channel) => !own.has(channel)))
    const released = texts.map(({ channel, path }, at) => {
      const guard = this.#guard(channel)
      const text = guard.push(textAt(value, path))
      const isEnd = own.get(channel) === at && (ends === 'all' || ends.includes(channel))
      return isEnd ? text + this.#end(channel, guard) : text
    })
    return before + (await this.#text(frame, released))
  }

  /** Frames for what is held of channels that end. */
  async #flush(channels: Iterable<string>): Promise<string> {
    let text = ''
    for (const channel of channels) {
      const guard = this.#channels.get(channel)
      const rest = guard === undefined ? '' : this.#end(channel, guard)
      if (rest !== '') text += await this.#text(this.#parts.answer.rest(channel, rest), [rest])
    }
    return text
  }

  #text(frame: Omit<StreamFrame, 'ends'>, released: readonly string[]): string | Promise<string> {
    if (!this.#hasSpoken && released.some((text) => text !== '')) {
      this.#hasSpoken = true
      this.#parts.onFirst?.()
    }
    return this.#writer.write(frame, released)
  }

  #end(channel: string, guard: HoldBack): string {
    const rest = guard.end()
    this.#note(guard)
    this.#channels.delete(channel)
    return rest
  }

  #guard(channel: string): HoldBack {
    const known = this.#channels.get(channel)
    if (known !== undefined) return known
    if (this.#channels.size >= LIMITS.streamChannels)
      throw new Fault('upstream.invalid', { reason: 'channels' })
    const guard = this.#parts.newGuard()
    this.#channels.set(channel, guard)
    return guard
  }

  #note(guard: HoldBack): void {
    for (const rule of guard.findings) this.#findings.add(rule)
  }

  /** From the frame on that tells a client that all is there, nothing is to leave yet. */
  #write(text: string, ends: StreamFrame['ends']): void {
    this.#unhashed += text
    if (this.#unhashed.length >= HASHED_AT_ONCE) this.#hashAll()
    this.#isLast ||= ends === 'all'
    if (this.#isLast) this.#last += text
    else this.#ready += text
  }

  #hashAll(): void {
    this.#hash.add(this.#unhashed)
    this.#unhashed = ''
  }

  #takeReady(): string {
    const ready = this.#ready
    this.#ready = ''
    return ready
  }

  async #settle(fault: Fault | undefined): Promise<Fault | undefined> {
    if (this.#isSettled) return undefined
    this.#isSettled = true
    this.#hashAll()
    for (const guard of this.#channels.values()) this.#note(guard)
    for (const rule of findingsOf(fault)) this.#findings.add(rule)
    return this.#parts.settle({ fault, findings: [...this.#findings].sort(), content: this.#hash.hex() })
  }
}

/** Characters: each call costs as much as the hash of so many. */
const HASHED_AT_ONCE = 1_024

function gone(): Fault {
  return new Fault('input.aborted', { reason: 'caller.gone' })
}

/** What was to block is found in a frame as well as in a channel. */
function findingsOf(fault: Fault | undefined): readonly string[] {
  const findings = fault?.detail['findings']
  return findings !== undefined && isJsonArray(findings)
    ? findings.filter((rule) => typeof rule === 'string')
    : []
}
