import { LIMITS } from '#base/limits.ts'
import type { Finding, InspectionAction } from './detector.ts'
import { IslandSearch, type IslandDetectors } from './island_search.ts'
import { Islands, type Turn } from './islands.ts'
import { LEAST_TOLD, LIVE } from './live_forms.ts'
import { endsHidden, isDull, isInPair, keyLineIn, restOfToken, restOfWord } from './held_runs.ts'
import { HeldText } from './held_text.ts'

export interface HoldBackParts {
  readonly detectors: IslandDetectors
  /** What happens to a finding of a rule; also asked about `inspection.too_long`. */
  readonly action: (rule: string) => InspectionAction
  /** What happens to a long run of base 64, hexadecimal or the like in which nothing was found when no more of it can be held. */
  readonly encoded: InspectionAction
}

/**
 * The guard of one channel of a stream. Takes text in as it comes and lets it out as soon as it cannot become part of a
 * finding any more. What was let out at any place of the text, the findings and the block depend on the text alone, not on
 * the pieces that it comes in.
 *
 * Where nothing is too long to be held, what comes out is the text that `inspect` makes of the whole. What is too long is
 * replaced up to its end: under `inspection.too_long` when it is strict, and under `inspection.encoded_run` by its own action
 * when it is a run. docs/explanation/streams.md tells what is not covered.
 */
export class HoldBack {
  readonly #search: IslandSearch
  readonly #encoded: InspectionAction
  readonly #islands = new Islands()
  readonly #held = new HeldText()
  /** Islands that have ended and were not looked at yet: start and end, one after the other. */
  #ended: number[] = []
  /** What comes is thrown away, up to the end of this. */
  #losing: 'nothing' | 'island' | 'key' = 'nothing'
  /** The first part of the island that is open was let out. */
  #isCut = false
  #failure: unknown
  #isOver = false

  constructor({ detectors, action, encoded }: HoldBackParts) {
    this.#search = new IslandSearch(detectors, action)
    this.#encoded = encoded
  }

  /** Rules found so far, each once, sorted. */
  get findings(): readonly string[] {
    return this.#search.rules
  }

  /** Characters that have come, and neither left nor been replaced. */
  get held(): number {
    return this.#held.length
  }

  /** Takes text in and gives what may leave now. Throws `content.blocked`, with `findings`, then and ever after. */
  push(text: string): string {
    this.#check()
    try {
      const from = this.#held.length
      this.#held.add(text)
      this.#read(from)
    } catch (thrown) {
      throw this.#fail(thrown)
    }
    return this.#held.take()
  }

  /** No more text comes: gives the rest. Throws as `push` does. */
  end(): string {
    this.#check()
    try {
      const { length } = this.#held
      if (this.#losing === 'nothing') this.#close(length - this.#islands.length, length)
      this.#held.drop(length)
      this.#isOver = true
    } catch (thrown) {
      throw this.#fail(thrown)
    }
    return this.#held.take()
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#isOver) throw new Error('The text has ended')
  }

  /** Nothing that is held leaves any more. */
  #fail(thrown: unknown): unknown {
    this.#failure = thrown
    this.#held.clear()
    return thrown
  }

