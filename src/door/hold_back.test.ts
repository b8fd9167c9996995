import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { LIMITS } from '#base/limits.ts'
import { Fault } from '#base/fault.ts'
import { CONTEXTS, DISGUISES, WRAPPINGS } from '../../test/support/disguises.ts'
import { growsLinearly } from '../../test/support/grows_linearly.ts'
import { GUARDING, guardPieces, inPieces, REDACTING, redactedWhole } from '../../test/support/guarded_text.ts'
import { isQuick } from '../../test/support/is_quick.ts'
import { fillerOf, randomFractions } from '../../test/support/planted_secrets.ts'
import { protectedValues } from '../../test/support/protected_values.ts'
import { HARMLESS_TEXTS } from '../../test/support/harmless_texts.ts'
import type { Finding } from './detector.ts'
import { DETECTORS } from './detectors/all.ts'
import { IslandDetectors } from './island_search.ts'
import { HoldBack, type HoldBackParts } from './hold_back.ts'

const EVERY = new IslandDetectors(DETECTORS)

const SEED = 20_261_122
const fill = fillerOf(SEED)
/** Known by what stands to the right of it, see docs/explanation/streams.md. */
const FROM_THE_RIGHT = 'AWS secret before its id'
const VALUES = protectedValues().filter(({ kind }) => kind !== FROM_THE_RIGHT)
const random = randomFractions(SEED)
const TOKEN = fill('sk-ant-api03-{base64url:93}AA')

const LET_OUT: readonly (readonly [why: string, text: string, out: string])[] = [
  ['words but for the last', 'all is well', 'all is '],
  ['nothing of a token', `key ${TOKEN}`, 'key '],
  ['what follows a token', `key ${TOKEN}, `, 'key [redacted:credential.anthropic], '],
  ['prose of a script without spaces up to its punctuation', '今天很好，明天', '今天很好，'],
  ['all before an address that may hold a password', 'see https://user:pa', 'see '],
  [
    'an address with a port, all but its end',
    'see http://localhost:8080/ now',
    'see http://localhost:8080/ ',
  ],
  ['nothing behind the line before a key', 'is\n-----BEGIN PRIVATE KEY-----\nMIIE', 'is\n'],
  ['all before an escape', String.raw`a "b" \u00`, 'a "b" '],
  ['all before half a pair', 'so 🎉 \ud83c', 'so 🎉 '],
  ['digits that another group may follow', 'in 2026 ', 'in '],
  ['lines that end', 'a = b\nc = d\n', 'a = b\nc = d\n'],
]

for (const [why, text, out] of LET_OUT) {
  test(`HoldBack lets out: ${why}`, () => {
    for (const size of [1, 3, text.length]) {
      const { steps } = guardPieces(inPieces(text, size))
      assert.equal(steps.at(-2), out)
    }
    const guard = new HoldBack(REDACTING)
    assert.equal(guard.push(text), out)
    assert.ok(guard.held <= text.length - (out.includes('[') ? 0 : out.length))
  })
}

/** Gives a text to a guard at once but for one cut, at every place, and compares with what comes of one character at a time. */
function checkEverySplit(text: string, why: string): void {
  const fine = guardPieces(inPieces(text, 1))
  assert.equal(fine.out, redactedWhole(text), why)
  for (const [at, step] of fine.steps.entries()) assert.ok(fine.out.startsWith(step), `${why} ${String(at)}`)
  for (let cut = 1; cut < text.length; cut++) {
    const { out, steps, findings } = guardPieces([text.slice(0, cut), text.slice(cut)])
    assert.equal(steps[0], fine.steps[cut - 1], why)
    assert.equal(out, fine.out, why)
    assert.deepEqual(findings, fine.findings, why)
  }
}

for (const [index, value] of VALUES.entries()) {
  test(`HoldBack redacts ${value.kind} wherever the text is cut`, () => {
    const text = value.make(random)
    const [, before, after] = CONTEXTS[index % CONTEXTS.length] ?? ['', '', '']
    checkEverySplit(before + text + after, value.kind)
  })
}

