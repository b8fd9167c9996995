import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endOfIban, ibanLengths, remainder } from './iban.ts'

/** An account of a country, all digits, with the right check digits. */
function accountOf(country: string, length: number): string {
  const account = '7'.repeat(length - 4)
  const check = 98 - remainder(`${country}00${account}`)
  return `${country}${String(check).padStart(2, '0')}${account}`
}

function inFours(iban: string): string {
  return iban.replaceAll(/.{4}(?=.)/g, '$& ')
}

test('ibanLengths has a length from 15 to 33 for each of 89 countries', () => {
  assert.equal(ibanLengths().size, 89)
  for (const [country, length] of ibanLengths()) {
    assert.match(country, /^[A-Z]{2}$/)
    assert.ok(length >= 15 && length <= 33)
  }
})

for (const [country, length] of ibanLengths()) {
  test(`endOfIban finds an account of ${country}, and none that is longer, shorter or wrong`, () => {
    const iban = accountOf(country, length)
    for (const text of [iban, iban.toLowerCase(), inFours(iban), inFours(iban).replaceAll(' ', '\u00a0')]) {
      assert.equal(endOfIban(`${text}.`, 0), text.length)
      assert.equal(endOfIban(`(${text})`, 1), text.length + 1)
      assert.equal(endOfIban(`${text} and more`, 0), text.length)
      assert.equal(endOfIban(`${text}7`, 0), -1)
      assert.equal(endOfIban(text.slice(0, -1), 0), -1)
      assert.equal(endOfIban(`${text.slice(0, -1)}8`, 0), -1)
    }
    assert.equal(endOfIban(accountOf(country, length + 1), 0), -1)
  })
}

/** As banks and the registry print them. */
const KNOWN: readonly string[] = [
  'DE89 3704 0044 0532 0130 00',
  'GB82 WEST 1234 5698 7654 32',
  'FR14 2004 1010 0505 0001 3M02 606',
  'NL91 ABNA 0417 1643 00',
  'NO93 8601 1117 947',
  'CH93 0076 2011 6238 5295 7',
  'MT84 MALT 0110 0001 2345 MTLC AST0 01S',
  'SA03 8000 0000 6080 1016 7519',
]

for (const iban of KNOWN) {
  test(`endOfIban finds a known one: ${iban}`, () => {
    assert.equal(endOfIban(iban, 0), iban.length)
  })
}

test('endOfIban finds one whose country alone is written as a word begins', () => {
  assert.equal(endOfIban('De89370400440532013000', 0), 22)
})

const NONE: readonly (readonly [why: string, text: string])[] = [
  ['a country without', 'US89 3704 0044 0532 0130 00'],
  ['two digits changed', 'DE89 3704 0044 0532 0103 00'],
  ['a space that is missing', 'DE89 3704 00440532 0130 00'],
  ['a space too many', 'DE89 3704  0044 0532 0130 00'],
  ['spaces elsewhere', 'DE89370 40044 0532013000'],
  ['hyphens', 'DE89-3704-0044-0532-0130-00'],
  ['letters of both cases, as in base 64', 'GB82West12345698765432'],
  ['letters of another script', 'DE89 3704 0044 0532 0130 0٠'],
]

for (const [why, text] of NONE) {
  test(`endOfIban finds none: ${why}`, () => {
    assert.equal(endOfIban(text, 0), -1)
  })
}
