import { endOfAnsi } from '#base/ansi.ts'
import { looseBidiControls } from '#base/bidi_controls.ts'
import { HIDING, HIDING_FORM, hidingAt, MOST_GENERAL_MARKS } from '#base/hiding.ts'
import {
  isDirectionMarkInPlace,
  isFillerInPlace,
  isOperatorInPlace,
  isSelectorInPlace,
  isSubdivisionFlag,
  isZeroWidthInPlace,
} from '#base/invisible_use.ts'
import { isWithin, pointAt, pointBefore, unitsOf, type Range } from '#base/ranges.ts'
import { TRAIT, traitsOf } from '#base/scripts.ts'
import type { Detector, Finding, Signs } from '../detector.ts'

/** One character is enough. */
const SIGNS: Signs = { length: 1, run: Infinity, form: HIDING_FORM, isUnplain: true }

/**
 * Finds characters that show nothing, or not what they say, outside the uses that writing has for them: the flags of
 * three nations, emoji, joiners of joining scripts, breaks of scripts without spaces, balanced directions. Reads the text as
 * it stands: with escapes undone, the colours in a source text would be commands to a terminal.
 */
export const hidden: Detector = {
  id: 'hidden',
  why: 'A text that nobody sees can give a model orders and carry data out.',
  plainOnly: true,
  signs: SIGNS,
  find(text) {
    if (!SIGNS.form.test(text)) return NOTHING
    const search = new Search(text)
    for (let at = 0; at < text.length;) {
      const kind = hidingAt(text, at)
      at = kind === HIDING.plain ? at + 1 : search.step(at, kind)
    }
    return search.end()
  },
}

const NOTHING: readonly Finding[] = Object.freeze([])
/** Icons of fonts stand alone or in twos; a run is a text in an alphabet of one's own. */
const MOST_PRIVATE = 3
/** Hebrew with points and accents, Tibetan and Burmese put up to seven on a letter. */
const MOST_MARKS = 8

/** Takes in one text from left to right. */
class Search {
  readonly #text: string
  readonly #found: Finding[] = []
  #hasDirections = false

  constructor(text: string) {
    this.#text = text
  }

  /** Looks at what begins at a place, and gives the place behind it. */
  step(at: number, kind: number): number {
    switch (kind) {
      case HIDING.ansi:
        return this.#ansi(at)
      case HIDING.direction:
        this.#hasDirections = true
        return at + 1
      case HIDING.selector:
        return this.#selectors(at)
      case HIDING.astral:
        return this.#astral(at)
      case HIDING.mark:
      case HIDING.generalMark:
        return this.#marks(at)
      default:
        return this.#run(at, kind)
    }
  }