/** One character at a time is the most that a guard can be asked to let out. */
for (const [why, write] of [
  ...DISGUISES.map(
    ([why, disguise]) =>
      [why, (text: string, secret: string) => text.replace(secret, () => disguise(secret))] as const,
  ),
  ...WRAPPINGS,
]) {
  test(`HoldBack redacts what is written in ${why} as inspect does`, () => {
    for (const [index, { kind, make, secret }] of VALUES.entries()) {
      const text = make(random)
      const [around, before, after] = CONTEXTS[index % CONTEXTS.length] ?? ['', '', '']
      const whole = before + write(text, secret(text)) + after
      const { out, steps } = guardPieces(inPieces(whole, 1))
      assert.equal(out, redactedWhole(whole), `${kind} in ${around}`)
      for (const step of steps) assert.ok(out.startsWith(step))
    }
  })
}

const PIECES: readonly string[] = [
  ...VALUES.map(({ make }) => make(random)),
  ...DISGUISES.map(([, disguise]) => disguise(TOKEN)),
  ...'abc|Bearer |Basic |https://u:|@|.|eyJ|\\|u00|41|%|4|=|\r|\n|sk-|AKIAABCDEFGH2345JKLM|1234 5678 | |"|,|{|}|\\n|é|中文'.split(
    '|',
  ),
  '\u200b',
  '\u202a',
  '\u202c',
  '\u2066',
  '\u2069',
  '\ud83d',
  '\ude00',
  '\udb40',
  '\udc41',
  '\u001b[',
  '\u001b]',
  '\u0007',
  '\ufe0f',
  '\u0301',
  '-----BEGIN PRIVATE KEY-----',
  '-----END PRIVATE KEY-----',
  'x'.repeat(100),
  'q'.repeat(600),
  'A1b2C3d4'.repeat(16),
]
const TEXTS = fc.array(fc.constantFrom(...PIECES), { maxLength: 24 }).map((pieces) => pieces.join(''))
const SIZES = fc.array(fc.integer({ min: 1, max: 700 }), { minLength: 1, maxLength: 12 })

test('HoldBack lets out the same at every place of a text, whatever the pieces', () => {
  fc.assert(
    fc.property(TEXTS, SIZES, (text, sizes) => {
      const fine = guardPieces(inPieces(text, 1))
      let at = 0
      const pieces: string[] = []
      for (let turn = 0; at < text.length; turn++) {
        const end = at + (sizes[turn % sizes.length] ?? 1)
        pieces.push(text.slice(at, end))
        at = end
      }
      const coarse = guardPieces(pieces)
      assert.equal(coarse.out, fine.out)
      assert.deepEqual(coarse.findings, fine.findings)
      at = 0
      for (const [index, piece] of pieces.entries()) {
        at = Math.min(text.length, at + piece.length)
        assert.equal(coarse.steps[index], fine.steps[at - 1])
      }
    }),
    { seed: SEED, numRuns: 1_500 },
  )
})

test('HoldBack blocks with the same findings, whatever the pieces, and never after another text', () => {
  const parts: HoldBackParts = {
    ...REDACTING,
    action: (rule) =>
      rule.startsWith('credential.') ? 'block' : rule === 'personal.card' ? 'pass' : 'redact',
  }
  fc.assert(
    fc.property(TEXTS, fc.integer({ min: 2, max: 300 }), (text, size) => {
      const fine = guardPieces(inPieces(text, 1), parts)
      const coarse = guardPieces(inPieces(text, size), parts)
      assert.equal(coarse.isBlocked, fine.isBlocked)
      assert.deepEqual(coarse.findings, fine.findings)
      assert.ok(fine.out.startsWith(coarse.out))
      if (!fine.isBlocked) assert.equal(coarse.out, fine.out)
    }),
    { seed: SEED, numRuns: 500 },
  )
})

for (const [why, text] of HARMLESS_TEXTS) {
  test(`HoldBack leaves as it is, and hardly holds back: ${why}`, (context) => {
    const guard = new HoldBack(REDACTING)
    const held: number[] = []
    let out = ''
    for (let at = 0; at < text.length; at++) {
      out += guard.push(text.charAt(at))
      held.push(guard.held)
    }
    assert.equal(out + guard.end(), text)
    assert.deepEqual(guard.findings, [])
    held.sort((left, right) => left - right)
    const [p50, p99, most] = [0.5, 0.99, 1].map((part) => held[Math.ceil(part * held.length) - 1] ?? 0)
    context.diagnostic(
      `${why}: ${String(p50)} characters held at p50, ${String(p99)} at p99, ${String(most)} at most`,
    )
    assert.ok((p99 ?? 0) <= 64)
  })
}

