import assert from 'node:assert/strict'
import { test } from 'node:test'
import { randomFractions } from '../support/planted_secrets.ts'
import { protectedValues } from '../support/protected_values.ts'
import { CHANNELS, everySplit, guardedWhole, inBatches, type Split } from '../support/split_channels.ts'

/** Printed, and given again as GATEHOUSE_STREAM_SEED to repeat a run. */
const SEED = Number(process.env['GATEHOUSE_STREAM_SEED'] ?? 20_270_304)
const CHUNKINGS = Number(process.env['GATEHOUSE_STREAM_CHUNKINGS'] ?? 100_000)
/** Of each text in one channel. */
const AT_ONCE = 16
const LONGEST_PIECES = [1, 2, 5, 20, 100]
/** Known by what stands to the right of it: what a stream does not cover. */
const VALUES = protectedValues().filter(({ kind }) => kind !== 'AWS secret before its id')

const random = randomFractions(SEED)
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] ?? assert.fail()

for (const [name, channel] of Object.entries(CHANNELS)) {
  test(`every split of every protected value, ${name}: the same comes out, and nothing of it`, async () => {
    for (const value of VALUES) {
      const made = value.make(random)
      const secret = value.secret(made)
      const text = `Here: ${made} and so on.`
      const whole = guardedWhole(text)
      assert.ok(!whole.includes(secret), `${value.kind}: ${whole} (seed ${SEED})`)
      const check = (got: string, pieces: readonly string[]): void =>
        assert.equal(got, whole, `${value.kind}: ${JSON.stringify(pieces)} (seed ${SEED})`)
      await inBatches(channel, everySplit(text), { check, secret })
    }
  })
}

/** Pieces of whole characters. */
function randomPieces(text: string): readonly string[] {
  const longest = pick(LONGEST_PIECES)
  const characters = Array.from(text)
  const pieces: string[] = []
  for (let at = 0; at < characters.length;) {
    const end = at + Math.ceil(random() * longest)
    pieces.push(characters.slice(at, end).join(''))
    at = end
  }
  return pieces
}

test(`${CHUNKINGS} random chunkings on all channels of all formats: the same comes out`, async (context) => {
  context.diagnostic(`seed ${SEED}`)
  for (let done = 0; done < CHUNKINGS; done += AT_ONCE) {
    const [name, channel] = pick(Object.entries(CHANNELS))
    const value = pick(VALUES)
    const made = value.make(random)
    const text = `Here: ${made} and so on.`
    const whole = guardedWhole(text)
    const splits: readonly Split[] = Array.from({ length: AT_ONCE }, () => ({
      text,
      pieces: randomPieces(text),
    }))
    const check = (got: string, pieces: readonly string[]): void =>
      assert.equal(got, whole, `${value.kind}, ${name}: ${JSON.stringify(pieces)} (seed ${SEED})`)
    await inBatches(channel, splits, { check, secret: value.secret(made) })
  }
})
