import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Fault } from '#base/fault.ts'
import { hasTokenForm, readToken } from './read_token.ts'

const HEADER = encode('{"alg":"ES256"}')
const CLAIMS = encode('{"sub":"alice"}')

function encode(text: string | Uint8Array): string {
  return Buffer.from(text).toString('base64url')
}

function reasonOf(work: () => unknown): unknown {
  try {
    work()
  } catch (thrown) {
    assert.ok(thrown instanceof Fault)
    assert.equal(thrown.code, 'caller.unknown')
    return thrown.detail['reason']
  }
  return 'none'
}

test('readToken gives the header and the claims of a token, frozen', () => {
  const { header, claims, text } = readToken(`${HEADER}.${CLAIMS}.AAAA`)
  assert.deepEqual([header, claims], [{ alg: 'ES256' }, { sub: 'alice' }])
  assert.ok(Object.isFrozen(claims))
  assert.equal(text, `${HEADER}.${CLAIMS}.AAAA`)
})

const deep = (levels: number): string => encode(`${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`)

const REFUSED: readonly (readonly [why: string, text: string, reason: string])[] = [
  ['it is empty', '', 'token.form'],
  ['it has one part', HEADER, 'token.form'],
  ['it has two parts', `${HEADER}.${CLAIMS}`, 'token.form'],
  ['it has four parts', `${HEADER}.${CLAIMS}.AAAA.AAAA`, 'token.form'],
  ['it has five, as an encrypted one', `${HEADER}.AAAA.AAAA.AAAA.AAAA`, 'token.form'],
  ['the signature is empty', `${HEADER}.${CLAIMS}.`, 'token.form'],
  ['the header is empty', `.${CLAIMS}.AAAA`, 'token.form'],
  ['the payload is empty', `${HEADER}..AAAA`, 'token.form'],
  ['it has padding', `${HEADER}.${CLAIMS}.AAA=`, 'token.form'],
  ['it has white space', `${HEADER}.${CLAIMS}. AAAA`, 'token.form'],
  ['it ends in a line feed', `${HEADER}.${CLAIMS}.AAAA\n`, 'token.form'],
  ['it has letters of the other base64', `${HEADER}.${CLAIMS}.AA+/`, 'token.form'],
  ['a part has a length that no bytes have', `${HEADER}.${CLAIMS}.AAAAA`, 'token.form'],
  ['the signature has bits that stand for nothing', `${HEADER}.${CLAIMS}.AAB`, 'token.form'],
  ['and the header', `${HEADER.slice(0, -1)}.${CLAIMS}.AAAA`, 'token.form'],
  ['it is too long', `${HEADER}.${'A'.repeat(8_192)}.AAAA`, 'token.form'],
  ['the header is no JSON', `${encode('x')}.${CLAIMS}.AAAA`, 'token.form'],
  ['the header is a list', `${encode('[]')}.${CLAIMS}.AAAA`, 'token.form'],
  ['the claims are a text', `${HEADER}.${encode('"x"')}.AAAA`, 'token.form'],
  ['the claims are not UTF-8', `${HEADER}.${encode(Buffer.from([0x22, 0xff, 0x22]))}.AAAA`, 'token.form'],
  ['the claims begin with a mark', `${HEADER}.${encode('\u{FEFF}{}')}.AAAA`, 'token.form'],
  ['the claims have a member twice', `${HEADER}.${encode('{"sub":"a","sub":"b"}')}.AAAA`, 'token.duplicate'],
  ['also where one is escaped', `${HEADER}.${encode('{"sub":"a","\\u0073ub":"b"}')}.AAAA`, 'token.duplicate'],
  [
    'the header has a member twice',
    `${encode('{"alg":"ES256","alg":"none"}')}.${CLAIMS}.AAAA`,
    'token.duplicate',
  ],
  ['a member twice inside', `${HEADER}.${encode('{"a":{"b":1,"b":2}}')}.AAAA`, 'token.duplicate'],
  ['the claims are nested too deep', `${HEADER}.${deep(9)}.AAAA`, 'token.nested'],
  ['the header is nested too deep', `${deep(9)}.${CLAIMS}.AAAA`, 'token.nested'],
  ['a member is __proto__', `${HEADER}.${encode('{"__proto__":{}}')}.AAAA`, 'token.form'],
]

for (const [why, text, reason] of REFUSED)
  test(`readToken refuses with ${reason}: ${why}`, () =>
    assert.equal(
      reasonOf(() => readToken(text)),
      reason,
    ))

test('readToken takes eight levels', () => {
  assert.equal(
    reasonOf(() => readToken(`${HEADER}.${deep(8)}.AAAA`)),
    'none',
  )
})

test('hasTokenForm is false for a key, whose form has no dots', () => {
  assert.equal(hasTokenForm('gate_live_000000000000_00000000000000000000000000000000_000000'), false)
  assert.equal(hasTokenForm('a.b.c'), true)
})