test('HoldBack leaves lone surrogates and unfinished escapes as they are', () => {
  for (const text of [
    '\ud83d',
    '\ude00',
    'a\ud83d b',
    '\ude00\ud83d',
    '\ud83d\ud83d\ude00',
    '\\u12',
    '%4',
    '=',
    '\\',
    '=\r',
  ])
    for (const size of [1, 2, 9]) assert.equal(guardPieces(inPieces(text, size)).out, text)
})

const fault =
  (findings: readonly string[]) =>
  (thrown: unknown): boolean => {
    assert.ok(thrown instanceof Fault)
    assert.equal(thrown.code, 'content.blocked')
    assert.deepEqual(thrown.detail['findings'], findings)
    return true
  }

test('HoldBack throws content.blocked at a finding that is to block, then and ever after', () => {
  const guard = new HoldBack({ ...REDACTING, action: () => 'block' })
  assert.equal(guard.push('the key '), 'the key ')
  assert.equal(guard.push(TOKEN), '')
  const blocked = fault(['credential.anthropic'])
  assert.throws(() => guard.push(' is'), blocked)
  assert.throws(() => guard.push(' all'), blocked)
  assert.throws(() => guard.end(), blocked)
  assert.equal(guard.held, 0)
})

test('HoldBack passes what is to pass, and names it', () => {
  const guarded = guardPieces([`a ${TOKEN} b@example.org`], {
    ...REDACTING,
    action: (rule) => (rule === 'personal.email' ? 'redact' : 'pass'),
  })
  assert.equal(guarded.out, `a ${TOKEN} [redacted:personal.email]`)
  assert.deepEqual(guarded.findings, ['credential.anthropic', 'personal.email'])
})

test('HoldBack lets no rule that passes hide one that does not', () => {
  const overlapping = (rule: string, start: number, end: number) => ({
    id: rule,
    why: 'Tries.',
    find: (text: string): readonly Finding[] => (text.includes('secretive') ? [{ rule, start, end }] : []),
  })
  const detectors = new IslandDetectors([overlapping('test.wide', 0, 9), overlapping('test.narrow', 2, 5)])
  for (const [action, out] of [
    ['redact', 'se[redacted:test.narrow]tive.'],
    ['block', ''],
  ] as const) {
    const guarded = guardPieces(['secretive.'], {
      detectors,
      encoded: 'pass',
      action: (rule) => (rule === 'test.wide' ? 'pass' : action),
    })
    assert.equal(guarded.out, out)
    assert.deepEqual(guarded.findings, ['test.narrow', 'test.wide'])
  }
})

test('HoldBack blocks when a detector throws, and with more findings than may be kept', () => {
  const failing = { id: 'failing', why: 'Fails.', find: () => assert.fail() }
  const parts = { ...REDACTING, detectors: new IslandDetectors([failing]) }
  assert.deepEqual(guardPieces(['some words'], parts).findings, ['detector.failed'])
  const many = guardPieces(inPieces(`${fill('sk-{base62:20}')} `.repeat(LIMITS.findings + 1), 100))
  assert.ok(many.isBlocked)
  assert.deepEqual(many.findings, ['credential.openai', 'inspection.too_many'])
})

test('HoldBack takes no text behind the end', () => {
  const guard = new HoldBack(REDACTING)
  assert.equal(guard.end(), '')
  assert.throws(() => guard.push('a'))
})

test('HoldBack does not see what only the text to the right tells', () => {
  const [value] = protectedValues().filter(({ kind }) => kind === FROM_THE_RIGHT)
  const text = value?.make(random) ?? ''
  const { out } = guardPieces(inPieces(text, 1))
  assert.ok(out.includes(value?.secret(text) ?? '-'))
  assert.ok(out.endsWith('[redacted:credential.aws_key]'))
})

