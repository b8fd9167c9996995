import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { fixtureFolder } from '../../../test/support/fixtures.ts'
import { growsLinearly } from '../../../test/support/grows_linearly.ts'
import { isQuick } from '../../../test/support/is_quick.ts'
import { fillerOf, randomFractions } from '../../../test/support/planted_secrets.ts'
import { personal } from './personal.ts'

const SEED = 20_261_122
const fill = fillerOf(SEED)
const found = (text: string): readonly string[] =>
  personal
    .find(text)
    .map(({ rule, start, end }) => `${rule.replace('personal.', '')} ${text.slice(start, end)}`)

const FOUND: readonly (readonly [why: string, text: string, ...expected: readonly string[]])[] = [
  ['an address in a sentence', 'Write to ann.lee@example.org.', 'email ann.lee@example.org'],
  ['two addresses', 'a@b.example,c@d.example', 'email a@b.example', 'email c@d.example'],
  [
    'a card, and an account behind it',
    '4111 1111 1111 1111 / DE89 3704 0044 0532 0130 00',
    'card 4111 1111 1111 1111',
    'iban DE89 3704 0044 0532 0130 00',
  ],
  ['an account of digits that also make a card', 'NL91ABNA0417164300', 'iban NL91ABNA0417164300'],
  ['a card with a host behind it', '4111 1111 1111 1111@x.example', 'card 4111 1111 1111 1111@x.example'],
  ['an address that is a card', '4111111111111111@x.example', 'email 4111111111111111@x.example'],
  ['JSON', '{"mail":"x@y.example","pan":"378282246310005"}', 'email x@y.example', 'card 378282246310005'],
]

for (const [why, text, ...expected] of FOUND) {
  test(`personal finds: ${why}`, () => {
    assert.deepEqual(found(text), expected)
  })
}

const HARMLESS: readonly (readonly [why: string, text: string])[] = [
  ['times', '2026-11-22T09:11:05.123Z 20261122091105123 1763802665123 1763802665123456 1763802665123456789'],
  ['UUIDs', '41111111-1111-4111-1111-111111111111 550e8400-e29b-41d4-a716-446655440000'],
  ['books', 'ISBN 978-3-16-148410-0, 9783161484100, 0-306-40615-2'],
  ['articles', '4006381333931 4901234567894'],
  ['orders', '112-4111111-1111111 #4111-1111 2026/000123456'],
  ['phones', '+49 30 1234 5678, 0049 171 2345678, (555) 123-4567'],
  ['hashes', fill('{hex:40} {hex:64} sha256:{hex:64}')],
  ['numbers of floating point', '0.4111111111111111 3.141592653589793 4111111111111111.5'],
  ['packages', 'react@18.2.0 @types/node@26.6.6 next@15.0.0-canary.ab a@^1.2'],
  ['handles and decorators', 'ask @ann and @bob.lee, @app.route("/") @Override'],
  ['images', 'actions/checkout@v4 ghcr.io/a/b@sha256:0123 icon@2x.png'],
]

for (const [why, text] of HARMLESS) {
  test(`personal passes: ${why}`, () => {
    assert.deepEqual(found(text), [])
  })
}

const RUNS = 5_000

/** By chance one number in ten has the right check digit, and so many begin like those of an issuer of cards that long. */
const BY_CHANCE: readonly (readonly [digits: number, most: number])[] = [
  [12, 0],
  [13, 0.02],
  [14, 0.015],
  [15, 0.01],
  [16, 0.045],
  [17, 0.02],
  [18, 0.03],
  [19, 0.035],
  [20, 0],
]

for (const [digits, most] of BY_CHANCE) {
  test(`personal takes few of all runs of ${digits} digits for a card`, () => {
    let hits = 0
    for (let run = 0; run < RUNS; run++) hits += personal.find(fill(`a {digit:${digits}} b`)).length
    assert.ok(hits <= most * RUNS, `${hits} of ${RUNS}`)
  })
}

test('personal takes no random id of letters and digits for an account', () => {
  for (let run = 0; run < RUNS; run++) assert.deepEqual(found(fill('{base62:22} {base36:24} {hex:32}')), [])
})

test('personal has a sign in every text in which it finds something', () => {
  for (const [why, text] of FOUND) assert.match(text, personal.signs?.form ?? /^$/, why)
})

const HOSTILE: readonly string[] = [
  '@',
  'a@',
  '@a',
  'a@b.',
  'a@b.c',
  'a@b.co ',
  'a.',
  `a@${'b.'.repeat(120)}`,
  `${'x'.repeat(64)}@`,
  'é@',
  '語@',
  '語',
  'a@語.',
  'a-@',
  '.@',
  '%@',
  'a@b.xn--',
  'a@-',
  'a@b-',
  `a@${'b'.repeat(63)}.`,
  "''''@",
  'https://a:b@c.de ',
  `${'a/'.repeat(70)}a@b.cc `,
  ':a@b.cc ',
  '/a@b.cc ',
  '\u{1f600}@',
  'a@\u{1f600}.',
  '\u0301@',
  '4',
  '4 ',
  '41 ',
  '4111 ',
  '4111 1111 1111 1111 ',
  '4111-',
  '41111111111111111111 ',
  '4111111111111111',
  'DE89',
  'DE89 ',
  'DE89 3704 0044 0532 0130 0',
  'de8',
  'GB82WEST',
  ' MT84 MALT',
]

for (const part of HOSTILE) {
  test(`personal is linear over ${JSON.stringify(part.slice(0, 24))}`, () => {
    assert.ok(growsLinearly(part, (text) => personal.find(text)))
  })
}

test('personal is quick over ordinary writing', () => {
  for (const words of [
    'Some words of English, 12 of them. ',
    'كلمات عربية ',
    '中文文本，',
    '12:04:11 INFO took 12 ms\n',
  ])
    assert.ok(isQuick(50, () => personal.find(words.repeat(1_000_000 / words.length))))
})

test('personal says the same of a text each time', () => {
  const random = randomFractions(SEED)
  for (let run = 0; run < 100; run++) {
    const text = Array.from({ length: 60 }, () => 'a@b.co 4111DE89 -'[Math.floor(random() * 17)]).join('')
    assert.deepEqual(personal.find(text), personal.find(text))
  }
})

/** What another generator of personal data calls what we find. */
const LABELS: ReadonlyMap<string, string> = new Map([
  ['EMAIL_ADDRESS', 'personal.email'],
  ['CREDIT_CARD', 'personal.card'],
  ['IBAN_CODE', 'personal.iban'],
])

interface Labelled {
  readonly text: string
  readonly meta: {
    readonly spans?: readonly { readonly type: string; readonly start: number; readonly end: number }[]
  }
}

test('personal finds every labelled address, card and account, and nothing else', (t) => {
  const folder = fixtureFolder('content-train/presidio-generated')
  if (folder === undefined) return t.skip('no fixtures')
  let spans = 0
  for (const file of ['generated-large.jsonl', 'generated-small.jsonl']) {
    for (const line of readFileSync(path.join(folder, file), 'utf8').split('\n')) {
      if (line === '') continue
      const { text, meta } = JSON.parse(line) as Labelled
      const expected = (meta.spans ?? []).flatMap(({ type, start, end }) => {
        const rule = LABELS.get(type)
        return rule === undefined ? [] : [{ rule, start, end }]
      })
      spans += expected.length
      assert.deepEqual(
        personal.find(text),
        expected.sort((left, right) => left.start - right.start),
      )
    }
  }
  assert.ok(spans > 300, String(spans))
})
