import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import fc from 'fast-check'
import { DISGUISES } from '../../test/fakes/upstream.ts'
import { Sealed } from './sealed.ts'
import { SecretEcho } from './secret_echo.ts'

const SEED = 20_261_122
const SECRET = ['key', 'of/the+house', '"q"', 'A1b2C3d4'].join('-')
const echo = new SecretEcho(new Sealed(SECRET))
const isIn = (text: string, of = echo): boolean => of.isIn(Buffer.from(text))

const every = (text: string, form: (code: number) => string): string =>
  Array.from(text, (letter) => form(letter.charCodeAt(0))).join('')

const BASE_64 = Buffer.from(SECRET).toString('base64')
/** In pieces of a length, with something between. */
const lines = (text: string, length: number, between: string): string =>
  (text.match(new RegExp(`[^]{1,${length}}`, 'g')) ?? []).join(between)

const HIDDEN: readonly (readonly [why: string, text: string])[] = [
  ['as it is', SECRET],
  ['in a header', `Authorization: Bearer ${SECRET}\r\n`],
  ['in JSON', JSON.stringify({ key: SECRET })],
  ['as the name of a member', JSON.stringify({ [SECRET]: 1 })],
  ['in JSON in JSON', JSON.stringify({ body: JSON.stringify({ headers: JSON.stringify({ key: SECRET }) }) })],
  ['escaped letter by letter', every(SECRET, (code) => `\\u${code.toString(16).padStart(4, '0')}`)],
  ['escaped letter by letter, in JSON', JSON.stringify(every(SECRET, (code) => `\\u00${code.toString(16)}`))],
  ['with escaped slashes', SECRET.replaceAll('/', '\\/')],
  ['as URLs write it', `https://a/?key=${encodeURIComponent(SECRET)}&b=1`],
  ['as URLs may write it', every(SECRET, (code) => `%${code.toString(16)}`)],
  ['as URLs in URLs write it', encodeURIComponent(encodeURIComponent(SECRET))],
  ['in base 64 in a URL', `https://a/?key=${encodeURIComponent(Buffer.from(SECRET).toString('base64'))}`],
  ['in base 64 with escaped slashes', Buffer.from(SECRET).toString('base64').replaceAll('/', '\\/')],
  ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
  ['in base 64 with line breaks', lines(BASE_64, 8, '\r\n')],
  ['in base 64 with line breaks, in JSON', JSON.stringify(lines(BASE_64, 8, '\n'))],
  ['in base 64 with line breaks, in JSON in JSON', JSON.stringify(JSON.stringify(lines(BASE_64, 8, '\r\n')))],
  ['in base 64 with line breaks and escaped slashes', lines(BASE_64, 8, '\\n').replaceAll('/', '\\/')],
  ['in base 64 with line breaks as URLs write them', encodeURIComponent(lines(BASE_64, 8, '\r\n'))],
  ['with line breaks', lines(SECRET, 5, '\n')],
  ['as HTML writes it, decimal', every(SECRET, (code) => `&#${code};`)],
  ['as HTML writes it, hexadecimal', every(SECRET, (code) => `&#x${code.toString(16).toUpperCase()};`)],
  ['as HTML may write it', SECRET.replaceAll('-', '&#0045').replaceAll('/', '&#X2f;')],
  ['as programs write it', every(SECRET, (code) => `\\x${code.toString(16)}`)],
  ['as programs write it, in JSON', JSON.stringify(every(SECRET, (code) => `\\x${code.toString(16)}`))],
  ['as code points', every(SECRET, (code) => `\\u{${code.toString(16)}}`)],
  ['in hexadecimal with colons', lines(Buffer.from(SECRET).toString('hex').toUpperCase(), 2, ':')],
  ['in hexadecimal with spaces', lines(Buffer.from(SECRET).toString('hex'), 2, ' ')],
  ['in hexadecimal, upper case', Buffer.from(`x${SECRET}`).toString('hex').toUpperCase()],
]

for (const [why, text] of HIDDEN) {
  test(`SecretEcho finds the secret: ${why}`, () => {
    assert.equal(isIn(text), true)
    assert.equal(isIn(`before ${text} behind \\n "and" 50% so on`), true)
  })
}

test('SecretEcho finds what each disguise of the fake makes of a key', () => {
  for (const [name, disguise] of Object.entries(DISGUISES)) {
    assert.equal(
      isIn(disguise('sk/plain-key-of-the-house'), new SecretEcho(new Sealed('sk/plain-key-of-the-house'))),
      true,
      name,
    )
  }
})

test(`SecretEcho finds a secret inside base 64 of anything around it, in both alphabets (seed ${SEED})`, () => {
  const around = fc.uint8Array({ maxLength: 40 })
  const text = fc.string({ unit: 'grapheme-ascii', minLength: 8, maxLength: 60 })
  fc.assert(
    fc.property(around, text, around, (before, secret, behind) => {
      const bytes = Buffer.concat([before, Buffer.from(secret), behind])
      const one = new SecretEcho(new Sealed(secret))
      for (const alphabet of ['base64', 'base64url'] as const)
        assert.equal(isIn(bytes.toString(alphabet), one), true)
    }),
    { seed: SEED, numRuns: 500 },
  )
})

const ABSENT: readonly (readonly [why: string, text: string])[] = [
  ['an empty text', ''],
  ['a text with escapes', '{"a":"say \\"hi\\"\\n\\u00e9 \\/ 50% %zz %"}'],
  ['a part of the secret', SECRET.slice(0, -1)],
  ['another case', SECRET.toUpperCase()],
  ['cut escapes', '\\u00'],
  ['a backslash at the end', 'x\\'],
]

for (const [why, text] of ABSENT) {
  test(`SecretEcho finds nothing: ${why}`, () => {
    assert.equal(isIn(text), false)
  })
}

test('SecretEcho looks for no secret that is as short as a word', () => {
  assert.equal(isIn('password', new SecretEcho(new Sealed('passwor'))), false)
  assert.equal(isIn('password', new SecretEcho(new Sealed('password'))), true)
})

test('SecretEcho reads bytes that are no UTF-8, and a part of a buffer', () => {
  const bytes = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(SECRET), Buffer.from([0xff])])
  assert.equal(echo.isIn(bytes), true)
  assert.equal(echo.isIn(bytes.subarray(10)), false)
})

test('SecretEcho shows no form of the secret', () => {
  const shown = `${inspect(echo, { depth: 9, showHidden: true })}${JSON.stringify(echo)}`
  assert.ok(!shown.includes(SECRET) && !shown.includes('A1b2C3d4'))
})

test('SecretEcho takes time in proportion to the length, whatever it holds', () => {
  for (const piece of [
    '&#',
    '&#x0',
    '&#9',
    '\\u{0',
    '\\x',
    ' ',
    ':',
    '\\n',
    '\\',
    '\\u',
    '\\u0025',
    '%',
    '%25',
    '%5C',
    '\\\\u005cu0025',
    SECRET.slice(0, -1),
  ]) {
    const bytes = Buffer.from(piece.repeat(Math.ceil(2_000_000 / piece.length)))
    const startedAt = performance.now()
    assert.equal(echo.isIn(bytes), false)
    assert.ok(performance.now() - startedAt < 2_000, piece)
  }
})
