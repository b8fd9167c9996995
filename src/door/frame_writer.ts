import { isJsonArray, type JsonObject, type JsonValue } from '#base/json.ts'
import { writeEvent } from '#base/sse.ts'
import type { Passed } from './inspector.ts'
import type { StreamFrame } from './stream_frame.ts'
import { withText, withTexts, type Path } from './text_place.ts'

/** Looks at what in a frame is no text of a channel, each string for itself. Throws `content.blocked`. */
export type InspectRest = <T extends JsonValue>(value: T) => Passed<T> | Promise<Passed<T>>

/** A frame whose channels have been seen to. */
type Written = Pick<StreamFrame, 'event' | 'value' | 'texts'>

/**
 * Writes the frames of one stream, with what was let go in the places of their texts, and everything else inspected.
 *
 * In most streams one frame is as the one before but for its text, and for its number or padding where it has these. Where
 * nothing was found in all else once, the same is not inspected anew: only what differs is.
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
    const clean = this.#clean
    const changed = clean?.changedIn(frame)
    if (clean === undefined || changed === undefined) return this.#writeAnew(frame, released)
    const [text = ''] = released
    if (changed.length === 0) return clean.around(text)
    const passed = this.#inspectRest(changed)
    const go = (seen: Passed<readonly JsonValue[]>): string | Promise<string> =>
      isClean(seen, changed) ? clean.write(frame, text) : this.#writeAnew(frame, released)
    return passed instanceof Promise ? passed.then(go) : go(passed)
  }

  #writeAnew(frame: Written, released: readonly string[]): string | Promise<string> {
    const without = withTexts(
      frame.value,
      frame.texts.map(({ path }) => ({ path, text: '' })),
    )
    const passed = this.#inspectRest(without)
    if (passed instanceof Promise) return passed.then((late) => this.#put(frame, released, late))
    if (isClean(passed, without)) this.#clean = CleanFrame.of(frame)
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
  readonly #frame: Written
  readonly #path: Path
  /** What is written on both sides of the text; only once a frame like this one comes again. */
  #sides: readonly [before: string, after: string] | undefined

  static of(frame: Written): CleanFrame | undefined {
    const path = onlyPath(frame)
    return path && new CleanFrame(frame, path)
  }

  constructor(frame: Written, path: Path) {
    this.#frame = frame
    this.#path = path
  }

  /** What is not the same in a frame of the same form, its one text apart; undefined for one of another form. */
  changedIn(frame: Written): readonly JsonValue[] | undefined {
    const path = onlyPath(frame)
    const { event, value } = this.#frame
    const changed: JsonValue[] = []
    const isAlike =
      path !== undefined &&
      frame.event === event &&
      isSamePath(path, this.#path) &&
      compare(frame.value, value, { path, changed }, 0)
    return isAlike ? changed : undefined
  }

  around(text: string): string {
    const [before, after] = (this.#sides ??= this.#split())
    return before + JSON.stringify(text) + after
  }

  /** Two texts are written differently from behind their first quotes on. */
  #split(): readonly [before: string, after: string] {
    const [one, other] = [this.write(this.#frame, ''), this.write(this.#frame, ' ')]
    let at = 0
    while (one[at] === other[at]) at += 1
    return [one.slice(0, at - 1), one.slice(at + 1)]
  }

  /** A frame of the same form with a text. */
  write({ event, value }: Written, text: string): string {
    return writeEvent(event, JSON.stringify(withText(value, this.#path, text)))
  }
}

function onlyPath({ texts }: Written): Path | undefined {
  const [only] = texts
  return texts.length === 1 ? only?.path : undefined
}

function isClean<T>({ value, findings }: Passed<T>, before: T): boolean {
  return value === before && findings.length === 0
}

function isSamePath(path: Path, other: Path): boolean {
  return path.length === other.length && path.every((step, at) => step === other[at])
}

interface Comparison {
  readonly path: Path
  /** Takes what differs: all but lists and objects, and the text at the end of the path. */
  readonly changed: JsonValue[]
}

/**
 * True when two values have the same lists and members in the same order, and a text at the end of the path. Beside the path,
 * `depth` is greater than its length. Loops, since each frame of each stream comes by here.
 */
function compare(value: JsonValue, other: JsonValue, comparison: Comparison, depth: number): boolean {
  const { path, changed } = comparison
  if (depth === path.length) return typeof value === 'string' && typeof other === 'string'
  if (!isNested(value) || !isNested(other)) {
    if (value === other) return true
    if (isNested(value) || isNested(other)) return false
    changed.push(value)
    return true
  }
  if (isJsonArray(value) !== isJsonArray(other)) return false
  const names = Object.keys(value)
  const others = Object.keys(other)
  if (names.length !== others.length) return false
  const step = depth < path.length ? String(path[depth]) : undefined
  for (let at = 0; at < names.length; at += 1) {
    const name = names[at] ?? ''
    if (name !== others[at]) return false
    const below = name === step ? depth + 1 : path.length + 1
    if (!compare(inside(value, name), inside(other, name), comparison, below)) return false
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