const LONG_RUN = fill('{base64:6000}')
const TOO_LONG = '[redacted:inspection.too_long]'
const ENCODED = '[redacted:inspection.encoded_run]'
const PEM_LINES = fill('{base64:64}\n'.repeat(40))
const KEY = `-----BEGIN PRIVATE KEY-----\n${PEM_LINES}-----END PRIVATE KEY-----`
const PROSE = 'Nothing hides here, whatever it may look like. '.repeat(20)
const CAPPED: readonly (readonly [why: string, text: string, out: string, mostHeld: number])[] = [
  ['a run of base 64', `a ${LONG_RUN}, b`, `a ${ENCODED}, b`, LIMITS.heldRun],
  ['a run of base 64 to the end', `a ${LONG_RUN}`, `a ${ENCODED}`, LIMITS.heldRun],
  ['a line of dashes', `a\n${'-'.repeat(9_000)}\nb`, `a\n${'-'.repeat(9_000)}\nb`, LIMITS.heldRun],
  [
    'a known token that does not end',
    `a ${fill('sk-{base62:3000}')}! b`,
    'a [redacted:credential.openai]! b',
    LIMITS.heldStrict,
  ],
  ['a web token that does not end', `a eyJ${fill('{base62:6000}')} b`, `a ${TOO_LONG} b`, LIMITS.heldRun],
  ['a password that does not end', `a https://u:${'p!'.repeat(600)} b`, `a ${TOO_LONG} b`, LIMITS.heldStrict],
  ['a domain that does not end', `a b@${'c.'.repeat(600)} d`, `a ${TOO_LONG} d`, LIMITS.heldStrict],
  ['backslashes', `a ${'\\'.repeat(1_000)} b`, `a ${TOO_LONG} b`, LIMITS.heldStrict],
  ['a long key', `a ${KEY} b`, 'a [redacted:credential.pem] b', LIMITS.heldStrict],
  ['a key without an end', `a ${KEY.slice(0, 1_500)}`, 'a [redacted:credential.pem]', LIMITS.heldStrict],
  [
    'a key behind another',
    `a ${KEY}\n${KEY}\nb`,
    'a [redacted:credential.pem]\n[redacted:credential.pem]\nb',
    LIMITS.heldStrict,
  ],
  [
    'the line before a key, in prose',
    `-----BEGIN PRIVATE KEY----- ${PROSE}`,
    `-----BEGIN PRIVATE KEY----- ${PROSE}`,
    LIMITS.heldStrict,
  ],
  [
    'the line before a key, then prose, then the key',
    `-----BEGIN PRIVATE KEY----- (${PROSE})\n${PEM_LINES}-----END PRIVATE KEY-----\nb`,
    `-----BEGIN PRIVATE KEY----- (${PROSE})\n[redacted:credential.pem]\nb`,
    LIMITS.heldStrict,
  ],
  ['tags', `a${'\u{e0041}'.repeat(900)}b`, 'ab', LIMITS.heldRun],
  ['an isolate that is not closed', `\u2066${PROSE}`, PROSE, LIMITS.heldSpan + 130],
  ['numbers', '1234 5678 9012 3456 '.repeat(99), '1234 5678 9012 3456 '.repeat(99), 96],
  ['words of a script without spaces', '漢字'.repeat(999), '漢字'.repeat(999), 96],
  ['the same, escaped', '\\u6f22\\u5b57'.repeat(999), '\\u6f22\\u5b57'.repeat(999), 900],
  ['lines, escaped', 'ab\\n'.repeat(999), 'ab\\n'.repeat(999), 16],
]

for (const [why, text, out, most] of CAPPED) {
  test(`HoldBack decides on what is too long to be held: ${why}`, () => {
    for (const size of [1, 7, 5_000]) {
      const guarded = guardPieces(inPieces(text, size))
      assert.equal(guarded.out, out)
      if (size === 1) assert.ok(guarded.mostHeld <= most, String(guarded.mostHeld))
    }
  })
}

test('HoldBack blocks or passes what is too long, as it is told', () => {
  for (const [text, rule] of [
    [LONG_RUN, 'inspection.encoded_run'],
    [`https://u:${'p!'.repeat(600)}`, 'inspection.too_long'],
  ] as const) {
    const parts = (action: 'pass' | 'block'): HoldBackParts => ({
      ...REDACTING,
      encoded: action,
      action: (found) => (found === 'inspection.too_long' ? action : 'redact'),
    })
    assert.deepEqual(guardPieces(inPieces(text, 10), parts('block')).findings, [rule])
    const passed = guardPieces(inPieces(text, 10), parts('pass'))
    assert.equal(passed.out, text)
    assert.deepEqual(passed.findings, [rule])
  }
})

