import { BASE64, BASE64URL, CLASS, classAt } from '#base/random_text.ts'
import type { Detector, Signs } from './detector.ts'
import { LEAST_RUN } from './encoded_runs.ts'
import { hasDisguise, isPlain } from './text_views.ts'

/**
 * Tells which texts need no search. To say so takes a small part of the time of the search, and holds for most texts.
 *
 * Without a sign of a detector it finds nothing in the text. Other readings of a text are no longer than the text; one
 * without disguises has no other view, and base 64 is a run itself.
 */
export class SignReader {
  readonly #length: number
  readonly #run: number
  readonly #form: RegExp
  /** What stands in texts only that are not plain. */
  readonly #unplain: RegExp

  constructor(detectors: readonly Detector[]) {
    const signs = detectors.map((detector) => detector.signs ?? ANY)
    const plain = signs.filter(({ isUnplain }) => isUnplain !== true)
    this.#length = Math.min(...plain.map(({ length }) => length))
    this.#run = Math.min(LEAST_RUN, ...signs.map(({ run }) => run))
    this.#form = anyOf(plain)
    this.#unplain = anyOf(signs.filter(({ isUnplain }) => isUnplain === true))
  }

  /** False only when all detectors find nothing in the text, whichever way it is read. */
  mayHold(text: string): boolean {
    if (text.length >= this.#length && (hasRun(text, this.#run) || this.#form.test(text))) return true
    return !isPlain(text) && (this.#unplain.test(text) || hasDisguise(text))
  }
}

const ANY: Signs = { length: 0, run: Infinity, form: /(?:)/ }

function anyOf(signs: readonly Signs[]): RegExp {
  return signs.length === 0 ? NEVER : new RegExp(signs.map(({ form }) => form.source).join('|'))
}

const NEVER = /(?!)/

/** All that tokens, keys and base 64 are made of. */
const RUN = BASE64 | BASE64URL | CLASS.dot | CLASS.equals | CLASS.tilde

/** Looks back from places that are so far apart that a run of this length covers one of them: most places are never read. */
function hasRun(text: string, length: number): boolean {
  let place = length - 1
  while (place < text.length) {
    const before = place - length
    let at = place
    while (at > before && (classAt(text, at) & RUN) !== 0) at -= 1
    if (at === before) return true
    place = at + length
  }
  return false
}
