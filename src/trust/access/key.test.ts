import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import * as fc from 'fast-check'
import { newKeyText, newKid, parseKey } from './key.ts'

const SEED = 20_260_101
const BASE62 = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz'
/** Made by hand: the CRC-32 of `gate_test_000000000000_` and 32 zeros is 0x5cb55b62 (zlib of another language). */
const KNOWN_CRC = '1hGFnu'
const BODY = `gate_test_${'0'.repeat(12)}_${'0'.repeat(32)}`

suite('key', () => {
  test('newKeyText makes what parseKey reads: form, id and checksum', () => {
    for (const environment of ['live', 'test'] as const) {
      const kid = newKid()
      const text = newKeyText({ environment, kid })
      assert.match(text, /^gate_(live|test)_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}_[0-9A-Za-z]{6}$/)
      assert.deepEqual(parseKey(text), { environment, kid })
      assert.notEqual(newKeyText({ environment, kid }), text, 'a fresh secret each time')
    }
  })

  test('parseKey refuses all but one exact form', () => {
    const good = newKeyText({ environment: 'live', kid: newKid() })
    const rows: readonly (readonly [why: string, text: string])[] = [
      ['empty', ''],
      ['a space after', `${good} `],
      ['a line end after', `${good}\n`],
      ['a line end in place of the last character', `${good.slice(0, -1)}\n`],
      ['another environment', good.replace('gate_live', 'gate_prod')],
      ['live and test swapped', good.replace('gate_live', 'gate_test')],
      ['upper case', good.toUpperCase()],
      ['a character outside base 62', `${good.slice(0, -2)}--`],
      ['the checksum left out', good.slice(0, -7)],
      ['another prefix', `x${good.slice(1)}`],
      ['very long', good.repeat(1_000)],
    ]
    for (const [why, text] of rows) assert.equal(parseKey(text), undefined, why)
  })

  test('parseKey reads a checksum worked out by other means', () => {
    assert.deepEqual(parseKey(`${BODY}_${KNOWN_CRC}`), { environment: 'test', kid: '0'.repeat(12) })
    assert.equal(parseKey(`${BODY}_000000`), undefined)
  })

  test('parseKey catches any one wrong character: CRC-32 finds every burst shorter than 32 bits', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 61 }),
        fc.constantFrom(...Array.from(BASE62)),
        fc.constantFrom('live', 'test'),
        (place, typo, environment) => {
          const good = newKeyText({ environment, kid: newKid() })
          fc.pre(good.charAt(place) !== typo)
          assert.equal(parseKey(good.slice(0, place) + typo + good.slice(place + 1)), undefined)
        },
      ),
      { seed: SEED, numRuns: 2_000 },
    )
  })

  test('parseKey never throws on foreign text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 100 }), (text) => {
        assert.equal(parseKey(text), undefined)
      }),
      { seed: SEED, numRuns: 300 },
    )
  })
})
