import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import { writeEvent } from '#base/sse.ts'
import type { Passed } from './inspector.ts'
import type { StreamFrame } from './stream_frame.ts'
import { withText, withTexts, type Path } from './text_place.ts'

/** Looks at what in a frame is no text of a channel. Throws `content.blocked`. */
export type InspectRest = (value: JsonObject) => Passed<JsonObject> | Promise<Passed<JsonObject>>

/** A frame whose channels have been seen to. */
type Written = Pick<StreamFrame, 'event' | 'value' | 'texts'>

/**
 * Writes the frames of one stream, with what was let go in the places of their texts, and everything else inspected.
 *
 * In most streams one frame is as the one before but for its text. Where nothing was found in all else once, the same is
 * neither inspected nor written anew, but put around the next text.
 */
export class FrameWriter {
  readonly #inspectRest: InspectRest
  readonly #findings: Set<string>
  #clean: CleanFrame | undefined

  /** `findings` takes the rules that found something. */
  constructor(inspectRest: InspectRest, findings: Set<string>) {
    this.#inspectRest = inspectRest
    this.#findings = findings
  }

  /** A frame as it is sent, with a text for each of its own. A promise where inspection takes long. */
  write(frame: Written, released: readonly string[]): string | Promise<string> {
    const [text] = released
    if (text !== undefined && this.#clean?.isAlike(frame) === true) return this.#clean.around(text)
    const without = withTexts(
      frame.value,
      frame.texts.map(({ path }) => ({ path, text: '' })),
    )
    const passed = this.#inspectRest(without)
    if (passed instanceof Promise) return passed.then((late) => this.#put(frame, released, late))
    if (passed.value === without && passed.findings.length === 0) this.#clean = CleanFrame.of(frame)
    return this.#put(frame, released, passed)
  }

  #put(
    { event, texts }: Written,
    released: readonly string[],
    { value, findings }: Passed<JsonObject>,
  ): string {
    for (const rule of findings) this.#findings.add(rule)
    const whole = withTexts(
      value,
      texts.map(({ path }, at) => ({ path, text: released[at] ?? '' })),
    )
    return writeEvent(event, JSON.stringify(whole))
  }
}

/** A frame with one text, in which nothing else was found. */
class CleanFrame {
  readonly #event: string | undefined
  readonly #value: JsonObject
  readonly #path: Path
  /** What is written on both sides of the text; only once a frame like this one comes again. */
  #sides: readonly [before: string, after: string] | undefined

  static of({ event, value, texts }: Written): CleanFrame | undefined {
    const [only] = texts
    return only === undefined || texts.length > 1 ? undefined : new CleanFrame(event, value, only.path)
  }

  constructor(event: string | undefined, value: JsonObject, path: Path) {
    this.#event = event
    this.#value = value
    this.#path = path
  }

  /** True when nothing but the one text differs, not even the order of members. */
  isAlike({ event, value, texts }: Written): boolean {
    const [only] = texts
    return (
      only !== undefined &&
      texts.length === 1 &&
      event === this.#event &&
      isSamePath(only.path, this.#path) &&
      isAlike(value, this.#value, this.#path, 0)
    )
  }

  around(text: string): string {
    const [before, after] = (this.#sides ??= this.#split())
    return before + JSON.stringify(text) + after
  }

  /** Two texts are written differently from behind their first quotes on. */
  #split(): readonly [before: string, after: string] {
    const [one, other] = [this.#writtenWith(''), this.#writtenWith(' ')]
    let at = 0
    while (one[at] === other[at]) at += 1
    return [one.slice(0, at - 1), one.slice(at + 1)]
  }

  #writtenWith(text: string): string {
    return writeEvent(this.#event, JSON.stringify(withText(this.#value, this.#path, text)))
  }
}

function isSamePath(path: Path, other: Path): boolean {
  return path.length === other.length && path.every((step, at) => step === other[at])
}

/**
 * True when two values are the same, member by member, but for the text at the end of the path. Beside the path, `depth` is
 * greater than its length. Loops, since each frame of each stream comes by here.
 */
function isAlike(value: JsonValue, other: JsonValue, path: Path, depth: number): boolean {
  if (depth === path.length) return typeof value === 'string' && typeof other === 'string'
  if (!isNested(value) || !isNested(other)) return value === other
  if (isJsonArray(value) !== isJsonArray(other)) return false
  const names = Object.keys(value)
  const others = Object.keys(other)
  if (names.length !== others.length) return false
  const step = depth < path.length ? String(path[depth]) : undefined
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at] ?? ''
    if (name !== others[at]) return false
    const below = name === step ? depth + 1 : path.length + 1
    if (!isAlike(inside(value, name), inside(other, name), path, below)) return false
  }
  return true
}

type Nested = readonly JsonValue[] | JsonObject

function isNested(value: JsonValue): value is Nested {
  return typeof value === 'object' && value !== null
}

function inside(value: Nested, name: string): JsonValue {
  return (isJsonArray(value) ? value[Number(name)] : value[name]) ?? null
}