test('HoldBack finds a token deep in a long run that passes', () => {
  const secret = Buffer.from(`my key is ${TOKEN}, keep it`).toString('base64')
  const run = Buffer.from(fill('{base64:20000}').slice(0, 20_001)).toString('base64').slice(0, 24_000)
  const bytes = fill('{base64:24000}')
  for (const long of [run, bytes]) {
    const { out } = guardPieces(inPieces(`${long}${secret}${long.slice(0, 400)}.`, 100), {
      ...REDACTING,
      encoded: 'pass',
    })
    for (let at = 0; at + 12 <= secret.length; at++) assert.ok(!out.includes(secret.slice(at, at + 12)))
    assert.ok(out.startsWith(long.slice(0, 19_000)))
  }
})

const HOSTILE: readonly string[] = [
  'a',
  'A1b2',
  'a://',
  'a://b:c@',
  'https://u:p',
  '\\',
  '\\u00',
  '%',
  '%41',
  '=',
  'eyJ',
  'eyJa.',
  'sk-',
  '-',
  '-----BEGIN ',
  '-----BEGIN PRIVATE KEY-----',
  'Bearer ',
  'Basic ',
  'AKIA',
  'AKIAABCDEFGH2345JKLM ',
  '1',
  '1 ',
  '4111 1111 1111 1111 ',
  'DE89 3704 ',
  'a@',
  'a@b.',
  '@',
  '\u200b',
  'a\u200b',
  '\u{e0041}',
  '\u202a',
  '\u2066a',
  '\u001b]',
  '\u001b',
  '\ud83d',
  '漢',
  '\u0e01\u200b',
  'a b ',
  '\\n',
  '"\\u0041"',
  `${fill('{base64:40}')} `,
  '\u0301',
]

for (const part of HOSTILE) {
  test(`HoldBack is linear over ${JSON.stringify(part.slice(0, 24))}`, () => {
    assert.ok(growsLinearly(part, (text) => guardPieces(inPieces(text, 64))))
  })
}

test('HoldBack finds a token with something invisible in it, at each place where a long run is decided about', () => {
  for (const [limit, invisible] of [
    [LIMITS.heldStrict, 1],
    [LIMITS.heldRun, 1],
    [LIMITS.heldRun, 3_000],
  ] as const)
    for (const cut of [5, 20, 100]) {
      const hidden = TOKEN.slice(0, cut) + '\u200b'.repeat(invisible) + TOKEN.slice(cut)
      const text = `${'aaab'.repeat(1_100).slice(0, limit - invisible - cut - 1)}/${hidden} end`
      for (const size of [1, 700, text.length]) {
        const { out } = guardPieces(inPieces(text, size), {
          detectors: EVERY,
          action: () => 'redact',
          encoded: 'pass',
        })
        assert.ok(
          !out.includes(TOKEN.slice(0, cut)),
          `${String([limit, invisible, cut])}: ${out.slice(-150)}`,
        )
      }
    }
})

test('HoldBack lets base 64 of bytes pass wherever the first letters of a web token stand in it', () => {
  const bytes = fill('{base64:9000}').replaceAll('eyJ', 'eyK')
  for (const first of ['e', 'ey', 'eyJ', 'eyJab'])
    for (let before = 0; before < 40; before++) {
      const at = LIMITS.heldRun - before
      const text = bytes.slice(0, at) + first + bytes.slice(at + first.length)
      const { out, findings } = guardPieces(inPieces(text, 1_000), { ...REDACTING, encoded: 'pass' })
      assert.ok(out === text, `${first} at ${String(at)}`)
      assert.deepEqual(findings, ['inspection.encoded_run'])
    }
})

test('HoldBack finds a web token that begins in the second half of a long run', () => {
  const header = Buffer.from('{"alg":"HS256","typ":"JWT"}').toString('base64url')
  const token = `${header}.${fill('{base64url:900}')}.${fill('{base64url:43}')}`
  for (const at of [2_100, 4_000, 4_090, 4_096, 6_000]) {
    const text = `${fill('{base64:7000}').slice(0, at)}+${token} end`
    const { out } = guardPieces(inPieces(text, 700), { ...REDACTING, encoded: 'pass' })
    assert.ok(out.endsWith('+[redacted:credential.jwt] end'), String(at))
  }
})

test('HoldBack is quick over prose', () => {
  const prose = 'The quick brown fox jumps over the lazy dog, and nobody minds. '.repeat(16_000)
  // Some 30 ns for a character.
  assert.ok(isQuick(100, () => guardPieces(inPieces(prose, 1_000))))
})

test('every detector that is looked for has protected values', () => {
  assert.ok(GUARDING.length >= 5)
})
