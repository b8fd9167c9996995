import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { utf8 } from './bytes.ts'
import { Sealed } from './sealed.ts'
import { SecretEcho } from './secret_echo.ts'

const SEED = 20_261_122
const SECRET = ['sk', 'Of', 'the:provider', '0123456789'].join('-')

/** The piece in which a watch says that the secret ends. */
function endOf(echo: SecretEcho, pieces: readonly string[]): number {
  const watch = echo.newWatch()
  return pieces.findIndex((piece) => watch.endsIn(utf8(piece)))
}

const DISGUISES: readonly (readonly [why: string, text: string])[] = [
  ['as it is', SECRET],
  ['in base 64', Buffer.from(`ab${SECRET}c`).toString('base64')],
  ['in hexadecimal', Buffer.from(SECRET).toString('hex')],
  ['in hexadecimal with colons', Buffer.from(SECRET).toString('hex').split('').join(':')],
  ['parted by spaces', SECRET.split('').join('  ')],
  ['with escapes of JSON', SECRET.replaceAll('-', '\\u002d')],
  ['with escapes of addresses', SECRET.replaceAll('-', '%2D')],
  ['parted by escaped line ends', SECRET.split('').join('\\n')],
]

for (const [why, text] of DISGUISES) {
  test(`endsIn is true for the piece that ends a secret: ${why}`, () => {
    const echo = new SecretEcho(new Sealed(SECRET))
    // Of base 64 the last letters belong to what follows.
    const end = text.split('').findIndex((_, at) => echo.isIn(utf8(text.slice(0, at + 1)))) + 1
    assert.ok(end > text.length - 4)
    for (let cut = 1; cut < text.length; cut += 1) {
      const pieces = ['x'.repeat(3_000), text.slice(0, cut), text.slice(cut)]
      assert.equal(endOf(echo, pieces), cut < end ? 2 : 1, String(cut))
    }
    assert.equal(endOf(echo, ['y'.repeat(3_000), ...text.split(''), 'z']), end)
  })
}

test('endsIn is true for a secret of which only spaces make eight characters', () => {
  const echo = new SecretEcho(new Sealed('a b c d e'))
  assert.equal(endOf(echo, ['so it is: a b ', 'c d', ' e f']), 2)
})

test(`endsIn says in pieces what isIn says of the whole (seed ${SEED})`, () => {
  const echo = new SecretEcho(new Sealed(SECRET))
  const words = [SECRET.slice(0, 9), SECRET.slice(4), 'plain words ', '\\"', '%41', ' ', '\\\\', 'é', '0123']
  const part = fc.constantFrom(...words, ...DISGUISES.map(([, text]) => text))
  let held = 0
  fc.assert(
    fc.property(
      fc.array(part, { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 40 })),
      (parts, cuts) => {
        const whole = parts.join('').slice(0, 1_000)
        const pieces: string[] = []
        let rest = whole
        for (const length of cuts) {
          pieces.push(rest.slice(0, length))
          rest = rest.slice(length)
        }
        const isHeld = echo.isIn(utf8(whole))
        if (isHeld) held += 1
        assert.equal(endOf(echo, [...pieces, rest]) >= 0, isHeld, JSON.stringify([...pieces, rest]))
      },
    ),
    { seed: SEED, numRuns: 2_000 },
  )
  assert.ok(held > 200, String(held))
})
