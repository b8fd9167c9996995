import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { base62Checksum } from '#base/base62_checksum.ts'
import { fillerOf, plantedSecrets, randomFractions } from '../../test/support/planted_secrets.ts'
import { protectedValues } from '../../test/support/protected_values.ts'
import type { Detector } from './detector.ts'
import { DETECTORS } from './detectors/all.ts'
import { SignReader } from './signs.ts'
import { TextSearch } from './text_search.ts'

const SEED = 20_261_122
const SECRETS = plantedSecrets(SEED)
const fill = fillerOf(SEED)
const signs = new SignReader(DETECTORS)
/** Asks about every text. */
const searchOfAll = new TextSearch(DETECTORS.map(({ id, why, find }) => ({ id, why, find })))

/** The lines of a private key as a narrow column shows them. */
const NARROW_PEM = SECRETS.filter(({ kind }) => kind === 'PEM, PKCS 8').map(({ secret }) =>
  secret.replaceAll(/[^\n]{60,}/g, (line) => line.replaceAll(/.{12}/g, '$&\n')),
)

const HOLDING: readonly (readonly [why: string, text: string])[] = [
  ...SECRETS.map(({ kind, text }) => [kind, text] as const),
  ['a short password in a URL', 'x://u:abc@h/'],
  ['short Basic credentials', `Basic ${Buffer.from('u:abc').toString('base64')}`],
  ...NARROW_PEM.map((text) => ['a private key in short lines', text] as const),
  ['a run at the very beginning', fill('{base62:20} and words')],
  ['a run at the very end', `some words and ${fill('{base62:20}')}`],
  ['a disguise', 'words with %41 them'],
  ['an invisible character', 'words and\u200b words'],
]

for (const [why, text] of HOLDING) {
  test(`mayHold holds for: ${why}`, () => {
    assert.equal(signs.mayHold(text), true)
  })
}

const HOLDING_NOT: readonly (readonly [why: string, text: string])[] = [
  ['prose', 'Nothing hides here, not even with an é or “quotes”.\n\tOr on a second line: of the Basics.'],
  ['a run that is one too short', `${fill('{base62:19}')} ${fill('{base62:19}')}`],
  ['a name of a field', 'frequency_penalty'],
  ['a text too short for anything', '://u'],
  ['the empty text', ''],
]

for (const [why, text] of HOLDING_NOT) {
  test(`mayHold does not hold for: ${why}`, () => {
    assert.equal(signs.mayHold(text), false)
    assert.deepEqual(searchOfAll.atOnce(text), [])
  })
}

test('mayHold holds for every text when a detector has no signs', () => {
  const blind: Detector = { id: 'blind', why: 'Says nothing.', find: () => [] }
  assert.equal(new SignReader([...DETECTORS, blind]).mayHold(''), true)
})

test('mayHold holds for base 64, whatever the detectors look for', () => {
  const word: Detector = {
    id: 'word',
    why: 'Finds a word.',
    signs: { length: 4, run: Infinity, form: /word/ },
    find: () => [],
  }
  const encoded = Buffer.from('there is a word in this').toString('base64')
  assert.equal(new SignReader([word]).mayHold(encoded), true)
  assert.equal(new SignReader([word]).mayHold(encoded.slice(1)), false)
})

/** A key of ours with the right checksum and any other characters, which the detector takes for one. */
function ownKeyOf(body: string): string {
  const key = `gate_live_${body}`
  return `${key}_${base62Checksum(key)}`
}

const BODY = { minLength: 45, maxLength: 45 } as const
const random = randomFractions(SEED)
const PROTECTED = protectedValues().map(({ make }) => make(random))
const written = fc.oneof(
  fc.constantFrom(...PROTECTED),
  fc.constantFrom(...NARROW_PEM, ...SECRETS.flatMap(({ text, secret }) => [text, secret])),
  fc.string({ unit: fc.constantFrom('a', 'Z', '7', ' ', '_', '\n'), ...BODY }).map(ownKeyOf),
  fc.constantFrom(
    'https://user:pass@host/',
    'a://:p1@',
    'Basic dTphYmM=',
    'basic\tdTphYmM=',
    'Bearer ',
    'AKIA',
  ),
)
const encoded = fc
  .tuple(written, fc.constantFrom<BufferEncoding>('base64', 'base64url', 'hex'))
  .map(([text, encoding]) => Buffer.from(text).toString(encoding))
const escaped = written.map((text) =>
  Array.from(text, (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
)
const cut = fc
  .tuple(written, fc.nat(), fc.constantFrom('', ' ', '\n', '\u200b', '%41', 'é'))
  .map(
    ([text, place, between]) =>
      text.slice(0, place % text.length) + between + text.slice(place % text.length),
  )
const prose = fc.constantFrom('words', ' ', ' and more words ', '\n', 'é', ': ', '-----BEGIN ', '=')
const texts = fc
  .array(fc.oneof(written, encoded, escaped, cut, prose, prose, prose, prose), { maxLength: 4 })
  .map((pieces) => pieces.join(''))

test(`mayHold is never false for a text in which a search finds something (seed ${SEED})`, () => {
  const counts = { found: 0, passed: 0 }
  fc.assert(
    fc.property(texts, (text) => {
      const isFound = searchOfAll.atOnce(text).length > 0
      const mayHold = signs.mayHold(text)
      counts.found += Number(isFound)
      counts.passed += Number(!mayHold)
      assert.ok(mayHold || !isFound)
    }),
    { seed: SEED, numRuns: 5_000 },
  )
  assert.ok(counts.found > 1_000 && counts.passed > 300, JSON.stringify(counts))
})

for (const detector of DETECTORS) {
  test(`${detector.id} finds only where its own signs are (seed ${SEED})`, () => {
    const own = new SignReader([detector])
    const values = protectedValues().filter((value) => value.detector === detector)
    const made = values.flatMap(({ make }) => Array.from({ length: 20 }, () => make(random)))
    const around = fc
      .tuple(prose, fc.constantFrom(...made), prose)
      .map(([before, value, after]) => `${before} ${value} ${after}`)
    let found = 0
    fc.assert(
      fc.property(fc.oneof(texts, around), (text) => {
        if (detector.find(text).length === 0) return
        found += 1
        assert.ok(own.mayHold(text))
      }),
      { seed: SEED, numRuns: 5_000 },
    )
    assert.ok(found > 50, String(found))
  })
}
