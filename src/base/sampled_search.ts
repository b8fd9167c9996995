const SPACE = 0x20
const COLON = 0x3a
const BACKSLASH = 0x5c
const LOWER_N = 0x6e
const LOWER_R = 0x72
const LOWER_T = 0x74

/** Letters that are read at a place. Four of a secret hardly stand elsewhere. */
const GRAM = 4
/** A filter of 8 KiB: of a thousand grams that were not added, it takes some twenty for added ones when it holds 1,300. */
const FILTER_BITS = 16

/**
 * Tells in a part of the time of a search that bytes hold none of some forms, whatever `withoutSpace` leaves out between their
 * letters.
 *
 * A form takes as many bytes as it has letters, or more. So a few letters are read at places so far apart that one of them is
 * in the form with that many letters of it ahead; where these are no letters of any form, no form is.
 */
export class SampledSearch {
  readonly #filter = new Uint32Array(1 << (FILTER_BITS - 5))
  readonly #stride: number

  /** The forms are without space themselves, and no shorter than `GRAM`. */
  constructor(forms: readonly Uint8Array[]) {
    for (const form of forms) {
      let gram = 0
      form.forEach((letter, at) => {
        gram = (gram << 8) | letter
        if (at >= GRAM - 1) this.#add(gram)
      })
    }
    this.#stride = Math.min(...forms.map(({ length }) => length)) - GRAM + 1
  }

  /** False only when no form stands in the bytes. Linear in their length. */
  mayHold(bytes: Uint8Array): boolean {
    for (let place = 0; place < bytes.length; place += this.#stride) {
      place = nextLetter(bytes, place)
      if (this.#has(gramAt(bytes, place))) return true
    }
    return false
  }

  /**
   * The same for bytes that come piece by piece: reads at places from here on, and gives the one to go on at when more bytes
   * stand behind these. Undefined when letters of a form stand at a place.
   */
  goOn(bytes: Uint8Array, from: number): number | undefined {
    for (let place = from; ; place += this.#stride) {
      place = nextLetter(bytes, place)
      if (!isWholeGram(bytes, place)) return place
      if (this.#has(gramAt(bytes, place))) return undefined
    }
  }

  #add(gram: number): void {
    const hash = hashOf(gram)
    this.#filter[hash >>> 5] = (this.#filter[hash >>> 5] ?? 0) | (1 << (hash & 31))
  }

  #has(gram: number): boolean {
    const hash = hashOf(gram)
    return (((this.#filter[hash >>> 5] ?? 0) >>> (hash & 31)) & 1) === 1
  }
}

/** Four bytes to `FILTER_BITS` bits (Knuth, multiplicative hashing). */
function hashOf(gram: number): number {
  return Math.imul(gram, 0x9e37_79b1) >>> (32 - FILTER_BITS)
}

/** What stands at a letter and at those that follow it. */
function gramAt(bytes: Uint8Array, first: number): number {
  let gram = bytes[first] ?? 0
  let at = first
  for (let letter = 1; letter < GRAM; letter++) {
    at = nextLetter(bytes, at + 1)
    gram = (gram << 8) | (bytes[at] ?? 0)
  }
  return gram
}

/** Whether so many letters stand from here on; of backslashes at the end nothing is known yet. */
function isWholeGram(bytes: Uint8Array, first: number): boolean {
  let at = first
  for (let letter = 1; letter < GRAM; letter++) at = nextLetter(bytes, at + 1)
  return at + 1 < bytes.length
}

/** The first place from here on that `withoutSpace` keeps; of backslashes in a row the last. */
function nextLetter(bytes: Uint8Array, from: number): number {
  let at = from
  if (bytes[at - 1] === BACKSLASH && isEscapedSpace(bytes[at])) at += 1
  for (;;) {
    const byte = bytes[at]
    if (byte === undefined || (byte > SPACE && byte !== COLON && byte !== BACKSLASH)) return at
    if (byte === BACKSLASH) {
      while (bytes[at + 1] === BACKSLASH) at += 1
      if (!isEscapedSpace(bytes[at + 1])) return at
      at += 1
    }
    at += 1
  }
}

function isEscapedSpace(letter: number | undefined): boolean {
  return letter === LOWER_N || letter === LOWER_R || letter === LOWER_T
}