  end(): readonly Finding[] {
    const found = this.#found
    if (this.#hasDirections) {
      const others = found.length
      for (const at of looseBidiControls(this.#text)) this.#add('hidden.bidi', at, at + 1)
      if (others > 0 && found.length > others) found.sort((left, right) => left.start - right.start)
    }
    return found.length === 0 ? NOTHING : found
  }

  #ansi(at: number): number {
    const end = endOfAnsi(this.#text, at)
    return end < 0 ? this.#add('hidden.control', at, at + 1) : this.#add('hidden.ansi', at, end)
  }

  /** A run of one kind of the first plane. */
  #run(at: number, kind: number): number {
    const text = this.#text
    let end = at + 1
    while (hidingAt(text, end) === kind) end += 1
    switch (kind) {
      case HIDING.zeroWidth:
        return isZeroWidthInPlace(text, at, end) ? end : this.#add('hidden.zero_width', at, end)
      case HIDING.directionMark:
        return isDirectionMarkInPlace(text, at, end) ? end : this.#add('hidden.bidi', at, end)
      case HIDING.operator:
        return end - at === 1 && isOperatorInPlace(text, at)
          ? end
          : this.#add('hidden.invisible_operators', at, end)
      case HIDING.filler:
        return isFillerInPlace(text, at, end) ? end : this.#add('hidden.fillers', at, end)
      case HIDING.privateUse:
        return this.#privateUse(at)
      default:
        return this.#add('hidden.control', at, end)
    }
  }

  #astral(at: number): number {
    const point = pointAt(this.#text, at)
    if (isSelector(point)) return this.#selectors(at)
    if (isTag(point)) return this.#tags(at)
    if (isPrivate(point)) return this.#privateUse(at)
    const next = at + unitsOf(point)
    // They group notes, or strokes of shorthand, and have no use elsewhere.
    const isStray =
      isGrouping(point) && !isGrouped(point, pointBefore(this.#text, at), pointAt(this.#text, next))
    return isStray ? this.#add('hidden.invisible_operators', at, next) : next
  }

  #selectors(at: number): number {
    const end = this.#endOf(at, isSelector)
    const isOne = end === at + unitsOf(pointAt(this.#text, at))
    return isOne && isSelectorInPlace(this.#text, at) ? end : this.#add('hidden.variation_selectors', at, end)
  }

  #tags(at: number): number {
    const end = this.#endOf(at, isTag)
    return isSubdivisionFlag(this.#text, at, end) ? end : this.#add('hidden.tags', at, end)
  }

  #privateUse(at: number): number {
    let count = 0
    const end = this.#endOf(at, (point) => isPrivate(point) && ++count > 0)
    return count <= MOST_PRIVATE ? end : this.#add('hidden.private_use', at, end)
  }

  /** All that stands on one letter. A grapheme joiner between marks joins two stacks to one. */
  #marks(at: number): number {
    const text = this.#text
    let general = 0
    let end = at
    for (;;) {
      const kind = hidingAt(text, end)
      if (kind === HIDING.generalMark) general += 1
      else if (kind !== HIDING.mark && !isJoinedMark(text, end)) break
      end += 1
    }
    const count = end - at
    const isStack = count > MOST_MARKS || (general > 0 && count > MOST_GENERAL_MARKS)
    return isStack ? this.#add('hidden.combining', at, end) : end
  }

  #endOf(at: number, isOne: (point: number) => boolean): number {
    let end = at
    for (let point = pointAt(this.#text, end); isOne(point); point = pointAt(this.#text, end))
      end += unitsOf(point)
    return end
  }

  /** Gives the end. What stands side by side under one rule is one finding. */
  #add(rule: string, start: number, end: number): number {
    const last = this.#found.at(-1)
    if (last?.rule === rule && last.end === start)
      this.#found[this.#found.length - 1] = { rule, start: last.start, end }
    else this.#found.push({ rule, start, end })
    return end
  }
}

const SELECTORS: readonly Range[] = [
  [0x180b, 0x180d],
  [0x180f, 0x180f],
  [0xfe00, 0xfe0f],
  [0xe0100, 0xe01ef],
]

function isSelector(point: number): boolean {
  return isWithin(SELECTORS, point)
}

/** The tags, and what else of their plane shows nothing. */
function isTag(point: number): boolean {
  return point >= 0xe0000 && point <= 0xe0fff && !isSelector(point)
}

function isPrivate(point: number): boolean {
  return point >= 0xf0000 || (point >= 0xe000 && point <= 0xf8ff)
}

function isGrouping(point: number): boolean {
  return (point >= 0x1bca0 && point <= 0x1bca3) || (point >= 0x1d173 && point <= 0x1d17a)
}

/** True when one of the characters beside it is of its own script. */
function isGrouped(point: number, before: number, after: number): boolean {
  const isNear = (other: number): boolean => Math.abs(other - point) <= SCRIPT_SIZE && !isGrouping(other)
  return isNear(before) || isNear(after)
}
const SCRIPT_SIZE = 0x100

function isJoinedMark(text: string, at: number): boolean {
  return text.charCodeAt(at) === GRAPHEME_JOINER && (traitsOf(text.charCodeAt(at + 1)) & TRAIT.mark) !== 0
}
const GRAPHEME_JOINER = 0x34f
