import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Credential } from '#trust/access/caller.ts'
import { readHeaders } from './headers.ts'

function credentialOf(...values: readonly string[]): string {
  const credential: Credential = readHeaders(values.flatMap((value) => ['Authorization', value])).credential
  return credential.kind === 'bearer' ? `bearer ${credential.token.open((token) => token)}` : credential.kind
}

test('readHeaders reads one bearer token: anything else is malformed, never nothing', () => {
  const cases: readonly (readonly [why: string, values: readonly string[], expected: string])[] = [
    ['no header', [], 'none'],
    ['a token', ['Bearer abc.DEF-1_2~+/=='], 'bearer abc.DEF-1_2~+/=='],
    ['the scheme in any case', ['bEaReR abc'], 'bearer abc'],
    ['two headers', ['Bearer abc', 'Bearer abc'], 'malformed'],
    ['a bad one and a good one', ['x', 'Bearer abc'], 'malformed'],
    ['three headers', ['Bearer a', 'Bearer b', 'Bearer c'], 'malformed'],
    ['two tokens', ['Bearer abc, Bearer def'], 'malformed'],
    ['another scheme', ['Basic YTpi'], 'malformed'],
    ['no token', ['Bearer '], 'malformed'],
    ['empty', [''], 'malformed'],
    ['only the token', ['abc'], 'malformed'],
    ['a token with a space', ['Bearer a b'], 'malformed'],
  ]
  for (const [why, values, expected] of cases) assert.equal(credentialOf(...values), expected, why)
})

test('readHeaders reads the facts of a body: names in any case', () => {
  const facts = readHeaders([
    'HOST',
    'door:1',
    'content-TYPE',
    'application/json',
    'Content-Length',
    '17',
    'Transfer-Encoding',
    'chunked',
    'content-encoding',
    'gzip',
    'Content-Encoding',
    'br',
    'Expect',
    '100-Continue',
    'X-Forwarded-For',
    '1.2.3.4',
    'x-forwarded-for',
    '5.6.7.8',
    'accept',
    '*/*',
    'xxxx',
    'y',
    'IF-MATCH',
    'W/"1"',
    'if-match',
    'W/"2"',
    'If-None-Match',
    '*',
    'TraceParent',
    '00-x',
    'tracestate',
    'a=1',
    'Tracestate',
    'b=2',
  ])
  assert.deepEqual(facts, {
    host: 'door:1',
    authorization: undefined,
    apiKey: undefined,
    credential: { kind: 'none' },
    proof: undefined,
    basic: undefined,
    ifMatch: 'W/"1",W/"2"',
    ifNoneMatch: '*',
    forwardedFor: '1.2.3.4,5.6.7.8',
    contentType: 'application/json',
    contentEncoding: 'gzip,br',
    contentLength: 17,
    transferCoding: 'chunked',
    traceparent: '00-x',
    tracestate: 'a=1,b=2',
    awaitsContinue: true,
  })
})

test('readHeaders refuses a fact given twice, another expectation and too many lines: input.invalid', () => {
  for (const raw of [
    ['Host', 'a', 'host', 'a'],
    ['Host', '', 'Host', 'evil'],
    ['content-type', 'application/json', 'Content-Type', 'text/plain'],
    ['Content-Type', '', 'Content-Type', 'application/json'],
    ['Expect', 'foo'],
    ['Expect', ''],
    ['Expect', '100-continue, foo'],
    ['Expect', 'foo', 'Expect', '100-continue'],
    Array.from({ length: 129 }, () => ['a', 'b']).flat(),
  ])
    assert.throws(() => readHeaders(raw), { code: 'input.invalid' })
})