  #read(from: number): void {
    const islands = this.#islands
    const { text } = this.#held
    for (let at = from; ; at = islands.at) {
      const turn = islands.scan(text, at)
      if (turn === 'more') break
      if (this.#losing === 'nothing') this.#take(turn, islands.at)
      else this.#lose(turn, islands.at)
    }
    this.#closeAll()
    if (this.#losing === 'nothing') this.#held.letOut(text.length - islands.length)
    // What is kept may belong to the text behind what is thrown away.
    else this.#held.drop(text.length - islands.live.kept)
  }

  #take(turn: Exclude<Turn, 'more'>, at: number): void {
    if (turn === 'closed') return this.#endIsland(at - this.#islands.fresh)
    this.#closeAll()
    switch (turn) {
      case 'key.ended':
        break
      case 'short':
        this.#slide(at, this.#islands.shortLength)
        break
      case 'span':
        this.#slide(at, LIMITS.heldSpan)
        break
      case 'strict':
        if (this.#islands.live.isInKey) this.#takeKey(at)
        else this.#takeTooLong(at)
        break
      case 'known':
        this.#isKnown(at)
        break
      case 'long':
        if (this.#isKnown(at)) break
        if (this.#isLateToken(at)) this.#takeRun(at)
        else this.#takeTooLong(at)
        break
      case 'run':
        if (!this.#isKnown(at)) this.#takeRun(at)
        break
    }
  }

  /** While something is thrown away, only its end matters. */
  #lose(turn: Turn, at: number): void {
    const islands = this.#islands
    if (turn === 'key.ended' && this.#losing === 'key') {
      this.#held.drop(at)
      islands.keep(0)
    } else if (turn === 'closed' && this.#losing === 'island') {
      this.#held.drop(at - (islands.fresh > 0 ? islands.fresh : isInPair(this.#held.text, at - 1) ? 2 : 1))
      islands.keep(islands.fresh)
    } else return
    this.#losing = 'nothing'
  }

  /** An island has ended. Most hold nothing, which is sooner told of several at once. */
  #endIsland(at: number): void {
    const { length, fresh } = this.#islands
    this.#ended.push(at - length, at)
    this.#islands.keep(fresh)
    if (at - (this.#ended[0] ?? 0) >= CLOSED_AT_ONCE || this.#islands.live.hasLeftKey) this.#closeAll()
  }

  #closeAll(): void {
    const ended = this.#ended
    const [first] = ended
    if (first === undefined) return
    this.#ended = []
    const to = ended.at(-1) ?? 0
    if (this.#islands.live.hasLeftKey || this.#search.mayHold(this.#held.text.slice(first, to))) {
      for (let at = 0; at < ended.length; at += 2) this.#close(ended[at] ?? 0, ended[at + 1] ?? 0)
    } else this.#held.letOut(to)
    this.#isCut = false
  }

  /** The island between two places has ended. */
  #close(start: number, at: number): void {
    const found = this.#find(start, at)
    // It was the first of those that have ended.
    this.#isCut = false
    if (!this.#isKeyAgain(start, at, found)) this.#held.letOut(at, found, start)
  }

  /** True when a line begins here of a private key whose first lines have left; then all is thrown away to its end. */
  #isKeyAgain(start: number, at: number, found: readonly Finding[]): boolean {
    const line = this.#islands.live.hasLeftKey ? keyLineIn(this.#held.text.slice(start, at)) : -1
    if (line < 0 || this.#search.note(KEY_RULE) === 'pass') return false
    this.#islands.live.enterKey()
    this.#replace({ from: start + line, found, rule: KEY_RULE, start, at })
    this.#losing = 'key'
    return true
  }

  /** True when a finding reaches to the end of what is held, and so will go on: then it is replaced up to its end. */
  #isKnown(at: number): boolean {
    const { length, live } = this.#islands
    const start = at - length
    const found = this.#find(start, at)
    const last = found.at(-1)
    // The beginning of an escape is no part of it yet.
    if (last === undefined || last.end < length - live.kept) return false
    const isHidden = last.rule.startsWith('hidden.')
    // What shows nothing may stand in the middle of something that goes on behind it.
    if (isHidden && last.end - last.start <= HELD_ON) return false
    this.#replace({ from: isHidden ? start : start + last.start, found, rule: last.rule, start, at })
    return true
  }

  /** Inside the marker lines of a private key, and longer than may be held. */
  #takeKey(at: number): void {
    const start = at - this.#islands.length
    const found = this.#find(start, at)
    const key = found.findLast(({ rule }) => rule === KEY_RULE)
    if (key === undefined) {
      // No key so far: the marker stands in a sentence, or in a program.
      this.#islands.live.leaveKey()
      this.#slide(at, Math.max(LIMITS.heldShort, restOfWord(this.#held.text.slice(start, at))))
      return
    }
    this.#replace({ from: start + key.start, found, rule: key.rule, start, at })
    this.#losing = 'key'
  }

  #takeTooLong(at: number): void {
    const start = at - this.#islands.length
    // What is to block does so, whatever it is part of.
    this.#find(start, at)
    if (this.#search.note('inspection.too_long') === 'pass') this.#slide(at, 0)
    else this.#replace({ from: start, found: NOTHING, rule: 'inspection.too_long', start, at })
  }

  /** True when only the end of a run may be a web token, and is held on: megabytes of base 64 hold its first letters by chance. */
  #isLateToken(at: number): boolean {
    const { length, live } = this.#islands
    const token = restOfToken(this.#held.text.slice(at - length, at))
    return live.disguise === 'none' && token > 0 && token <= HELD_ON
  }

  /** Nothing was found in a run, and no more of it can be held. */
  #takeRun(at: number): void {
    const start = at - this.#islands.length
    if (this.#isKeyAgain(start, at, NOTHING)) return
    const isPassed =
      isDull(this.#held.text.slice(start, at)) ||
      this.#search.note('inspection.encoded_run', this.#encoded) === 'pass'
    if (isPassed) this.#slide(at, HELD_ON)
    else this.#replace({ from: start, found: NOTHING, rule: 'inspection.encoded_run', start, at })
  }

  /** Lets out what is held, all but the last characters and a finding that reaches into these. */
  #slide(at: number, kept: number): void {
    const { length } = this.#islands
    const start = at - length
    const found = this.#find(start, at)
    let cut = length - kept
    for (const finding of found) if (finding.start < cut && cut < finding.end) cut = finding.start
    if (isInPair(this.#held.text, start + cut)) cut -= 1
    if (cut <= 0) return
    const whole = found.filter(({ end }) => end <= cut)
    this.#held.letOut(start + cut, whole, start)
    this.#islands.keep(length - cut)
    this.#isCut = true
  }

  #find(start: number, at: number): readonly Finding[] {
    const island = this.#held.text.slice(start, at)
    if (!this.#search.mayHold(island)) return NOTHING
    return this.#search.find(this.#held.before(start, this.#reach(start, island.length)), island)
  }

  /** How far before an island something may stand that tells more of it. */
  #reach(start: number, length: number): number {
    const { at, live } = this.#islands
    const isTold = length >= LEAST_TOLD && live.sinceTold <= LIMITS.inspectedBehind + at - start
    if (isTold) return LIMITS.inspectedBehind
    if (this.#isCut) return NEAR_CUT
    return length < LEAST_NUMBER ? NEAR : NEAR_NUMBERS
  }

  /** Lets out what comes before a place, and puts the rule in the stead of all from there to the end of the island. */
  #replace({ from, found, rule, start, at }: Replacement): void {
    const before = found.filter(({ end }) => start + end <= from)
    this.#held.letOut(from, before, start)
    this.#held.replace(at, rule)
    this.#losing = 'island'
    this.#isCut = false
    this.#islands.lose(endsHidden(this.#held.text, at, rule) ? LIVE.span : ~LIVE.short)
  }
}

interface Replacement {
  readonly from: number
  readonly found: readonly Finding[]
  readonly rule: string
  /** Where the island begins, and where what is held of it ends. */
  readonly start: number
  readonly at: number
}

const NOTHING: readonly Finding[] = Object.freeze([])
const KEY_RULE = 'credential.pem'
/** Of a run that passes, the last characters are held on. */
const HELD_ON = LIMITS.heldRun / 2
/** Ended islands are looked at when they are so many characters together, or no more text is there. */
const CLOSED_AT_ONCE = 256
/** No address and no number is shorter. */
const LEAST_NUMBER = 6
/** What is looked at before an island that nothing farther left tells of: of addresses, whether they are users of a URL. */
const NEAR_NUMBERS = 160
/** Longer than what has no end of its own can be, before a place where it was cut. */
const NEAR_CUT = 256
const NEAR = 16
