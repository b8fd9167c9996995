import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isLuhn } from './luhn.ts'
import { endOfCard } from './payment_card.ts'

/** The number that begins with the first digit of a text. */
function card(text: string): string | undefined {
  const start = text.search(/\d/)
  const end = endOfCard(text, start)
  return end < 0 ? undefined : text.slice(start, end)
}

/** Numbers that payment providers publish for tests. */
const KNOWN: readonly (readonly [issuer: string, number: string])[] = [
  ['Visa', '4111111111111111'],
  ['Visa', '4242424242424242'],
  ['Visa of 13 digits', '4222222222222'],
  ['Mastercard', '5555555555554444'],
  ['Mastercard, new range', '2223003122003222'],
  ['American Express', '378282246310005'],
  ['American Express, 34', '343434343434343'],
  ['Discover', '6011111111111117'],
  ['Diners Club', '30569309025904'],
  ['Diners Club, 38', '38520000023237'],
  ['Diners Club of 16 digits', '3056930009020004'],
  ['JCB', '3530111333300000'],
  ['UnionPay', '6200000000000005'],
  ['UnionPay of 19 digits', '6205500000000000004'],
  ['Maestro', '6759649826438453'],
]

for (const [issuer, number] of KNOWN) {
  test(`endOfCard finds ${issuer}: ${number}`, () => {
    assert.equal(card(number), number)
    assert.equal(card(`Card: ${number}.`), number)
  })

  test(`endOfCard wants the last digit right: ${number}`, () => {
    const wrong = number.slice(0, -1) + String((Number(number.at(-1)) + 1) % 10)
    assert.equal(card(wrong), undefined)
  })
}

const FOUND: readonly (readonly [why: string, text: string, expected: string])[] = [
  ['in fours', '4111 1111 1111 1111', '4111 1111 1111 1111'],
  ['with hyphens', '4111-1111-1111-1111', '4111-1111-1111-1111'],
  [
    'with hyphens that do not break',
    '4111\u20111111\u20111111\u20111111',
    '4111\u20111111\u20111111\u20111111',
  ],
  [
    'with spaces that do not break',
    '4111\u00a01111\u00a01111\u00a01111',
    '4111\u00a01111\u00a01111\u00a01111',
  ],
  ['in groups of American Express', '3782 822463 10005', '3782 822463 10005'],
  ['in groups of Diners Club', '3056 930902 5904', '3056 930902 5904'],
  ['in groups of UnionPay', '620550 0000000000004', '620550 0000000000004'],
  ['in fours and three', '6205 5000 0000 0000 004', '6205 5000 0000 0000 004'],
  ['with its expiry behind it', '4111 1111 1111 1111 12/28', '4111 1111 1111 1111'],
  ['with another number behind it', '4111 1111 1111 1111 2026', '4111 1111 1111 1111'],
  ['with its expiry and its code behind it', '4111 1111 1111 1111 1228 1234', '4111 1111 1111 1111'],
  ['before another card', '4111 1111 1111 1111 5555 5555 5555 4444', '4111 1111 1111 1111'],
  ['at the end of a sentence', '4111111111111111.', '4111111111111111'],
  ['before a comma', '4111111111111111,5', '4111111111111111'],
]

for (const [why, text, expected] of FOUND) {
  test(`endOfCard finds a number: ${why}`, () => {
    assert.equal(card(text), expected)
  })
}

const NONE: readonly (readonly [why: string, text: string])[] = [
  ['an issuer that there is not', '1111111111111117'],
  ['a length that the issuer has not', '41111111111111113'],
  ['twelve digits', '411111111111'],
  ['twenty digits', '41111111111111111111'],
  ['a longer run', '411111111111111105'],
  ['groups of an order', '411-1111111-111111'],
  ['two kinds of separators', '4111 1111-1111 1111'],
  ['two spaces', '4111  1111  1111  1111'],
  ['a word before it', 'x4111111111111111'],
  ['a word behind it', '4111111111111111x'],
  ['an underscore behind it', '4111111111111111_1'],
  ['a whole number before the point', '0.4111111111111111'],
  ['a fraction behind it', '4111111111111111.25'],
  ['an article of trade', '4006381333931'],
  ['the first columns of a table', '4111 1111 1111 1111 2026 1999 1234'],
]

for (const [why, text] of NONE) {
  test(`endOfCard finds none: ${why}`, () => {
    assert.equal(card(text), undefined)
  })
}

test('endOfCard finds no part of a fraction', () => {
  assert.equal(endOfCard('0.4111111111111111', 2), -1)
})

test('isLuhn knows each single wrong digit, and most neighbours that changed places', () => {
  const number = '4539148803436467'
  assert.ok(isLuhn(number))
  for (let at = 0; at < number.length; at++) {
    for (const digit of '0123456789') {
      const other = number.slice(0, at) + digit + number.slice(at + 1)
      assert.equal(isLuhn(other), other === number)
    }
  }
  assert.equal(isLuhn('4539148803434667'), false)
})

test('endOfCard finds a number behind another one, and behind another card', () => {
  assert.equal(endOfCard('2026 4111 1111 1111 1111', 5), 24)
  assert.equal(endOfCard('5555 5555 5555 4444 4111 1111 1111 1111', 20), 39)
  assert.equal(endOfCard('4111 1111 1111 1111 5555 5555 5555 4444 4242 4242 4242 4242', 20), 39)
})

test('endOfCard finds none among the columns of a table', () => {
  for (const [text, start] of [
    ['1234 1999 2026 4111 1111 1111 1111', 15],
    ['1999 4111 1111 1111 1111 2026 1234', 5],
    ['1234-5678-4111-1111-1111-1111-9876', 10],
  ] as const)
    assert.equal(endOfCard(text, start), -1)
})
