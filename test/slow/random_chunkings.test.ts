import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LIMITS } from '#base/limits.ts'
import { CONTEXTS, DISGUISES, WRAPPINGS } from '../support/disguises.ts'
import { guardPieces, inPieces, redactedWhole } from '../support/guarded_text.ts'
import { randomFractions } from '../support/planted_secrets.ts'
import { protectedValues } from '../support/protected_values.ts'

/** Printed, and given again as GATEHOUSE_STREAM_SEED to repeat a run. */
const SEED = Number(process.env['GATEHOUSE_STREAM_SEED'] ?? 20_261_122)
const CHUNKINGS = Number(process.env['GATEHOUSE_STREAM_CHUNKINGS'] ?? 100_000)
const CHUNKINGS_PER_TEXT = 10
/** Known by what stands to the right of it, see docs/explanation/streams.md. */
const VALUES = protectedValues().filter(({ kind }) => kind !== 'AWS secret before its id')
const LONGEST_PIECES = [2, 5, 20, 100, 1_000]

const random = randomFractions(SEED)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] ?? assert.fail()

/** A text with one to three protected values, each written and surrounded in one of all ways. */
function makeText(): readonly [what: string, text: string] {
  const what: string[] = []
  let text = ''
  for (let count = Math.ceil(random() * 3); count > 0; count--) {
    const value = pick(VALUES)
    const plain = value.make(random)
    const [around, before, after] = pick(CONTEXTS)
    const [how, written] = random() < 0.6 ? disguised(plain, value.secret(plain)) : wrapped(plain)
    what.push(`${value.kind} in ${how} in ${around}`)
    text += before + written + after
  }
  return [what.join('; '), text]
}

function disguised(text: string, secret: string): readonly [string, string] {
  const [how, disguise] = pick(DISGUISES)
  return [how, text.replace(secret, () => disguise(secret))]
}

function wrapped(text: string): readonly [string, string] {
  const [how, wrap] = pick(WRAPPINGS)
  return [how, wrap(text)]
}

function randomPieces(text: string): readonly string[] {
  const longest = pick(LONGEST_PIECES)
  const pieces: string[] = []
  for (let at = 0; at < text.length;) {
    const end = at + Math.ceil(random() * longest)
    pieces.push(text.slice(at, end))
    at = end
  }
  return pieces
}

function withoutMarks(text: string): string {
  return text.replaceAll(/\[redacted:[a-z_.]+\]/g, '')
}

/** True when a text is what is left of another after something was taken out. */
function isPartOf(text: string, other: string): boolean {
  let at = 0
  for (let place = 0; at < text.length && place < other.length; place++)
    if (text.charCodeAt(at) === other.charCodeAt(place)) at += 1
  return at === text.length
}

test(`HoldBack lets out the same under ${CHUNKINGS} random chunkings, and no more than inspect (seed ${SEED})`, (context) => {
  let longer = 0
  for (let done = 0; done < CHUNKINGS; done += CHUNKINGS_PER_TEXT) {
    const [what, text] = makeText()
    const fine = guardPieces(inPieces(text, 1))
    const whole = redactedWhole(text)
    if (fine.mostHeld < LIMITS.heldStrict - 1) assert.equal(fine.out, whole, what)
    else {
      longer += 1
      assert.ok(isPartOf(withoutMarks(fine.out), withoutMarks(whole)), what)
    }
    for (let chunking = 0; chunking < CHUNKINGS_PER_TEXT; chunking++) {
      const pieces = randomPieces(text)
      const { out, steps, findings } = guardPieces(pieces)
      assert.equal(out, fine.out, what)
      assert.deepEqual(findings, fine.findings, what)
      let at = 0
      for (const [index, piece] of pieces.entries()) {
        at += piece.length
        assert.equal(steps[index], fine.steps[at - 1], what)
      }
    }
  }
  context.diagnostic(`${String(longer)} texts had something that was decided before its end`)
})
