import { RunningSha256 } from '#base/crypto.ts'
import { asFault, Fault } from '#base/fault.ts'
import { isJsonArray, isJsonObject, type JsonObject, type JsonValue } from '#base/json.ts'
import { LIMITS } from '#base/limits.ts'
import { writeEvent } from '#base/sse.ts'
import type { HoldBack } from './hold_back.ts'
import type { Passed } from './inspector.ts'
import type { StreamedAnswer, StreamFrame } from './stream_frame.ts'

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
  /** Looks at what in a frame is no text of a channel. Throws `content.blocked`. */
  readonly inspectRest: (value: JsonObject) => Passed<JsonObject> | Promise<Passed<JsonObject>>
  /** Throws when the caller, its key or the policies no longer allow what goes on here. Asked every `recheckMs`. */
  readonly recheck: () => void
  /** `RECHECK_MS` where it is not given. */
  readonly recheckMs?: number
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
  /** Why it was cut from our side. */
  #cut: Fault | undefined
  #onCut: (() => void) | undefined
  #isSettled = false

  constructor(parts: StreamParts) {
    this.#parts = parts
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
    const timer = setInterval(() => this.#recheck(), recheckMs)
    try {
      const last = yield* this.#released()
      const refused = await this.#settle(undefined)
      if (refused !== undefined) throw refused
      yield last + answer.end
    } catch (thrown) {
      const fault = this.#cut ?? asFault(thrown)
      answer.cancel()
      const told = (await this.#settle(fault)) ?? fault
      for (const { event, data } of answer.refuse({ fault: told, id }))
        yield writeEvent(event, JSON.stringify(data))
    } finally {
      clearInterval(timer)
      answer.cancel()
      if (!this.#isSettled) await this.#settle(this.#cut ?? gone())
    }
  }

  /** The frames of the answer. Gives what tells a client that all is there, which is not to leave yet. */
  async *#released(): AsyncGenerator<string, string, undefined> {
    let last = ''
    this.#checkCut()
    for await (const frame of this.#parts.answer.frames) {
      this.#checkCut()
      const text = this.#write(await this.#guarded(frame))
      if (last !== '' || frame.ends === 'all') last += text
      else yield text
    }
    this.#checkCut()
    return last + this.#write(await this.#flush([...this.#channels.keys()]))
  }

  #recheck(): void {
    // Once settled it is all on its way, and its outcome told.
    if (this.#isSettled) return
    try {
      this.#parts.recheck()
    } catch (thrown) {
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

  async #guarded(frame: StreamFrame): Promise<string> {
    const { ends, texts } = frame
    const own = new Map(texts.map(({ channel }, at) => [channel, at]))
    const others = ends === 'all' ? [...this.#channels.keys()] : ends
    const before = await this.#flush(others.filter((channel) => !own.has(channel)))
    const released = texts.map((at, place) => {
      const guard = this.#guard(at.channel)
      const text = guard.push(textAt(frame.value, at.path))
      // Text and end of a channel may come in one frame.
      const isEnd = own.get(at.channel) === place && (ends === 'all' || ends.includes(at.channel))
      return isEnd ? text + this.#end(at.channel, guard) : text
    })
    return before + (await this.#frameText(frame, released))
  }

  /** Frames for what is held of channels that end. */
  async #flush(channels: Iterable<string>): Promise<string> {
    let text = ''
    for (const channel of channels) {
      const guard = this.#channels.get(channel)
      const rest = guard === undefined ? '' : this.#end(channel, guard)
      if (rest !== '') text += await this.#frameText(this.#parts.answer.rest(channel, rest), [rest])
    }
    return text
  }

  #end(channel: string, guard: HoldBack): string {
    const rest = guard.end()
    this.#note(guard)
    this.#channels.delete(channel)
    return rest
  }

  /** A frame as it is written, with these texts in the places of its own. */
  async #frameText({ event, value, texts }: StreamFrame, released: readonly string[]): Promise<string> {
    const paths = texts.map(({ path }) => path)
    const without = withTexts(
      value,
      paths.map((path) => ({ path, text: '' })),
    )
    const inspected = await this.#parts.inspectRest(without)
    for (const rule of inspected.findings) this.#findings.add(rule)
    const whole = withTexts(
      inspected.value,
      paths.map((path, at) => ({ path, text: released[at] ?? '' })),
    )
    return writeEvent(event, JSON.stringify(whole))
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

  #write(text: string): string {
    this.#hash.add(text)
    return text
  }

  async #settle(fault: Fault | undefined): Promise<Fault | undefined> {
    if (this.#isSettled) return undefined
    this.#isSettled = true
    for (const guard of this.#channels.values()) this.#note(guard)
    for (const rule of findingsOf(fault)) this.#findings.add(rule)
    return this.#parts.settle({ fault, findings: [...this.#findings].sort(), content: this.#hash.hex() })
  }
}

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

type Path = readonly (string | number)[]

function textAt(value: JsonValue, path: Path): string {
  const found = path.reduce<JsonValue | undefined>(
    (inside, step) => (inside === undefined ? undefined : memberOf(inside, step)),
    value,
  )
  return typeof found === 'string' ? found : ''
}

function memberOf(value: JsonValue, step: string | number): JsonValue | undefined {
  if (isJsonArray(value)) return typeof step === 'number' ? value[step] : undefined
  return isJsonObject(value) && Object.hasOwn(value, step) ? value[step] : undefined
}

interface PlacedText {
  readonly path: Path
  readonly text: string
}

/**
 * A copy along the paths only, with the texts at their ends; what a path does not find stays as it is. Each object is copied
 * once, however many texts are in it: a frame may hold thousands.
 */
function withTexts<T extends JsonValue>(value: T, texts: readonly PlacedText[], depth?: number): T
function withTexts(value: JsonValue, texts: readonly PlacedText[], depth = 0): JsonValue {
  const last = texts.findLast(({ path }) => path.length === depth)
  if (last !== undefined) return last.text
  const inner = new Map<string | number, JsonValue>()
  for (const [step = '', below] of Map.groupBy(texts, ({ path }) => path[depth])) {
    const inside = memberOf(value, step)
    if (inside !== undefined) inner.set(step, withTexts(inside, below, depth + 1))
  }
  if (inner.size === 0) return value
  if (isJsonArray(value)) return value.map((element, at) => inner.get(at) ?? element)
  return { ...(isJsonObject(value) ? value : {}), ...Object.fromEntries(inner) }
}
